// A LogStorage in memory, for tests, simulators and examples. Keeps one dummy slot in front of the
// entries that remembers (index, term) of the last compacted position, so that "the term right
// before the log" is always known.
import { logIndex } from "./ids.ts";
import type { LogIndex, Term } from "./ids.ts";
import { CompactedError, SnapshotOutOfDateError, UnavailableError, invariant } from "./errors.ts";
import type { InitialState, LogStorage } from "./storage.ts";
import type { ConfState, Entry, HardState, Snapshot } from "./types.ts";
import { EMPTY_HARD_STATE, EMPTY_SNAPSHOT, limitEntries } from "./types.ts";

/** Log, hard state and newest snapshot, all in memory. Not durable. */
export class MemoryLogStorage implements LogStorage {
  #hardState: HardState = EMPTY_HARD_STATE;
  #snapshot: Snapshot = EMPTY_SNAPSHOT;
  /** Position before #entries[0]. */
  #baseIndex: LogIndex = 0 as LogIndex;
  #baseTerm: Term = 0 as Term;
  #entries: Entry[] = [];

  /** Hard state, and the membership of the newest snapshot. */
  initialState(): InitialState {
    return { hardState: this.#hardState, confState: this.#snapshot.metadata.confState };
  }

  /** Replaces the stored hard state. */
  setHardState(state: HardState): void {
    this.#hardState = state;
  }

  /** Entries in [lo, hi), see LogStorage. */
  entries(lo: LogIndex, hi: LogIndex, maxBytes: number): readonly Entry[] {
    if (lo <= this.#baseIndex) throw new CompactedError();
    if (hi > this.lastIndex() + 1) {
      throw new UnavailableError(
        `entries' hi(${hi}) is out of bound lastindex(${this.lastIndex()})`,
      );
    }
    if (lo >= hi) return [];
    const offset = this.#baseIndex + 1;
    return limitEntries(this.#entries.slice(lo - offset, hi - offset), maxBytes);
  }

  term(index: LogIndex): Term {
    if (index < this.#baseIndex) throw new CompactedError();
    if (index === this.#baseIndex) return this.#baseTerm;
    const entry = this.#entries[index - this.#baseIndex - 1];
    if (entry === undefined) throw new UnavailableError();
    return entry.term;
  }

  /** Index of the first entry not compacted away. */
  firstIndex(): LogIndex {
    return logIndex(this.#baseIndex + 1);
  }

  /** Index of the last entry, or of the last compacted one. */
  lastIndex(): LogIndex {
    return logIndex(this.#baseIndex + this.#entries.length);
  }

  /** Newest snapshot. */
  snapshot(): Snapshot {
    return this.#snapshot;
  }

  /** Replaces log and snapshot by the given snapshot. Throws SnapshotOutOfDateError if it is not
   * newer than the stored one. */
  applySnapshot(snapshot: Snapshot): void {
    if (this.#snapshot.metadata.index >= snapshot.metadata.index) {
      throw new SnapshotOutOfDateError();
    }
    this.#snapshot = snapshot;
    this.#baseIndex = snapshot.metadata.index;
    this.#baseTerm = snapshot.metadata.term;
    this.#entries = [];
  }

  /**
   * Makes a snapshot of the applied state at `index`, which must be in the log and newer than the
   * stored snapshot (SnapshotOutOfDateError). `confState` undefined keeps the stored membership.
   */
  createSnapshot(index: LogIndex, confState: ConfState | undefined, data: Uint8Array): Snapshot {
    if (index <= this.#snapshot.metadata.index) throw new SnapshotOutOfDateError();
    invariant(index <= this.lastIndex(), "snapshot is beyond the end of the log", {
      index,
      lastIndex: this.lastIndex(),
    });
    const metadata = {
      confState: confState ?? this.#snapshot.metadata.confState,
      index,
      term: this.term(index),
    };
    this.#snapshot = { data, metadata };
    return this.#snapshot;
  }

  /** Forgets entries up to and including `index`. Throws CompactedError if already gone. The caller
   * must not compact past what it has applied. */
  compact(index: LogIndex): void {
    if (index <= this.#baseIndex) throw new CompactedError();
    invariant(index <= this.lastIndex(), "compaction is beyond the end of the log", {
      index,
      lastIndex: this.lastIndex(),
    });
    const newTerm = this.term(index);
    this.#entries = this.#entries.slice(index - this.#baseIndex);
    this.#baseIndex = index;
    this.#baseTerm = newTerm;
  }

  /** Appends consecutive entries, replacing stored ones from the first index on. Entries already
   * compacted away are skipped. */
  append(entries: readonly Entry[]): void {
    const last = entries.at(-1);
    if (last === undefined || last.index <= this.#baseIndex) return;
    const fresh = entries.filter((e) => e.index > this.#baseIndex);
    const first = fresh[0];
    if (first === undefined) return;
    invariant(first.index <= this.lastIndex() + 1, "append leaves a gap in the log", {
      first: first.index,
      lastIndex: this.lastIndex(),
    });
    this.#entries.length = first.index - this.#baseIndex - 1;
    for (const entry of fresh) this.#entries.push(entry);
  }
}
