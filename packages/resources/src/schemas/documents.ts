// Schemas of the documents that nodes sign. Unknown fields are refused: what replicas agree on is
// exactly what was signed.

import { NODES_MAX } from "../limits.ts";
import { anyObject, flag, integer, number, oneOf, struct, text } from "../schema/types.ts";
import type { ObjectSchema, Schema } from "../schema/types.ts";
import { keyNames } from "./config.ts";
import { calibrationMap, nodeName } from "./fleet.ts";
import { message, timeMs, uid } from "./meta.ts";
import { DOCUMENT_VETO_CAUSES, VOTE_DECISIONS, idempotencyKey } from "./proposal.ts";

/** Kinds of signed documents. */
export type DocumentKind = "Vote" | "Veto" | "Proposal" | "Calibration";

function signed(kind: DocumentKind, fields: Readonly<Record<string, Schema>>): ObjectSchema {
  return struct(`A ${kind} that a node signed.`, {
    kind: oneOf("Kind of the document.", [kind]),
    clusterId: uid("Cluster it was written for."),
    node: nodeName("Node that wrote it."),
    idempotencyKey: idempotencyKey(),
    writtenAtMs: timeMs("When it was written, by the node's clock."),
    ...fields,
  });
}

const DOCUMENTS: Readonly<Record<DocumentKind, ObjectSchema>> = {
  Vote: signed("Vote", {
    proposalUid: uid("Uid of the Proposal."),
    attempt: integer("Number of the trial.", { maximum: NODES_MAX }),
    candidateHash: text("Content that was tried.", { format: "sha256" }),
    baselineHash: text("Content it was compared with.", { format: "sha256-or-empty" }),
    decision: oneOf("The answer.", VOTE_DECISIONS),
    reason: message("Why."),
    declined: flag("Whether the node declined to measure."),
    evidence: anyObject("What was measured."),
  }),
  Veto: signed("Veto", {
    configUid: uid("Uid of the Config."),
    version: integer("Version that is rejected.", { minimum: 1 }),
    contentHash: text("Content that is rejected.", { format: "sha256" }),
    cause: oneOf("What led to it.", DOCUMENT_VETO_CAUSES),
    message: message("Why, as a sentence."),
    pinnedKeys: keyNames("Keys that the node keeps at their former values."),
    plan: anyObject("Plan of the guard."),
    evidence: anyObject("What was measured."),
    runsVersion: integer("Version it runs instead; 0 = what it was found with."),
    expiresAtMs: timeMs("When the veto ends."),
    revertDelayMs: number("Milliseconds from the evidence to the revert.", { minimum: 0 }),
  }),
  Proposal: signed("Proposal", {
    configUid: uid("Uid of the Config."),
    baseVersion: integer("Version the change was made against."),
    patch: anyObject("Merge patch of the content."),
    reason: { ...message("Why."), minLength: 1 },
    plan: anyObject("Plan of the experiment."),
    evidence: anyObject("What was measured."),
  }),
  Calibration: signed("Calibration", {
    signals: calibrationMap("Noise per signal."),
  }),
};

/** The schema of a signed document. */
export function documentSchema(kind: DocumentKind): ObjectSchema {
  return DOCUMENTS[kind];
}
