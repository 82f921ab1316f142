// What goes into the node's core (events) and what comes out (effects). The core owns no clock, disk,
// socket or process: an adapter turns the world into events and carries effects out in their order.
// The simulator is such an adapter too.

import type { Crypto, JsonObject, Prng } from "@kingly/base";
import type { AssignmentPush, TrialOrder, TrialProgress } from "@kingly/resources";

/** One content of a target. */
export interface Content {
  /** Committed version; 0 = what was found, or the candidate of a trial or of the tuner. */
  readonly version: number;
  /** Hex sha256 of the canonical data, or of the bytes found. */
  readonly hash: string;
  readonly data: JsonObject;
  /** Base64 of bytes found that are no JSON document of ours; only on `as-found` contents. */
  readonly raw?: string;
}

/** Why a content is applied. */
export type ApplyReason = "restore" | "rollout" | "revert" | "trial" | "guard" | "tuner" | "stop";

/** Values of one block per signal; null is an empty block. */
export type SampleValues = Readonly<Record<string, number | null>>;

/** What the node's owner allows the tuner. */
export interface TunerLimits {
  readonly enabled: boolean;
  /** Targets the tuner may touch. */
  readonly targets: readonly string[];
  /** Keys it may touch, in the order to try; empty = every tunable key. */
  readonly keys: readonly string[];
  /** Least time between two proposals, and between two fruitless sweeps, in ms. */
  readonly minIntervalMs: number;
  /** Bounds of what is explored, by key; they bind nobody but the tuner. */
  readonly limits?: Readonly<Record<string, OwnerKeyLimit>>;
}

/** The owner's own bounds for one top-level key of a target. */
export interface OwnerKeyLimit {
  readonly minimum?: number;
  readonly maximum?: number;
}

/** Fixed for the life of a core. */
export interface NodeCoreOptions {
  readonly clusterId: string;
  readonly node: string;
  /** Bound targets. */
  readonly targets: readonly string[];
  /** Bound signals. */
  readonly signals: readonly string[];
  /** Owner's bounds by target and key. */
  readonly ownerLimits: Readonly<Record<string, Readonly<Record<string, OwnerKeyLimit>>>>;
  /** Owner's own margin by signal, ratio; the smaller of it and the policy's counts. */
  readonly ownerMargins: Readonly<Record<string, number>>;
  readonly tuner: TunerLimits;
  readonly crypto: Pick<Crypto, "sha256">;
  readonly prng: Prng;
}

/** Everything that can happen to a node. */
export type NodeEvent =
  /** The disk was read; text of the last persisted record, or null on a first start. */
  | { readonly type: "started"; readonly record: string | null }
  /** Answer to `capture`: what a target that we never touched runs at this moment. */
  | { readonly type: "captured"; readonly target: string; readonly content: Content }
  | { readonly type: "pushReceived"; readonly push: AssignmentPush; readonly nonce: string }
  | { readonly type: "trialOrder"; readonly order: TrialOrder }
  | {
      readonly type: "trialCancel";
      readonly proposalUid: string;
      readonly attempt: number;
      readonly reason: string;
    }
  | {
      readonly type: "submissionResult";
      readonly idempotencyKey: string;
      /** "" = accepted. */
      readonly code: string;
      readonly message: string;
      readonly retry: boolean;
    }
  | { readonly type: "connected"; readonly heartbeatMs: number }
  | { readonly type: "disconnected" }
  | { readonly type: "samples"; readonly block: number; readonly values: SampleValues }
  | { readonly type: "checkPassed"; readonly token: number }
  | { readonly type: "checkFailed"; readonly token: number; readonly message: string }
  | { readonly type: "applyDone"; readonly token: number }
  | { readonly type: "applyFailed"; readonly token: number; readonly message: string }
  | { readonly type: "diskWritten"; readonly seq: number }
  | {
      readonly type: "tripwire";
      readonly name: string;
      readonly target: string;
      readonly message: string;
    }
  | { readonly type: "fileEdited"; readonly target: string; readonly message: string }
  | { readonly type: "editCleared"; readonly target: string }
  | {
      readonly type: "vetoRequest";
      readonly configUid: string;
      readonly version: number;
      readonly reason: string;
      readonly requestedBy: string;
    }
  /** A graceful stop: end on a last known good content, then answer with `stopped`. */
  | { readonly type: "stopping" }
  | { readonly type: "tick" };

/** State of one Config on the node, as servers and people see it. */
export interface ActiveState {
  readonly configUid: string;
  readonly config: string;
  /** Version that is meant to run; 0 = as-found. */
  readonly version: number;
  readonly generation: number;
  readonly state:
    "pending" | "received" | "applied" | "confirmed" | "vetoed" | "failed" | "trial" | "overridden";
  readonly lastKnownGood: number;
  readonly message: string;
}

/** State of an acknowledgement. */
export type AckState = "RECEIVED" | "APPLIED" | "CONFIRMED";

/** Why an assignment was refused. */
export type NackReason =
  "Unbound" | "CheckFailed" | "SchemaViolation" | "ApplyFailed" | "WrongCluster" | "OldGeneration";

/** Identifies the assignment that an answer speaks of. */
export interface AnswerHeader {
  readonly nonce: string;
  readonly configUid: string;
  readonly version: number;
  readonly generation: number;
}

/** What a node says to the servers. */
export type OutgoingMessage =
  | (AnswerHeader & { readonly type: "ack"; readonly state: AckState })
  | (AnswerHeader & {
      readonly type: "nack";
      readonly reason: NackReason;
      readonly message: string;
      readonly lastGoodVersion: number;
    })
  | {
      readonly type: "heartbeat";
      readonly active: readonly ActiveState[];
      readonly clockMs: number;
    }
  /** To be signed as bytes (UTF-8 of `document`) and sent; signing is deterministic. */
  | {
      readonly type: "submission";
      readonly kind: DocumentKind;
      readonly idempotencyKey: string;
      readonly document: string;
    }
  | { readonly type: "progress"; readonly progress: TrialProgress };

/** Kinds of signed documents. */
export type DocumentKind = "Vote" | "Veto" | "Proposal" | "Calibration";

/** One line for people and live views. */
export interface NodeLog {
  readonly level: "debug" | "info" | "warn" | "error";
  /** CamelCase, stable, for machines. */
  readonly event: string;
  /** A sentence, for people. */
  readonly message: string;
  readonly fields: JsonObject;
}

/** What the core asks its adapter to do, in this order. */
export type Effect =
  /** Write the record so that it survives a crash, then answer `diskWritten` with its seq. */
  | { readonly type: "persist"; readonly seq: number; readonly record: string }
  /** Read what the target runs, as often as it takes, and answer `captured`. */
  | { readonly type: "capture"; readonly target: string }
  /** Try a content without applying it; answer `checkPassed` or `checkFailed`. */
  | {
      readonly type: "check";
      readonly token: number;
      readonly target: string;
      readonly content: Content;
    }
  /** Apply; answer `applyDone` or `applyFailed`. One at a time per target. */
  | {
      readonly type: "apply";
      readonly token: number;
      readonly target: string;
      readonly content: Content;
      readonly why: ApplyReason;
    }
  | {
      readonly type: "startBlock";
      readonly block: number;
      readonly target: string;
      readonly signals: readonly string[];
    }
  /** End of a block; answer `samples`. */
  | { readonly type: "endBlock"; readonly block: number }
  | { readonly type: "cancelBlock"; readonly block: number }
  | { readonly type: "send"; readonly message: OutgoingMessage }
  | ({ readonly type: "log" } & NodeLog)
  | { readonly type: "stopped" };
