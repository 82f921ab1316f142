// Forwarded writes on the wire: a follower hands a client's write to the leader together with the
// actor that the follower authenticated. Results and errors travel in the response itself, so that
// a failed call always means a broken connection and nothing else.
import { KinglyError, isErrorCode, utf8Decode, utf8Encode } from "@kingly/base";
import type { ErrorDetails, JsonValue } from "@kingly/base";
import { COMMAND_TYPES } from "@kingly/decision";
import type { CommandType } from "@kingly/decision";
import type {
  ForwardRequest,
  ForwardRequestInput,
  ForwardResponse,
  ForwardResponseInput,
} from "@kingly/protocol";
import type { Actor, SubmitResult, WriteRequest } from "../replica/replica.ts";
import { SUBMIT_DEADLINE_MS_MAX } from "../limits.ts";

const METHODS: readonly Actor["method"][] = ["token", "certificate", "node", "oidc", "system"];

/** Wire form of a forwarded write. */
export function encodeForward(
  clusterId: string,
  request: WriteRequest,
  actor: Actor,
  deadlineMs: number,
): ForwardRequestInput {
  const { name, method, server } = actor;
  return {
    clusterId,
    actor: utf8Encode(JSON.stringify({ name, method, server })),
    command: request.command,
    body:
      request.bodyObject !== undefined && request.body.length === 0
        ? utf8Encode(JSON.stringify(request.bodyObject))
        : request.body,
    signature: request.signature ?? new Uint8Array(0),
    idempotencyKey: request.idempotencyKey ?? "",
    deadlineMs: Math.max(1, Math.floor(deadlineMs)),
  };
}

function decodeActor(bytes: Uint8Array): Actor {
  let parsed: unknown;
  try {
    parsed = JSON.parse(utf8Decode(bytes));
  } catch {
    parsed = undefined;
  }
  const actor = (parsed ?? {}) as Partial<Record<keyof Actor, unknown>>;
  const { name, method, server } = actor;
  const known = METHODS.find((candidate) => candidate === method);
  if (typeof name !== "string" || typeof server !== "string" || known === undefined) {
    throw new KinglyError("MalformedFrame", "a forwarded write without an actor", {
      field: "actor",
    });
  }
  return { name, method: known, server };
}

/** What a follower asks for. MalformedFrame or WrongCluster. */
export function decodeForward(
  wire: ForwardRequest,
  clusterId: string,
): { readonly request: WriteRequest; readonly actor: Actor; readonly deadlineMs: number } {
  if (wire.clusterId !== clusterId) {
    throw new KinglyError("WrongCluster", "the write was forwarded from another cluster", {
      field: "clusterId",
      limit: clusterId,
      value: wire.clusterId.slice(0, 80),
    });
  }
  const command = COMMAND_TYPES.find((type: CommandType) => type === wire.command);
  if (command === undefined) {
    throw new KinglyError("MalformedFrame", "unknown command type", {
      field: "command",
      value: wire.command.slice(0, 80),
    });
  }
  const request: WriteRequest = {
    command,
    body: new Uint8Array(wire.body),
    ...(wire.signature.length === 0 ? {} : { signature: new Uint8Array(wire.signature) }),
    ...(wire.idempotencyKey === "" ? {} : { idempotencyKey: wire.idempotencyKey }),
  };
  const deadlineMs = Math.min(wire.deadlineMs, SUBMIT_DEADLINE_MS_MAX);
  return { request, actor: decodeActor(wire.actor), deadlineMs };
}

/** Response that carries a result. */
export function encodeForwardResult(result: SubmitResult): ForwardResponseInput {
  return { value: utf8Encode(JSON.stringify(result.value)), revision: result.revision };
}

/** Response that carries a refusal. */
export function encodeForwardError(error: KinglyError): ForwardResponseInput {
  return {
    errorCode: error.code,
    errorMessage: error.message,
    errorDetails: utf8Encode(JSON.stringify(error.details)),
  };
}

function parse(bytes: Uint8Array): unknown {
  return bytes.length === 0 ? null : JSON.parse(utf8Decode(bytes));
}

/** The leader's result; throws the leader's KinglyError. */
export function decodeForwardResponse(wire: ForwardResponse): SubmitResult {
  if (wire.errorCode !== "") {
    const code = isErrorCode(wire.errorCode) ? wire.errorCode : "Internal";
    throw new KinglyError(code, wire.errorMessage, parse(wire.errorDetails) as ErrorDetails);
  }
  return { value: parse(wire.value) as JsonValue, revision: wire.revision };
}
