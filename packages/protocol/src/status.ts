// KinglyError <-> gRPC status. The canonical code comes from the error table; the exact code and the
// details ride in google.rpc.ErrorInfo and RetryInfo inside the `grpc-status-details-bin` trailer,
// so that clients in any language can act on them. Causes of bugs are never sent out.
import { Metadata, status } from "@grpc/grpc-js";
import type { ServiceError, StatusObject } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import type { MessageTypeDefinition } from "@grpc/proto-loader";
import { ERROR_CODES, KinglyError, assert } from "@kingly/base";
import type { ErrorCause, ErrorCode, ErrorDetails } from "@kingly/base";
import type { ErrorInfo, ErrorInfo__Output } from "./gen/google/rpc/ErrorInfo.ts";
import type { RetryInfo, RetryInfo__Output } from "./gen/google/rpc/RetryInfo.ts";
import type { Status, Status__Output } from "./gen/google/rpc/Status.ts";
import { STATUS_DETAILS_BYTES_MAX } from "./limits.ts";
import { PROTO_OPTIONS } from "./services.ts";

/** Name of the trailer that carries google.rpc.Status. */
export const STATUS_DETAILS_TRAILER = "grpc-status-details-bin";
/** Domain of every ErrorInfo of this product. */
export const ERROR_DOMAIN = "kingly.dev";

const TYPE_URL = "type.googleapis.com/google.rpc.";

/** Wire reason of a code: `DocumentTooLarge` is `DOCUMENT_TOO_LARGE`. */
export function errorReason(code: ErrorCode): string {
  return code.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
}

const CODES_BY_REASON: ReadonlyMap<string, ErrorCode> = new Map(
  ERROR_CODES.map((code) => [errorReason(code), code]),
);

interface Codecs {
  readonly status: MessageTypeDefinition<Status, Status__Output>;
  readonly info: MessageTypeDefinition<ErrorInfo, ErrorInfo__Output>;
  readonly retry: MessageTypeDefinition<RetryInfo, RetryInfo__Output>;
}

let codecs: Codecs | undefined;

function loadCodecs(): Codecs {
  if (codecs !== undefined) return codecs;
  const files = ["google/rpc/status.proto", "google/rpc/error_details.proto"];
  const all = loadSync(files, PROTO_OPTIONS);
  const status = all["google.rpc.Status"];
  const info = all["google.rpc.ErrorInfo"];
  const retry = all["google.rpc.RetryInfo"];
  assert(status !== undefined && info !== undefined && retry !== undefined, "error protos loaded");
  codecs = { status, info, retry } as Codecs;
  return codecs;
}

const TEXT_FIELDS = ["field", "reason", "step", "rule", "help", "leaderHint", "idempotencyKey"];

function infoMetadata(details: ErrorDetails): Record<string, string> {
  const metadata: Record<string, string> = {};
  for (const name of TEXT_FIELDS) {
    const value = details[name as keyof ErrorDetails];
    if (typeof value === "string") metadata[name] = value;
  }
  if (details.limit !== undefined) metadata["limit"] = JSON.stringify(details.limit);
  if (details.value !== undefined) metadata["value"] = JSON.stringify(details.value);
  if (details.causes !== undefined) metadata["causes"] = JSON.stringify(details.causes);
  return metadata;
}

function encodeDetails(error: KinglyError, withDetails: boolean): Buffer {
  const { status: statusCodec, info, retry } = loadCodecs();
  const details = [
    {
      typeUrl: `${TYPE_URL}ErrorInfo`,
      value: info.serialize({
        reason: errorReason(error.code),
        domain: ERROR_DOMAIN,
        metadata: withDetails ? infoMetadata(error.details) : {},
      }),
    },
  ];
  const after = error.details.retryAfterMs;
  if (after !== undefined) {
    const seconds = Math.floor(after / 1000);
    const nanos = Math.round((after - seconds * 1000) * 1e6);
    const value = retry.serialize({ retryDelay: { seconds, nanos } });
    details.push({ typeUrl: `${TYPE_URL}RetryInfo`, value });
  }
  const message = withDetails ? error.message : "";
  return statusCodec.serialize({ code: error.info.grpc, message, details });
}

