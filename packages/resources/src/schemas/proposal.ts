// Schemas of Proposal, Vote and Veto.

import {
  DOCUMENT_BYTES_MAX,
  IDEMPOTENCY_KEY_CHARS_MAX,
  KEYS_MAX,
  MESSAGE_CHARS_MAX,
  NODES_MAX,
  TRIAL_PAIRS_MAX,
} from "../limits.ts";
import { anyObject, integer, list, number, oneOf, struct, text } from "../schema/types.ts";
import type { ObjectSchema, StringSchema } from "../schema/types.ts";
import { keyNames } from "./config.ts";
import { conditions, message, reference, timeMs, uid } from "./meta.ts";

/** Base64 characters that the largest signed document takes. */
const DOCUMENT_BASE64_CHARS_MAX = 4 * Math.ceil(DOCUMENT_BYTES_MAX / 3);

/** Length of a base64 Ed25519 signature (64 bytes). */
const SIGNATURE_CHARS = 88;

/** All phases of a Proposal, in the order of its life. */
export const PROPOSAL_PHASES: readonly string[] = [
  "Pending",
  "Validated",
  "AwaitingApproval",
  "Trialing",
  "Voting",
  "Committed",
  "Rejected",
  "Inconclusive",
  "Expired",
  "Withdrawn",
  "Superseded",
  "Denied",
  "RollingOut",
  "Completed",
  "RolledBack",
];

/** What a node may vote. */
export const VOTE_DECISIONS: readonly string[] = ["Accept", "Reject", "Abstain"];

/** What a node may veto for; Voted is set by the commit itself, never by a document. */
export const DOCUMENT_VETO_CAUSES: readonly string[] = [
  "Regression",
  "Tripwire",
  "Unappliable",
  "Manual",
];

/** A key that makes repeated delivery harmless. */
export function idempotencyKey(): StringSchema {
  return text("Makes repetition harmless: equal keys are one proposal.", {
    minLength: 1,
    maxLength: IDEMPOTENCY_KEY_CHARS_MAX,
    format: "printable-ascii",
  });
}

const source: ObjectSchema = struct(
  "Where the change comes from.",
  {
    type: oneOf("What kind of author.", ["human", "ci", "agent", "model"], { default: "human" }),
    name: text("User, repository, node or model; the caller's name when empty.", {
      maxLength: 253,
      default: "",
    }),
    commit: text("Commit of the repository.", { maxLength: 128, format: "printable-ascii" }),
    url: text("Page of the change.", { maxLength: 2_048, format: "printable-ascii" }),
    evidence: anyObject("What an automated source measured; shown, never trusted."),
  },
  { optional: ["commit", "url", "evidence"], default: {} },
);

export const proposalSpec: ObjectSchema = struct(
  "A wished change; immutable.",
  {
    config: reference("Name of the Config in the same namespace."),
    baseVersion: integer(
      "Version the change was made against; 0 = before the first; when absent the newest.",
    ),
    patch: anyObject("Merge patch (RFC 7386) of the content; exactly one of patch and data."),
    data: anyObject("The whole new content; exactly one of patch and data."),
    reason: text("Why; shown to everyone who decides.", {
      minLength: 1,
      maxLength: MESSAGE_CHARS_MAX,
    }),
    source,
    idempotencyKey: idempotencyKey(),
  },
  // Admission fills baseVersion and idempotencyKey when the client left them out.
  { optional: ["patch", "data", "baseVersion", "idempotencyKey"] },
);

const hash = (description: string): StringSchema => text(description, { format: "sha256" });
const hashOrEmpty = (description: string): StringSchema =>
  text(description, { format: "sha256-or-empty" });
const share = (description: string): ReturnType<typeof number> =>
  number(description, { minimum: 0, maximum: 1 });

const tally: ObjectSchema = struct("Votes of one class.", {
  class: text("Class of nodes."),
  accept: number("Weight or votes for.", { minimum: 0 }),
  reject: number("Weight or votes against.", { minimum: 0 }),
  abstain: number("Weight or votes without a decision.", { minimum: 0 }),
  meanHarmE: number("Mean evidence of harm.", { minimum: 0 }),
  outcome: oneOf("What the class says.", ["accepts", "rejects", "undecided"]),
});

