// The data that crosses the border of the core: entries, durable state, snapshots, and the results
// of proposals. Plain readonly objects without behaviour, so that a transport or a store can encode
// them in any way. Messages are in messages.ts.
import { ENTRY_OVERHEAD_BYTES } from "./limits.ts";
import type { LogIndex, NodeId, Term } from "./ids.ts";
import { NO_NODE } from "./ids.ts";

/** What an entry carries: a command of the application, or one of two kinds of membership change. */
export type EntryType = "normal" | "conf-change" | "conf-change-v2";

/** One log entry. (term, index) identifies its content in the whole cluster (Log Matching). */
export interface Entry {
  readonly term: Term;
  readonly index: LogIndex;
  /** What `data` holds. */
  readonly type: EntryType;
  /** Payload; empty for the entry a new leader appends and for leaving a joint configuration. */
  readonly data: Uint8Array;
}

/** What must be durable before a node answers votes and appends (paper figure 2). */
export interface HardState {
  readonly term: Term;
  /** The candidate voted for in `term`; 0 = none. */
  readonly vote: NodeId;
  /** Highest index known committed; may lag, never exceeds the stored log. */
  readonly commit: LogIndex;
}

/** Role of a node. */
export type RaftState = "follower" | "pre-candidate" | "candidate" | "leader";

/** Volatile state worth telling the application when it changes. */
export interface SoftState {
  /** The leader of the current term as far as known; 0 = unknown. */
  readonly lead: NodeId;
  /** Role of this node. */
  readonly state: RaftState;
}

/** A membership as stored in snapshots. All lists ascend. Outside a joint configuration
 * `votersOutgoing` and `learnersNext` are empty and `autoLeave` is false. */
export interface ConfState {
  /** The voters; while joint, those to be. */
  readonly voters: readonly NodeId[];
  /** Members without a vote. */
  readonly learners: readonly NodeId[];
  /** The old voters while the configuration is joint. */
  readonly votersOutgoing: readonly NodeId[];
  /** Old voters that become learners when the joint configuration is left. */
  readonly learnersNext: readonly NodeId[];
  /** The leader leaves the joint configuration by itself. */
  readonly autoLeave: boolean;
  /**
   * Log index of the membership change that made this configuration; absent = the first one, or
   * unknown because what stored it did not keep it. A change can be proposed on condition that it
   * still holds (ConfChangeV2.expectedConfigId).
   */
  readonly configId?: LogIndex;
}

/** Where in the log a snapshot stands and who the members were there. */
export interface SnapshotMetadata {
  /** Members as of `index`. */
  readonly confState: ConfState;
  readonly index: LogIndex;
  readonly term: Term;
}

/** State of the application up to `metadata.index`. Index 0 means "no snapshot". */
export interface Snapshot {
  /** Bytes of the application, not interpreted. */
  readonly data: Uint8Array;
  /** Position and members. */
  readonly metadata: SnapshotMetadata;
}

/** Answer to a read request: once applied ≥ index, a read is linearizable. */
export interface ReadState {
  readonly index: LogIndex;
  /** The context given to readIndex. */
  readonly context: Uint8Array;
}

