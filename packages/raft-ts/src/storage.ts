// What the core reads from durable storage. Synchronous on purpose: the core is a pure function of
// its inputs. Writes never go through here; they travel in Ready or in MsgStorageAppend.
import type { LogIndex, Term } from "./ids.ts";
import type { ConfState, Entry, HardState, Snapshot } from "./types.ts";

/** What a node finds when it starts. */
export interface InitialState {
  /** As last stored; EMPTY_HARD_STATE for a new node. */
  readonly hardState: HardState;
  /** Membership as of RaftConfig.applied. */
  readonly confState: ConfState;
}

/**
 * Read side of the log. Answers must reflect every write acknowledged to the core. The stored log
 * covers [firstIndex, lastIndex]; the term at firstIndex-1 stays known after compaction.
 */
export interface LogStorage {
  /**
   * Hard state, and the membership as of RaftConfig.applied: every membership change up to there is in
   * it, none after. Store what applyConfChange returned together with the applied index.
   */
  initialState(): InitialState;
  /**
   * Entries in [lo, hi), cut to maxBytes of entryBytes but at least one. Throws CompactedError if lo
   * was compacted away, UnavailableError if the range is beyond the end.
   */
  entries(lo: LogIndex, hi: LogIndex, maxBytes: number): readonly Entry[];
  /** Term of an index in [firstIndex-1, lastIndex]; throws CompactedError or UnavailableError. */
  term(index: LogIndex): Term;
  /** Index of the first entry not compacted away; 1 for a new log. */
  firstIndex(): LogIndex;
  /** Index of the last entry, or firstIndex-1 if there is none. */
  lastIndex(): LogIndex;
  /** Newest snapshot; may throw SnapshotTemporarilyUnavailableError, then the core asks again. */
  snapshot(): Snapshot;
}
