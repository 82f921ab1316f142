// What must survive: one JSON record, written whole. It names every content that the node may have to
// go back to, the version it has not confirmed yet, the trial it is in, its vetoes and its unsent
// documents. Whatever is not in here (a running pair, a block, the tuner's candidate) is lost by
// a stop on purpose: the next start begins on a last known good content.

import { KinglyError } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import type { TrialPlan, TrialState } from "@kingly/evidence";
import type { Assignment, ConfigReference, VetoCause } from "@kingly/resources";
import type { Content, DocumentKind, NackReason } from "./types.ts";

/** A version that was received and checked, and is not confirmed yet. */
export interface PendingVersion {
  readonly content: Content;
  readonly generation: number;
  readonly nonce: string;
  /** When it was checkpointed. */
  readonly receivedAtMs: number;
  /** When it was applied; 0 = not yet. */
  appliedAtMs: number;
  /** Starts of the agent that found it unconfirmed. */
  starts: number;
}

/** A content that passed its guard. */
export interface ConfirmedContent {
  readonly content: Content;
  readonly confirmedAtMs: number;
}

/** Level of one objective before a version was applied; log scale, up is worse. */
export interface DriftLevel {
  readonly mean: number;
  readonly standardDeviation: number;
}

/** The guard of one version: its evidence is resumed, never restarted. */
export interface GuardRecord {
  readonly version: number;
  readonly hash: string;
  readonly plan: TrialPlan;
  trial: TrialState;
  /** Switchbacks begun. */
  sessions: number;
  /** Pairs spent since the alarm that is being looked into; 0 once it is settled. */
  alarmPairs?: number;
  /** By objective; absent where there is no history, learned anew after every settled alarm. */
  levels: Readonly<Record<string, DriftLevel>>;
}

/** One veto of this node. */
export interface VetoRecord {
  readonly version: number;
  readonly hash: string;
  readonly cause: Exclude<VetoCause, "Voted">;
  readonly expiresAtMs: number;
  /** Value per pinned key; an absent key in the content is pinned as null. */
  readonly pins: Readonly<Record<string, JsonValue>>;
  /** Version that changed a pinned key later and was confirmed here: from it on the pin is lifted. */
  readonly lifted?: Readonly<Record<string, number>>;
}

/** Why an assigned version was given up, short of a veto. */
export interface SlotFailure {
  readonly reason: NackReason;
  readonly message: string;
  /** True: the next push of the same assignment tries again. */
  readonly retry: boolean;
}

/** Everything about one Config on this node. */
export interface SlotState {
  config: ConfigReference;
  readonly target: string;
  assignment: Assignment | null;
  nonce: string;
  /** What ran before the node was managed; read anew at every start until we touch the target. */
  asFound: Content;
  /** Newest first, at most three. */
  confirmed: ConfirmedContent[];
  pending: PendingVersion | null;
  guard: GuardRecord | null;
  vetoes: VetoRecord[];
  /** True once we may have changed the target. */
  touched: boolean;
  orphaned: boolean;
  overridden: boolean;
  /** Why the assigned version does not run; null = no failure. */
  failure: SlotFailure | null;
  /** When a veto or failure last moved the node back; 0 = never. */
  revertedAtMs: number;
}

/** Marks a trial as running: found at a start, it is an Abstain. */
export interface TrialMarker {
  readonly proposalUid: string;
  readonly attempt: number;
  readonly configUid: string;
  readonly candidateHash: string;
  readonly baselineHash: string;
  readonly plan: TrialPlan;
}

/** A document on its way to a server. */
export interface OutboxEntry {
  readonly kind: DocumentKind;
  readonly idempotencyKey: string;
  readonly document: string;
}

/** Noise of one signal. */
export interface SignalNoise {
  readonly standardDeviation: number;
  readonly pairs: number;
}

/** What the tuner remembers. */
export interface TunerMemory {
  /** Not before this time. */
  notBeforeMs: number;
  /** Config and version that `tried` speaks of. */
  base: string;
  /** `key=value` that was tried, harmful, futile or proposed. */
  tried: string[];
}

/** The whole record. */
export interface DiskState {
  readonly format: 1;
  readonly clusterId: string;
  readonly node: string;
  /** Random name of this record: keys of a node whose disk was lost must not repeat old ones. */
  instance: string;
  /** Rises with every start. */
  incarnation: number;
  /** By config uid. */
  slots: Record<string, SlotState>;
  trial: TrialMarker | null;
  /** `uid/attempt`, oldest first. */
  voted: string[];
  outbox: OutboxEntry[];
  /** Numbers documents of this node. */
  documents: number;
  noise: Record<string, SignalNoise>;
  /** 0 = never. */
  calibratedAtMs: number;
  tuner: TunerMemory;
}

/** The record of a node that was never started. */
export function emptyDiskState(clusterId: string, node: string): DiskState {
  return {
    format: 1,
    clusterId,
    node,
    instance: "",
    incarnation: 0,
    slots: {},
    trial: null,
    voted: [],
    outbox: [],
    documents: 0,
    noise: {},
    calibratedAtMs: 0,
    tuner: { notBeforeMs: 0, base: "", tried: [] },
  };
}

/** Text of a record; decoded by `decodeDiskState`. */
export function encodeDiskState(state: DiskState): string {
  return JSON.stringify(state);
}

/**
 * Reads a record that `encodeDiskState` wrote. The adapter has already proved the bytes intact, so
 * this refuses what a person could do wrong: another format, another cluster, another node.
 */
export function decodeDiskState(text: string, clusterId: string, node: string): DiskState {
  const state = parse(text) as unknown as DiskState;
  if (state.format !== 1 || typeof state.slots !== "object" || !Array.isArray(state.outbox)) {
    throw new KinglyError("Corrupted", "the node's state record has an unknown format", {
      field: "format",
      limit: 1,
      value: String(state.format),
    });
  }
  if (state.clusterId !== clusterId) {
    throw new KinglyError("WrongCluster", "the state folder belongs to another cluster", {
      field: "clusterId",
      limit: clusterId,
      value: state.clusterId,
    });
  }
  if (state.node !== node) {
    throw new KinglyError("WrongNode", "the state folder belongs to another node", {
      field: "node",
      limit: node,
      value: state.node,
    });
  }
  return state;
}

function parse(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new KinglyError("Corrupted", "the node's state record is not JSON", {}, { cause: error });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new KinglyError("Corrupted", "the node's state record is not an object");
  }
  return value as JsonObject;
}

/** The content that is meant to run while nothing is tried: newest confirmed, else as-found. */
export function lastKnownGood(slot: SlotState): Content {
  return slot.confirmed[0]?.content ?? slot.asFound;
}

/** The content meant to run now: the pending version once it is there, else the last known good. */
export function activeContent(slot: SlotState): Content {
  return slot.pending?.content ?? lastKnownGood(slot);
}

/** Where a failure of the active content leads: the confirmed one before it, else as-found. */
export function revertTarget(slot: SlotState): Content {
  if (slot.pending !== null) return lastKnownGood(slot);
  return slot.confirmed[1]?.content ?? slot.asFound;
}

/** Whether the newest confirmed content is still in its probation. */
export function inProbation(slot: SlotState, nowMs: number): boolean {
  const newest = slot.confirmed[0];
  if (newest === undefined || slot.pending !== null || slot.assignment === null) return false;
  return nowMs < newest.confirmedAtMs + slot.assignment.guard.probationSeconds * 1000;
}
