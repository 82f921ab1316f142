// Between the core's words and the wire's. Documents from servers are parsed strictly and looked at
// before the core sees them; what is malformed is named and left out.

import { KinglyError, parseStrictJson, utf8Encode } from "@kingly/base";
import type { JsonValue } from "@kingly/base";
import type { ActiveState, NodeEvent, OutgoingMessage } from "@kingly/node-core";
import { nodeCrypto, safeUint, WIRE_MESSAGE_BYTES_MAX } from "@kingly/protocol";
import type { ActiveConfigInput, AgentMessageInput, ServerMessage } from "@kingly/protocol";
import { signingBytes } from "@kingly/resources";
import type { AssignmentPush, TrialOrder } from "@kingly/resources";
import { Fields } from "../fields.ts";
import { MESSAGE_DEPTH_MAX } from "../limits.ts";

/** Who signs. */
export interface Signer {
  readonly clusterId: string;
  /** 32-byte Ed25519 seed. */
  readonly signingKey: Uint8Array;
}

/** A message of the core, signed where it is a document. */
export function toWire(message: OutgoingMessage, signer: Signer): AgentMessageInput {
  switch (message.type) {
    case "ack": {
      const { nonce, configUid, version, generation, state } = message;
      return { ack: { nonce, configUid, version, generation, state: `STATE_${state}` } };
    }
    case "nack": {
      const { type: _type, ...nack } = message;
      return { nack };
    }
    case "heartbeat":
      return {
        heartbeat: {
          active: message.active.map(activeToWire),
          clockMs: Math.max(0, Math.floor(message.clockMs)),
        },
      };
    case "submission": {
      const { kind, idempotencyKey } = message;
      const document = utf8Encode(message.document);
      const { clusterId, signingKey } = signer;
      const bytes = signingBytes({ clusterId, type: kind, uid: idempotencyKey, bytes: document });
      const signature = nodeCrypto.sign(signingKey, bytes);
      return { submission: { kind, idempotencyKey, document, signature } };
    }
    case "progress":
      return { trialProgress: Buffer.from(JSON.stringify(message.progress), "utf8") };
  }
}

/** State of one Config for greetings and heartbeats. */
export function activeToWire(active: ActiveState): ActiveConfigInput {
  const { configUid, version, generation, state, lastKnownGood, message } = active;
  return { configUid, version, generation, state, lastKnownGood, message };
}

/** A server's message as an event; null for the greeting. Throws KinglyError on a malformed one. */
export function toEvent(message: ServerMessage): NodeEvent | null {
  if (message.push) {
    const push = readPush(parse(message.push.document, "push"));
    return { type: "pushReceived", push, nonce: message.push.nonce };
  }
  if (message.trialOrder && message.trialOrder.length > 0) {
    return { type: "trialOrder", order: readOrder(parse(message.trialOrder, "trial_order")) };
  }
  if (message.trialCancel) {
    const { proposalUid, attempt, reason } = message.trialCancel;
    return { type: "trialCancel", proposalUid, attempt, reason };
  }
  if (message.submissionResult) {
    const { idempotencyKey, code, message: text, retry } = message.submissionResult;
    return { type: "submissionResult", idempotencyKey, code, message: text, retry };
  }
  if (message.vetoRequest) {
    const { configUid, reason, requestedBy } = message.vetoRequest;
    const version = safeUint(message.vetoRequest.version, "veto_request.version");
    return { type: "vetoRequest", configUid, version, reason, requestedBy };
  }
  return null;
}

function parse(bytes: Uint8Array, field: string): JsonValue {
  try {
    return parseStrictJson(bytes, {
      bytesMax: WIRE_MESSAGE_BYTES_MAX,
      depthMax: MESSAGE_DEPTH_MAX,
    });
  } catch (error) {
    if (!(error instanceof KinglyError)) throw error;
    throw new KinglyError(error.code, `${field}: ${error.message}`, { ...error.details, field });
  }
}

const NAME = { max: 253 };
const WHOLE = { min: 0, max: Number.MAX_SAFE_INTEGER };
const SECONDS = { min: 0, max: 1e9 };

