// Checks what an agent says before anything is done with it: counts, lengths, whole numbers. Reports
// are soft; a report that breaks a limit ends the session with the field's name.

import { KinglyError, isJsonObject, parseStrictJson } from "@kingly/base";
import type { JsonValue } from "@kingly/base";
import { safeUint } from "@kingly/protocol";
import type { ActiveConfig, Hello, Submission } from "@kingly/protocol";
import type { TrialProgress } from "@kingly/resources";
import type { ActiveConfigReport, WriteRequest } from "../../replica/replica.ts";
import { PROGRESS_BYTES_MAX, REPORTED_CHARS_MAX, REPORTED_ITEMS_MAX } from "../limits.ts";

const MESSAGE_CHARS_MAX = 1_024;

/** What a Hello says, checked. */
export interface Introduction {
  readonly incarnation: number;
  readonly agentVersion: string;
  readonly targets: readonly string[];
  readonly signals: readonly string[];
  readonly active: readonly ActiveConfigReport[];
}

function tooMany(field: string, limit: number, value: number): KinglyError {
  return new KinglyError("InvalidField", `${field}: ${value} exceeds the limit of ${limit}`, {
    field,
    limit,
    value,
  });
}

function short(field: string, text: string): string {
  if (text.length > REPORTED_CHARS_MAX) throw tooMany(field, REPORTED_CHARS_MAX, text.length);
  return text;
}

function names(field: string, list: readonly string[]): readonly string[] {
  if (list.length > REPORTED_ITEMS_MAX) throw tooMany(field, REPORTED_ITEMS_MAX, list.length);
  return [...new Set(list.map((name) => short(field, name)))].toSorted();
}

/** Reports of what runs on the node. */
export function activeReports(list: readonly ActiveConfig[]): readonly ActiveConfigReport[] {
  if (list.length > REPORTED_ITEMS_MAX) throw tooMany("active", REPORTED_ITEMS_MAX, list.length);
  return list.map((one) => ({
    configUid: short("active.configUid", one.configUid),
    version: safeUint(one.version, "active.version"),
    generation: safeUint(one.generation, "active.generation"),
    state: short("active.state", one.state),
    lastKnownGood: safeUint(one.lastKnownGood, "active.lastKnownGood"),
    message: one.message.slice(0, MESSAGE_CHARS_MAX),
  }));
}

/** Checks the first message of a session against the certificate. WrongCluster, WrongNode. */
export function checkHello(
  hello: Hello,
  expected: { readonly clusterId: string; readonly node: string },
): Introduction {
  if (hello.clusterId !== expected.clusterId) {
    throw new KinglyError("WrongCluster", "the agent belongs to another cluster", {
      field: "clusterId",
      limit: expected.clusterId,
      value: hello.clusterId.slice(0, 80),
    });
  }
  if (hello.node !== expected.node) {
    throw new KinglyError("WrongNode", `the certificate is of ${expected.node}`, {
      field: "node",
      limit: expected.node,
      value: hello.node.slice(0, 80),
    });
  }
  return {
    incarnation: safeUint(hello.incarnation, "incarnation"),
    agentVersion: short("agentVersion", hello.agentVersion),
    targets: names("targets", hello.targets),
    signals: names("signals", hello.signals),
    active: activeReports(hello.active),
  };
}

const COMMANDS: Readonly<Record<string, WriteRequest["command"]>> = {
  Vote: "vote",
  Veto: "veto",
  Proposal: "agent-proposal",
  Calibration: "calibration",
};

/** The command of a signed document; its author and cluster are checked, its signature later. */
export function submissionRequest(
  submission: Submission,
  expected: { readonly clusterId: string; readonly node: string },
): WriteRequest {
  const { kind, document, signature, idempotencyKey } = submission;
  const command = Object.hasOwn(COMMANDS, kind) ? COMMANDS[kind] : undefined;
  if (command === undefined) {
    throw new KinglyError("UnknownKind", `agents do not write "${kind.slice(0, 40)}"`, {
      field: "kind",
      limit: Object.keys(COMMANDS).join(", "),
      value: kind.slice(0, 40),
    });
  }
  const value = parseStrictJson(document, { bytesMax: PROGRESS_BYTES_MAX });
  const fields = isJsonObject(value) ? value : {};
  for (const [field, wanted, code] of [
    ["kind", kind, "InvalidField"],
    ["clusterId", expected.clusterId, "WrongCluster"],
    ["node", expected.node, "WrongNode"],
    ["idempotencyKey", idempotencyKey, "InvalidField"],
  ] as const) {
    const given = fields[field];
    if (given === wanted) continue;
    throw new KinglyError(code, `${field}: must be "${wanted}" in a document of this session`, {
      field,
      limit: wanted,
      value: typeof given === "string" ? given.slice(0, 80) : "",
    });
  }
  return {
    command,
    body: new Uint8Array(document),
    signature: new Uint8Array(signature),
    idempotencyKey,
  };
}

function isNumber(value: JsonValue | undefined): boolean {
  return typeof value === "number";
}

const OBJECTIVE_NUMBERS = ["lnHarm", "lnNonInferior", "lnImprovement", "meanLogRatio"];

function isObjective(value: JsonValue): boolean {
  if (!isJsonObject(value) || typeof value["objective"] !== "string") return false;
  return OBJECTIVE_NUMBERS.every((field) => isNumber(value[field]));
}

/** The progress of a trial on the session's node. InvalidField, WrongNode. */
export function checkProgress(bytes: Uint8Array, node: string): TrialProgress {
  const value = parseStrictJson(bytes, { bytesMax: PROGRESS_BYTES_MAX });
  const fields = isJsonObject(value) ? value : {};
  if (fields["node"] !== node) {
    throw new KinglyError("WrongNode", `trialProgress.node: must be ${node}`, {
      field: "trialProgress.node",
      limit: node,
    });
  }
  const { objectives, proposalUid, pairs, droppedPairs } = fields;
  const whole = isNumber(pairs) && isNumber(droppedPairs) && typeof proposalUid === "string";
  const list: readonly JsonValue[] = Array.isArray(objectives) ? objectives : [];
  if (whole && Array.isArray(objectives) && list.every(isObjective)) {
    return fields as unknown as TrialProgress;
  }
  throw new KinglyError("InvalidField", "trialProgress: is not a TrialProgress document", {
    field: "trialProgress",
  });
}
