// The JSON documents that travel between servers and agents inside the session's messages.
// Documents a node writes (votes, vetoes, proposals, calibrations) are signed *as bytes*:
// domain tag | cluster id | type | uid | bytes; they are verified before they are decoded.

import type { JsonObject } from "@kingly/base";
import type { KeyRule } from "./kinds/config.ts";
import type { ObjectiveSpec } from "./kinds/policy.ts";
import type { VetoCause, VoteDecision } from "./kinds/proposal.ts";

/** Names one Config. */
export interface ConfigReference {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** How a node guards a version after it applied it. */
export interface GuardPlan {
  readonly alphaLocal: number;
  readonly clip: number;
  readonly blockSeconds: number;
  readonly washoutSeconds: number;
  /**
   * The policy's own wash-out, without what this version's keys need to settle: for measurements that
   * switch other keys or none. Absent from older servers: washoutSeconds.
   */
  readonly baseWashoutSeconds?: number;
  readonly maxPairs: number;
  readonly soakSeconds: number;
  readonly confirmDeadlineSeconds: number;
  readonly probationSeconds: number;
  readonly vetoExpirySeconds: number;
}

/** An Objective as agents need it. */
export interface ObjectiveDocument extends ObjectiveSpec {
  readonly name: string;
}

/** What one node should run for one Config; pushed whole, by generation. */
export interface Assignment {
  readonly config: ConfigReference;
  readonly target: string;
  /** Rises with every change of this node's assignment; an older one is refused. */
  readonly generation: number;
  /** 0 = no version committed: the node keeps what it has (`as-found`). */
  readonly version: number;
  readonly contentHash: string;
  /** The effective content for this node (veto pins of this node already merged). */
  readonly data: JsonObject;
  /** Top-level keys that differ from the version before. */
  readonly changedKeys: readonly string[];
  readonly keys: Readonly<Record<string, KeyRule>>;
  readonly objectives: readonly ObjectiveDocument[];
  readonly guard: GuardPlan;
  readonly requiresConnectivity: boolean;
  readonly agentsMayPropose: boolean;
  /** True when this node's standing veto is why it is held on `version`. */
  readonly heldByVeto: boolean;
}

/** The whole desired state of a node, pushed with a nonce. */
export interface AssignmentPush {
  readonly clusterId: string;
  readonly node: string;
  readonly assignments: readonly Assignment[];
}

/** One content of a trial. */
export interface TrialArm {
  readonly hash: string;
  readonly data: JsonObject;
}

/** What a trial node needs to run its trial; identical on every replica. */
export interface TrialOrder {
  readonly proposal: { readonly namespace: string; readonly name: string; readonly uid: string };
  readonly attempt: number;
  readonly config: ConfigReference;
  readonly target: string;
  /** Hex, 32 bytes: coins are H(seed, unit, pair). */
  readonly seed: string;
  /** interferenceGroup or node name. */
  readonly unit: string;
  readonly candidate: TrialArm;
  readonly baseline: TrialArm & { readonly version: number };
  readonly changedKeys: readonly string[];
  readonly blockSeconds: number;
  readonly washoutSeconds: number;
  readonly startedAtMs: number;
  readonly deadlineMs: number;
  /** TrialPlan of @kingly/evidence with this node's rho per objective, as replicas will check. */
  readonly plan: JsonObject;
  /** Signal per objective name. */
  readonly signals: Readonly<Record<string, string>>;
}

/** Common to everything a node signs. */
export interface SignedHeader {
  readonly clusterId: string;
  readonly node: string;
  /** Delivered exactly once: unique per document. */
  readonly idempotencyKey: string;
  readonly writtenAtMs: number;
}

/** A vote as the node signs it. */
export interface VoteDocument extends SignedHeader {
  readonly kind: "Vote";
  readonly proposalUid: string;
  readonly attempt: number;
  readonly candidateHash: string;
  readonly baselineHash: string;
  readonly decision: VoteDecision;
  readonly reason: string;
  /** True when the node declined to measure; another node is drawn (at most twice). */
  readonly declined: boolean;
  /** TrialEvidence of @kingly/evidence. */
  readonly evidence: JsonObject;
}

/** A veto as the node signs it. */
export interface VetoDocument extends SignedHeader {
  readonly kind: "Veto";
  readonly configUid: string;
  readonly version: number;
  readonly contentHash: string;
  readonly cause: Exclude<VetoCause, "Voted">;
  readonly message: string;
  readonly pinnedKeys: readonly string[];
  /** TrialPlan the guard used (harm process at alphaLocal, the objective's margin). */
  readonly plan: JsonObject;
  readonly evidence: JsonObject;
  /** Version it runs instead; 0 = as-found. */
  readonly runsVersion: number;
  readonly expiresAtMs: number;
  /** Milliseconds from the evidence to the beginning of the revert. */
  readonly revertDelayMs: number;
}

/** A proposal from a node's own measurements, as it signs it. */
export interface ProposalDocument extends SignedHeader {
  readonly kind: "Proposal";
  readonly configUid: string;
  readonly baseVersion: number;
  readonly patch: JsonObject;
  readonly reason: string;
  readonly plan: JsonObject;
  readonly evidence: JsonObject;
}

/** A node's noise, as it signs it. */
export interface CalibrationDocument extends SignedHeader {
  readonly kind: "Calibration";
  readonly signals: Readonly<
    Record<string, { readonly standardDeviation: number; readonly pairs: number }>
  >;
}

/** Everything a node signs. */
export type SignedDocument = VoteDocument | VetoDocument | ProposalDocument | CalibrationDocument;

/** Soft state: how far a trial is on one node. Never replicated, shown to people. */
export interface TrialProgress {
  readonly node: string;
  readonly proposalUid: string;
  readonly pairs: number;
  readonly droppedPairs: number;
  readonly objectives: readonly {
    readonly objective: string;
    readonly lnHarm: number;
    readonly lnNonInferior: number;
    readonly lnImprovement: number;
    readonly meanLogRatio: number;
  }[];
}