/** Checks the parts of a push that the core counts on. */
function readPush(value: JsonValue): AssignmentPush {
  const fields = new Fields(value, "push");
  fields.text("clusterId", NAME);
  fields.text("node", NAME);
  const assignments = fields.raw("assignments");
  if (!Array.isArray(assignments)) throw malformed("push.assignments", "a list", assignments);
  for (const [i, assignment] of assignments.entries()) {
    readAssignment(new Fields(assignment, `push.assignments[${i}]`));
  }
  return value as unknown as AssignmentPush;
}

function readAssignment(fields: Fields): void {
  readReference(fields.object("config"));
  fields.text("target", NAME);
  fields.number("generation", WHOLE);
  const version = fields.number("version", WHOLE);
  if (version > 0) fields.text("contentHash", { max: 64 });
  fields.object("data");
  fields.texts("changedKeys", { min: 0, max: 10_000 });
  for (const [, rule] of fields.object("keys").entries(10_000)) {
    const key = new Fields(rule, fields.at("keys"));
    key.choice("type", ["integer", "number", "string", "boolean", "object", "array"]);
    key.number("settleSeconds", SECONDS);
  }
  const objectives = fields.raw("objectives");
  if (!Array.isArray(objectives)) throw malformed(fields.at("objectives"), "a list", objectives);
  for (const [i, objective] of objectives.entries()) {
    const one = new Fields(objective, `${fields.at("objectives")}[${i}]`);
    one.text("name", NAME);
    one.text("signal", NAME);
    one.choice("direction", ["lower", "higher"]);
    one.choice("role", ["primary", "guardrail"]);
    one.number("floor", { min: 0, max: Number.MAX_VALUE });
    one.number("weight", { min: 1e-9, max: 1e6 });
    one.number("marginRatio", { min: 1e-6, max: 1 });
  }
  readGuard(fields.object("guard"));
}

function readGuard(guard: Fields): void {
  guard.number("alphaLocal", { min: 1e-12, max: 0.5 });
  guard.number("clip", { min: 1e-6, max: 2 });
  guard.number("blockSeconds", { min: 0.01, max: 1e6 });
  guard.number("maxPairs", { min: 1, max: 10_000 });
  for (const name of [
    "washoutSeconds",
    "soakSeconds",
    "confirmDeadlineSeconds",
    "probationSeconds",
    "vetoExpirySeconds",
  ]) {
    guard.number(name, SECONDS);
  }
  if (guard.has("baseWashoutSeconds")) guard.number("baseWashoutSeconds", SECONDS);
}

/** Checks the parts of an order that the core counts on; the plan is checked by the core. */
function readOrder(value: JsonValue): TrialOrder {
  const fields = new Fields(value, "trial_order");
  readReference(fields.object("proposal"));
  readReference(fields.object("config"));
  fields.number("attempt", WHOLE);
  fields.text("target", NAME);
  fields.text("seed", { max: 64, pattern: /^[0-9a-f]{64}$/ });
  fields.text("unit", NAME);
  for (const name of ["candidate", "baseline"]) {
    const arm = fields.object(name);
    arm.object("data");
    if (name === "candidate") arm.text("hash", { max: 64 });
    else arm.number("version", WHOLE);
  }
  fields.number("blockSeconds", { min: 0.01, max: 1e6 });
  fields.number("washoutSeconds", SECONDS);
  fields.number("startedAtMs", WHOLE);
  fields.number("deadlineMs", WHOLE);
  fields.object("plan");
  for (const [name] of fields.object("signals").entries(64)) void name;
  return value as unknown as TrialOrder;
}

function readReference(fields: Fields): void {
  fields.text("namespace", NAME);
  fields.text("name", NAME);
  fields.text("uid", NAME);
}

function malformed(field: string, limit: string, value: unknown): KinglyError {
  const shown = Array.isArray(value) ? "list" : typeof value;
  return new KinglyError("InvalidField", `${field}: must be ${limit}, is ${shown}`, {
    field,
    limit,
  });
}
