// Proposal, Vote, Veto: a wish, the nodes' answers to it, and their rejection after commit.

import type { JsonObject } from "@kingly/base";
import type { ApiObject, Condition } from "../meta.ts";

/** Transitions happen only in `apply`; see docs/internals/decision.md for the diagram. */
export type ProposalPhase =
  | "Pending"
  | "Validated"
  | "AwaitingApproval"
  | "Trialing"
  | "Voting"
  | "Committed"
  | "Rejected"
  | "Inconclusive"
  | "Expired"
  | "Withdrawn"
  | "Superseded"
  | "Denied"
  | "RollingOut"
  | "Completed"
  | "RolledBack";

/** Where a proposal comes from. */
export interface ProposalSource {
  readonly type: "human" | "ci" | "agent" | "model";
  /** Who: user, repository, node or model name. */
  readonly name: string;
  readonly commit?: string;
  readonly url?: string;
  /** What an automated source measured (TrialEvidence and its plan), shown, never trusted. */
  readonly evidence?: JsonObject;
}

/** Immutable. Exactly one of `patch` (RFC 7386) and `data` (whole content) is given. */
export interface ProposalSpec {
  readonly config: string;
  /** Version the change was made against; 0 = before the first version. */
  readonly baseVersion: number;
  readonly patch?: JsonObject;
  readonly data?: JsonObject;
  readonly reason: string;
  readonly source: ProposalSource;
  readonly idempotencyKey: string;
}

/** One class's votes, as numbers of nodes, and what they amount to. */
export interface ClassTally {
  readonly class: string;
  readonly accept: number;
  readonly reject: number;
  readonly abstain: number;
  readonly meanHarmE: number;
  readonly outcome: "accepts" | "rejects" | "undecided";
}

/** The replicated decision over all votes, with the rules it followed. */
export interface Verdict {
  readonly outcome: "Accepted" | "Rejected" | "Inconclusive";
  readonly reason: string;
  readonly message: string;
  readonly votes: { readonly accept: number; readonly reject: number; readonly abstain: number };
  /** Share of the electorate's weight that did not abstain, 0 to 1, and what was asked. */
  readonly quorum: { readonly share: number; readonly required: number };
  readonly classes: readonly ClassTally[];
  readonly alpha: number;
  readonly beta: number;
}

/** What a TrialStart entry fixed for all replicas and trial nodes. */
export interface ProposalTrial {
  readonly attempt: number;
  /** Hex, 32 bytes. */
  readonly seed: string;
  readonly startedAtMs: number;
  readonly deadlineMs: number;
  readonly nodes: readonly string[];
  readonly candidateHash: string;
  readonly baselineHash: string;
  readonly baselineVersion: number;
  readonly changedKeys: readonly string[];
  readonly blockSeconds: number;
  readonly washoutSeconds: number;
  readonly maxPairs: number;
}

/** Where a proposal stands. */
export interface ProposalStatus {
  readonly phase: ProposalPhase;
  readonly reason: string;
  readonly message: string;
  readonly candidateHash: string;
  readonly changedKeys: readonly string[];
  readonly trial?: ProposalTrial;
  readonly verdict?: Verdict;
  /** 0 = not committed. */
  readonly committedVersion: number;
  readonly rollout?: string;
  readonly conditions: readonly Condition[];
}

/** A wish to change a Config. */
export type Proposal = ApiObject<ProposalSpec, ProposalStatus>;

/** What a node answered. */
export type VoteDecision = "Accept" | "Reject" | "Abstain";

/** Named `<proposal>-a<attempt>-<node>`; spec holds the decoded signed document. */
export interface VoteSpec {
  readonly node: string;
  readonly class: string;
  readonly proposal: string;
  readonly proposalUid: string;
  readonly attempt: number;
  readonly candidateHash: string;
  readonly baselineHash: string;
  readonly decision: VoteDecision;
  readonly reason: string;
  /** TrialEvidence of @kingly/evidence. */
  readonly evidence: JsonObject;
  /** The bytes that were signed and the signature, both base64. */
  readonly document: string;
  readonly signature: string;
}

/** One node's signed answer to a proposal. */
export type Vote = ApiObject<VoteSpec, JsonObject>;

/** Why a node rejects a committed version. */
export type VetoCause = "Voted" | "Regression" | "Tripwire" | "Unappliable" | "Manual";

/** Named `<config>-v<version>-<node>`. */
export interface VetoSpec {
  readonly node: string;
  readonly class: string;
  readonly config: string;
  readonly configUid: string;
  readonly version: number;
  readonly cause: VetoCause;
  readonly message: string;
  readonly pinnedKeys: readonly string[];
  /** ln E of the harm process at its stopping time; 0 when no process was involved. */
  readonly lnE: number;
  readonly evidence: JsonObject;
  /** Version the node runs instead; 0 = the as-found content. */
  readonly runsVersion: number;
  readonly expiresAtMs: number;
  readonly document: string;
  readonly signature: string;
}

/** One node's signed rejection of a committed version. */
export type Veto = ApiObject<VetoSpec, JsonObject>;