/** gRPC status of an error, for a handler's callback or `call.emit("error", ...)`. */
export function toServiceError(error: KinglyError): Partial<StatusObject> & Error {
  let bytes = encodeDetails(error, true);
  // Details that do not fit a trailer are dropped; the exact code always arrives.
  if (bytes.length > STATUS_DETAILS_BYTES_MAX) bytes = encodeDetails(error, false);
  const metadata = new Metadata();
  metadata.set(STATUS_DETAILS_TRAILER, bytes);
  const text = error.message.slice(0, 2_000);
  return Object.assign(new Error(text), { code: error.info.grpc, details: text, metadata });
}

function parseJson(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isCause(value: unknown): value is ErrorCause {
  if (typeof value !== "object" || value === null) return false;
  const cause = value as Partial<Record<keyof ErrorCause, unknown>>;
  return (
    typeof cause.reason === "string" &&
    typeof cause.field === "string" &&
    typeof cause.message === "string"
  );
}

function detailsOf(info: ErrorInfo__Output, retryAfterMs: number | undefined): ErrorDetails {
  const metadata = info.metadata ?? {};
  const details: Record<string, unknown> = {};
  for (const name of TEXT_FIELDS) {
    if (metadata[name] !== undefined) details[name] = metadata[name];
  }
  for (const name of ["limit", "value"]) {
    const value = parseJson(metadata[name]);
    if (["string", "number", "boolean"].includes(typeof value)) details[name] = value;
  }
  const causes = parseJson(metadata["causes"]);
  if (Array.isArray(causes)) details["causes"] = causes.filter(isCause);
  if (retryAfterMs !== undefined) details["retryAfterMs"] = retryAfterMs;
  return details as ErrorDetails;
}

function decodeDetails(bytes: Uint8Array): { code: ErrorCode; details: ErrorDetails } | undefined {
  const all = loadCodecs();
  let info: ErrorInfo__Output | undefined;
  let retryAfterMs: number | undefined;
  try {
    for (const detail of all.status.deserialize(Buffer.from(bytes)).details) {
      if (detail.typeUrl === `${TYPE_URL}ErrorInfo`) info = all.info.deserialize(detail.value);
      if (detail.typeUrl === `${TYPE_URL}RetryInfo`) {
        const delay = all.retry.deserialize(detail.value).retryDelay;
        if (delay !== null) retryAfterMs = delay.seconds * 1000 + delay.nanos / 1e6;
      }
    }
  } catch {
    return undefined;
  }
  if (info === undefined || info.domain !== ERROR_DOMAIN) return undefined;
  const code = CODES_BY_REASON.get(info.reason);
  return code === undefined ? undefined : { code, details: detailsOf(info, retryAfterMs) };
}

function codeOfStatus(code: number): ErrorCode {
  switch (code) {
    case status.INVALID_ARGUMENT:
      return "Usage";
    case status.DEADLINE_EXCEEDED:
      return "DeadlineExceeded";
    case status.NOT_FOUND:
      return "NotFound";
    case status.ALREADY_EXISTS:
      return "AlreadyExists";
    case status.PERMISSION_DENIED:
      return "Forbidden";
    case status.RESOURCE_EXHAUSTED:
      return "Overloaded";
    case status.UNAUTHENTICATED:
      return "Unauthenticated";
    case status.UNAVAILABLE:
      return "Unavailable";
    default:
      return "Internal";
  }
}

/**
 * The KinglyError behind a failed call. Errors that did not come from a Kingly server (no details)
 * get the nearest code of their status; a transport that fell silent is Unavailable, which does NOT
 * say that a write did not happen: callers of writes treat it as Indeterminate unless `hasDetails`.
 */
export function fromServiceError(error: ServiceError): KinglyError {
  const trailer = error.metadata?.get(STATUS_DETAILS_TRAILER)[0];
  const decoded = typeof trailer === "string" || !trailer ? undefined : decodeDetails(trailer);
  const text = error.details || error.message;
  if (decoded !== undefined) {
    return new KinglyError(decoded.code, text, decoded.details, { cause: error });
  }
  return new KinglyError(codeOfStatus(error.code), text, {}, { cause: error });
}

/** True when the error was written by a Kingly server, so that its code says what happened. */
export function hasErrorDetails(error: ServiceError): boolean {
  return (error.metadata?.get(STATUS_DETAILS_TRAILER).length ?? 0) > 0;
}
