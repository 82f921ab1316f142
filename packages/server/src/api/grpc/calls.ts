// What all gRPC handlers share: who calls, how long they wait, and errors as gRPC statuses with
// details. A handler is an async function; whatever it throws becomes a status, never a crash.

import type {
  ServerUnaryCall,
  ServerWritableStream,
  ServerDuplexStream,
  sendUnaryData,
  ServerErrorResponse,
} from "@grpc/grpc-js";
import { KinglyError, toKinglyError } from "@kingly/base";
import { identityFromAltNames, toServiceError } from "@kingly/protocol";
import type { CertificateIdentity } from "@kingly/protocol";
import type { Principal } from "../core/auth.ts";
import type { ApiContext } from "../core/context.ts";

/** Any call with headers and, maybe, a client certificate. */
export type AnyCall = Pick<
  ServerUnaryCall<unknown, unknown>,
  "metadata" | "getAuthContext" | "getDeadline" | "getPath"
>;

/** Streams that a server writes. */
export type WritableCall<Response> =
  ServerWritableStream<never, Response> | ServerDuplexStream<never, Response>;

/** Identity in the verified client certificate; undefined when there is none. */
export function certificateOf(call: AnyCall): CertificateIdentity | undefined {
  const names = call.getAuthContext()?.sslPeerCertificate?.subjectaltname;
  return identityFromAltNames(names);
}

/** The caller: its certificate when it has one, else its bearer token. Unauthenticated. */
export function principalOf(context: ApiContext, call: AnyCall): Principal {
  const identity = certificateOf(call);
  if (identity !== undefined) return context.auth.fromCertificate(identity);
  const header = call.metadata.get("authorization")[0];
  return context.auth.fromHeader(typeof header === "string" ? header : undefined);
}

/** Milliseconds until the caller's deadline; 0 = it named none. DeadlineExceeded when passed. */
export function remainingMs(context: ApiContext, call: AnyCall): number {
  const deadline = call.getDeadline();
  const atMs = deadline instanceof Date ? deadline.getTime() : deadline;
  if (!Number.isFinite(atMs)) return 0;
  const left = Math.floor(atMs - context.clock.nowMs());
  if (left > 0) return left;
  throw new KinglyError("DeadlineExceeded", "the call's deadline has passed");
}

/** The status that a failed call ends with; defects are logged and not told. */
export function statusError(context: ApiContext, thrown: unknown, method: string): KinglyError {
  const error = toKinglyError(thrown);
  if (error.code !== "Internal") return error;
  const cause = error.cause instanceof Error ? (error.cause.stack ?? "") : error.message;
  context.logger.error("call failed", { method, error: cause });
  return new KinglyError("Internal", "an internal error occurred");
}

/** Wraps an async function as a unary handler. */
export function unary<Request, Response>(
  context: ApiContext,
  run: (call: ServerUnaryCall<Request, Response>) => Promise<Response>,
): (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>) => void {
  return (call, callback) => {
    const started = context.clock.nowMs();
    const method = call.getPath();
    const finish = (code: string): void => {
      const seconds = (context.clock.nowMs() - started) / 1000;
      context.metrics.requestSeconds.observe({ interface: "grpc", method, code }, seconds);
    };
    run(call).then(
      (response) => {
        finish("OK");
        callback(null, response);
      },
      (thrown: unknown) => {
        const error = statusError(context, thrown, method);
        finish(error.code);
        callback(toServiceError(error) as ServerErrorResponse);
      },
    );
  };
}

/** Ends a stream with a status. */
export function failStream<Response>(call: WritableCall<Response>, error: KinglyError): void {
  call.emit("error", toServiceError(error));
}