const verdict: ObjectSchema = struct("The decision and how it came about.", {
  outcome: oneOf("The decision.", ["Accepted", "Rejected", "Inconclusive"]),
  reason: text("Why, in CamelCase."),
  message: message("Why, as a sentence."),
  votes: struct("Votes of the whole electorate.", {
    accept: integer("Votes for."),
    reject: integer("Votes against."),
    abstain: integer("Votes without a decision."),
  }),
  quorum: struct("How much of the electorate decided.", {
    share: share("Share of weight that did not abstain."),
    required: share("Share that was needed."),
  }),
  classes: list("Votes per class.", tally, { maxItems: NODES_MAX }),
  alpha: share("Level of false rejections."),
  beta: share("Level of false acceptances."),
});

const trial: ObjectSchema = struct("The trial under way or done.", {
  attempt: integer("Number of the trial of this proposal, from 1."),
  seed: text("Hex of 32 bytes that every coin is drawn from.", { format: "sha256" }),
  startedAtMs: timeMs("When it began."),
  deadlineMs: timeMs("When voting ends."),
  nodes: list("Nodes asked to measure.", text("Name of the node."), {
    maxItems: NODES_MAX,
    listType: "set",
  }),
  candidateHash: hash("Content that is tried."),
  baselineHash: hashOrEmpty("Content it is compared with; empty when none was committed."),
  baselineVersion: integer("Version it is compared with."),
  changedKeys: keyNames("Top-level keys that differ."),
  blockSeconds: number("Length of a block.", { minimum: 0 }),
  washoutSeconds: number("Length of a wash-out.", { minimum: 0 }),
  maxPairs: integer("Most pairs of blocks.", { maximum: TRIAL_PAIRS_MAX }),
});

export const proposalStatus: ObjectSchema = struct(
  "How the change fares.",
  {
    phase: oneOf("Where it stands.", PROPOSAL_PHASES),
    reason: text("Why, in CamelCase."),
    message: message("Why, as a sentence."),
    candidateHash: hashOrEmpty("Content that is proposed."),
    changedKeys: keyNames("Top-level keys it changes."),
    trial,
    verdict,
    committedVersion: integer("Version it became; 0 = none."),
    rollout: text("Rollout that carries it."),
    conditions: conditions(),
  },
  { optional: ["trial", "verdict", "rollout"] },
);

const document = {
  document: text("The bytes that the node signed, base64.", {
    maxLength: DOCUMENT_BASE64_CHARS_MAX,
    format: "base64",
  }),
  signature: text("Ed25519 signature over them, base64.", {
    maxLength: SIGNATURE_CHARS,
    format: "base64",
  }),
};

export const voteSpec: ObjectSchema = struct("A node's answer to a proposal.", {
  node: reference("Name of the node."),
  class: text("Class of the node."),
  proposal: reference("Name of the Proposal."),
  proposalUid: uid("Uid of the Proposal."),
  attempt: integer("Number of the trial."),
  candidateHash: hash("Content that was tried."),
  baselineHash: hashOrEmpty("Content it was compared with."),
  decision: oneOf("The answer.", VOTE_DECISIONS),
  reason: message("Why."),
  evidence: anyObject("What was measured."),
  ...document,
});

export const vetoSpec: ObjectSchema = struct("A node's rejection of a committed version.", {
  node: reference("Name of the node."),
  class: text("Class of the node."),
  config: reference("Name of the Config."),
  configUid: uid("Uid of the Config."),
  version: integer("Version that is rejected.", { minimum: 1 }),
  cause: oneOf("What led to it.", ["Voted", ...DOCUMENT_VETO_CAUSES]),
  message: message("Why, as a sentence."),
  pinnedKeys: list("Keys that the node keeps at their former values.", text("Key."), {
    maxItems: KEYS_MAX,
    listType: "set",
  }),
  lnE: number("Natural logarithm of the evidence of harm; 0 when none was gathered."),
  evidence: anyObject("What was measured."),
  runsVersion: integer("Version the node runs instead; 0 = what it was found with."),
  expiresAtMs: timeMs("When the veto ends."),
  ...document,
});