/** Why a proposal, a configuration change or a read was not taken. Stable strings. */
export type DropReason =
  /** No leader is known in the current term. */
  | "no-leader"
  /** This node is a follower and forwarding is switched off. */
  | "forwarding-disabled"
  /** This leader was removed from the configuration. */
  | "not-a-member"
  /** It came from a follower, and this node is no leader either: messages are forwarded once. */
  | "forwarded-already"
  /** A leadership transfer is under way. */
  | "transfer-in-progress"
  /** Leadership cannot go to a learner. */
  | "transfer-to-learner"
  /** Leadership cannot go to a node that is no member. */
  | "transfer-to-stranger"
  /** The node leads already. */
  | "transfer-to-leader"
  /** The uncommitted tail of the log is at its byte limit. */
  | "uncommitted-limit"
  /** An earlier configuration change may not be applied yet. */
  | "conf-change-pending"
  /** The configuration is joint and must be left first. */
  | "conf-change-in-joint"
  /** Asked to leave a joint configuration while not in one. */
  | "conf-change-not-joint"
  /** The configuration in force is not the one the change was made for. */
  | "conf-change-stale"
  /** It would leave no voter. */
  | "conf-change-no-voters"
  /** It changes several voters at once and does not go through a joint configuration. */
  | "conf-change-needs-joint"
  /** The voters it leaves have no majority that the leader heard of lately (membershipGuard). */
  | "conf-change-loses-quorum"
  /** It makes a voter of a node that is not a caught-up learner (membershipGuard). */
  | "conf-change-voter-behind"
  /** The change cannot be applied to the configuration in force for any other reason. */
  | "conf-change-invalid"
  /** The bytes of a configuration change do not decode. */
  | "conf-change-malformed"
  /** Too many reads wait already. */
  | "too-many-reads";

/**
 * Outcome of propose, proposeConfChange, readIndex and transferLeadership. `ok: true` means taken over for replication
 * or forwarded to the leader, not committed.
 */
export type ProposeResult =
  { readonly ok: true } | { readonly ok: false; readonly reason: DropReason };

/** No bytes. Shared, never written to. */
export const EMPTY_BYTES: Uint8Array = new Uint8Array(0);
/** A configuration without members. */
export const EMPTY_CONF_STATE: ConfState = Object.freeze({
  voters: [],
  learners: [],
  votersOutgoing: [],
  learnersNext: [],
  autoLeave: false,
});
/** Term 0, no vote, nothing committed: a node that never ran. */
export const EMPTY_HARD_STATE: HardState = Object.freeze({
  term: 0 as Term,
  vote: NO_NODE,
  commit: 0 as LogIndex,
});
/** "No snapshot". */
export const EMPTY_SNAPSHOT: Snapshot = Object.freeze({
  data: EMPTY_BYTES,
  metadata: { confState: EMPTY_CONF_STATE, index: 0 as LogIndex, term: 0 as Term },
});

/** True if a hard state holds nothing worth storing. */
export function isEmptyHardState(state: HardState): boolean {
  return state.term === 0 && state.vote === 0 && state.commit === 0;
}

/** True if two hard states are the same. */
export function hardStatesEqual(a: HardState, b: HardState): boolean {
  return a.term === b.term && a.vote === b.vote && a.commit === b.commit;
}

/** True for "no snapshot" (index 0). */
export function isEmptySnapshot(snapshot: Snapshot | undefined): boolean {
  return snapshot === undefined || snapshot.metadata.index === 0;
}

/** True for both kinds of membership change. */
export function isConfChangeEntry(entry: Entry): boolean {
  return entry.type !== "normal";
}

/** Bytes an entry counts in batches and read limits: payload plus a fixed overhead. */
export function entryBytes(entry: Entry): number {
  return entry.data.length + ENTRY_OVERHEAD_BYTES;
}

/** Sum of entryBytes. */
export function entriesBytes(entries: readonly Entry[]): number {
  let total = 0;
  for (const entry of entries) total += entryBytes(entry);
  return total;
}

/** Sum of payload lengths; empty entries count nothing here. */
export function payloadBytes(entries: readonly Entry[]): number {
  let total = 0;
  for (const entry of entries) total += entry.data.length;
  return total;
}

/**
 * Longest prefix whose entryBytes do not exceed maxBytes, but at least one entry of a non-empty
 * list, so that an entry larger than the limit still makes progress.
 */
export function limitEntries(entries: readonly Entry[], maxBytes: number): readonly Entry[] {
  let total = 0;
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i];
    if (entry === undefined) break;
    total += entryBytes(entry);
    if (i > 0 && total > maxBytes) return entries.slice(0, i);
  }
  return entries;
}
