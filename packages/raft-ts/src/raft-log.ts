// The log as the core sees it: stored entries plus the unstable tail, and the three positions that
// walk along it. Invariant: applied <= applying <= committed <= lastIndex. Paper section 5.3 and 5.4.
//
//   |... compacted ...| first .... applied .... applying .... committed .... last |
import { CompactedError, UnavailableError, invariant } from "./errors.ts";
import type { LogIndex, NodeId, Term } from "./ids.ts";
import { logIndex } from "./ids.ts";
import type { LogStorage } from "./storage.ts";
import type { Position, TraceSink } from "./trace.ts";
import type { Entry, Snapshot } from "./types.ts";
import { entriesBytes, limitEntries } from "./types.ts";
import { Unstable } from "./unstable.ts";

/** What a RaftLog is made of. */
export interface RaftLogOptions {
  readonly id: NodeId;
  readonly storage: LogStorage;
  /** Bytes of committed entries handed out for apply and not acknowledged; at least 1. */
  readonly maxApplyingBytes: number;
  readonly trace: TraceSink | undefined;
}

/** Stored entries plus unstable tail. */
export class RaftLog {
  readonly #id: NodeId;
  readonly #storage: LogStorage;
  readonly #trace: TraceSink | undefined;
  readonly unstable: Unstable;
  readonly maxApplyingBytes: number;
  #committed: LogIndex;
  #applying: LogIndex;
  #applied: LogIndex;
  #applyingBytes = 0;
  #applyingPaused = false;

  constructor(options: RaftLogOptions) {
    this.#id = options.id;
    this.#storage = options.storage;
    this.#trace = options.trace;
    this.maxApplyingBytes = options.maxApplyingBytes;
    const next = logIndex(options.storage.lastIndex() + 1);
    this.unstable = new Unstable(options.id, next, options.trace);
    // What was compacted away was committed and applied before.
    const before = logIndex(options.storage.firstIndex() - 1);
    this.#committed = before;
    this.#applying = before;
    this.#applied = before;
  }

  get committed(): LogIndex {
    return this.#committed;
  }

  get applying(): LogIndex {
    return this.#applying;
  }

  get applied(): LogIndex {
    return this.#applied;
  }

  firstIndex(): LogIndex {
    return this.unstable.firstIndex() ?? this.#storage.firstIndex();
  }

  lastIndex(): LogIndex {
    return this.unstable.lastIndex() ?? this.#storage.lastIndex();
  }

  lastTerm(): Term {
    const lastTerm = this.term(this.lastIndex());
    invariant(lastTerm !== undefined, "term of the last entry is unknown");
    return lastTerm;
  }

  /** Position of the last entry. */
  last(): Position {
    return { index: this.lastIndex(), term: this.lastTerm() };
  }

  /** Term at an index; undefined if it was compacted away or is beyond the end. */
  term(index: LogIndex): Term | undefined {
    const known = this.unstable.term(index);
    if (known !== undefined) return known;
    if (index + 1 < this.firstIndex() || index > this.lastIndex()) return undefined;
    try {
      return this.#storage.term(index);
    } catch (error) {
      if (error instanceof CompactedError || error instanceof UnavailableError) return undefined;
      throw error;
    }
  }

  /** Term at an index, 0 if unknown. */
  termOrZero(index: LogIndex): Term {
    return this.term(index) ?? (0 as Term);
  }

  /** True if the entry at `index` is here with this term. */
  matches(index: LogIndex, term: Term): boolean {
    return this.term(index) === term;
  }

  /** Election restriction (paper section 5.4.1): is that log end at least as new as ours? */
  isUpToDate(end: Position): boolean {
    const lastTerm = this.lastTerm();
    return end.term > lastTerm || (end.term === lastTerm && end.index >= this.lastIndex());
  }

  /**
   * Follower's side of AppendEntries: appends what is missing after `prev` and advances commit.
   * Returns the index of the last entry covered, undefined if `prev` does not match.
   */
  maybeAppend(prev: Position, commit: LogIndex, entries: readonly Entry[]): LogIndex | undefined {
    if (!this.matches(prev.index, prev.term)) return undefined;
    const lastNew = logIndex(prev.index + entries.length);
    const conflict = this.#findConflict(entries);
    if (conflict !== undefined) {
      invariant(conflict > this.#committed, "entry conflicts with a committed entry", {
        conflict,
        committed: this.#committed,
      });
      this.append(entries.slice(conflict - prev.index - 1));
    }
    this.commitTo(logIndex(Math.min(commit, lastNew)));
    return lastNew;
  }

  /** Appends entries, replacing any from the first one's index on. Returns the last index. */
  append(entries: readonly Entry[]): LogIndex {
    const first = entries[0];
    if (first === undefined) return this.lastIndex();
    invariant(first.index > this.#committed, "append would overwrite committed entries", {
      first: first.index,
      committed: this.#committed,
    });
    this.unstable.truncateAndAppend(entries);
    return this.lastIndex();
  }

  /** Index of the first entry we do not have with the same term, undefined if we have all. */
  #findConflict(entries: readonly Entry[]): LogIndex | undefined {
    for (const entry of entries) {
      if (this.matches(entry.index, entry.term)) continue;
      if (entry.index <= this.lastIndex()) {
        this.#trace?.({
          kind: "conflict-found",
          id: this.#id,
          index: entry.index,
          existing: this.termOrZero(entry.index),
          conflicting: entry.term,
        });
      }
      return entry.index;
    }
    return undefined;
  }

  /**
   * Highest index <= `index` whose term is <= `term`: the best guess where another log that has
   * `term` at `index` still agrees with ours. Term 0 in the answer means unknown.
   */
  findConflictByTerm(index: LogIndex, term: Term): Position {
    for (let at = index; at > 0; at = logIndex(at - 1)) {
      const ours = this.term(at);
      if (ours === undefined) return { index: at, term: 0 as Term };
      if (ours <= term) return { index: at, term: ours };
    }
    return { index: 0 as LogIndex, term: 0 as Term };
  }

  /** Highest committed index that may be applied now. */
  #maxAppliable(allowUnstable: boolean): number {
    return allowUnstable ? this.#committed : Math.min(this.#committed, this.unstable.offset - 1);
  }

  /** True if nextCommitted would return entries. */
  hasNextCommitted(allowUnstable: boolean): boolean {
    // A pending snapshot goes first, or it would be unclear what the entries apply to.
    if (this.#applyingPaused || this.unstable.snapshot !== undefined) return false;
    return this.#applying < this.#maxAppliable(allowUnstable);
  }

  /** Committed entries to apply next, within the byte quota of outstanding applies. */
  nextCommitted(allowUnstable: boolean): readonly Entry[] {
    if (!this.hasNextCommitted(allowUnstable)) return [];
    const quota = this.maxApplyingBytes - this.#applyingBytes;
    invariant(quota > 0, "no apply quota left although not paused", { quota });
    const end = logIndex(this.#maxAppliable(allowUnstable) + 1);
    return this.slice(logIndex(this.#applying + 1), end, quota);
  }

  /** Entries up to `index` were handed out for apply. */
  acceptApplying(index: LogIndex, bytes: number, allowUnstable: boolean): void {
    invariant(index <= this.#committed, "applying beyond committed", {
      index,
      committed: this.#committed,
    });
    this.#applying = index;
    this.#applyingBytes += bytes;
    // Also pause when the quota cut the batch short: the next entry would exceed it.
    this.#applyingPaused =
      this.#applyingBytes >= this.maxApplyingBytes || index < this.#maxAppliable(allowUnstable);
  }

  /** Entries up to `index` are applied; `bytes` of apply quota come back. */
  appliedTo(index: LogIndex, bytes: number): void {
    invariant(this.#applied <= index && index <= this.#committed, "applied is out of range", {
      index,
      applied: this.#applied,
      committed: this.#committed,
    });
    this.#applied = index;
    if (this.#applying < index) this.#applying = index;
    this.#applyingBytes = Math.max(0, this.#applyingBytes - bytes);
    this.#applyingPaused = this.#applyingBytes >= this.maxApplyingBytes;
  }

  /** Raises commit; never lowers it. Beyond the end of the log means that entries were lost. */
  commitTo(index: LogIndex): void {
    if (index <= this.#committed) return;
    invariant(
      index <= this.lastIndex(),
      "commit is beyond the log: corrupted, truncated or lost?",
      {
        commit: index,
        lastIndex: this.lastIndex(),
      },
    );
    this.#committed = index;
  }

  /** Leader's commit rule: raises commit to `index` if its entry is of `term` (section 5.4.2). */
  maybeCommit(index: number, term: Term): boolean {
    if (index <= this.#committed || term === 0 || index > this.lastIndex()) return false;
    if (this.termOrZero(logIndex(index)) !== term) return false;
    this.commitTo(logIndex(index));
    return true;
  }

  /** Entries from `lo` to the end, cut to maxBytes but at least one; may throw CompactedError. */
  entriesFrom(lo: LogIndex, maxBytes: number): readonly Entry[] {
    const last = this.lastIndex();
    return lo > last ? [] : this.slice(lo, logIndex(last + 1), maxBytes);
  }

  /** Entries in [lo, hi), cut to maxBytes but at least one. Throws CompactedError. */
  slice(lo: LogIndex, hi: LogIndex, maxBytes: number): readonly Entry[] {
    invariant(lo <= hi && hi <= this.lastIndex() + 1, "slice out of bounds", { lo, hi });
    if (lo < this.firstIndex()) throw new CompactedError();
    if (lo === hi) return [];
    const offset = this.unstable.offset;
    if (lo >= offset) return limitEntries(this.unstable.slice(lo, hi), maxBytes);
    const cut = logIndex(Math.min(hi, offset));
    const stored = this.#storage.entries(lo, cut, maxBytes);
    if (hi <= offset || stored.length < cut - lo) return stored;
    const bytes = entriesBytes(stored);
    if (bytes >= maxBytes) return stored;
    const rest = limitEntries(this.unstable.slice(offset, hi), maxBytes - bytes);
    if (rest.length === 1 && bytes + entriesBytes(rest) > maxBytes) return stored;
    return [...stored, ...rest];
  }

  /** True if `found` holds for an entry in [lo, hi); reads pageBytes at a time. */
  some(lo: LogIndex, hi: LogIndex, found: (entry: Entry) => boolean): boolean {
    for (let at = lo; at < hi;) {
      const page = this.slice(at, hi, this.maxApplyingBytes);
      invariant(page.length > 0, "storage returned no entries for a valid range", { at, hi });
      if (page.some(found)) return true;
      at = logIndex(at + page.length);
    }
    return false;
  }

  /** The newest snapshot. May throw SnapshotTemporarilyUnavailableError. */
  snapshot(): Snapshot {
    return this.unstable.snapshot ?? this.#storage.snapshot();
  }

  /** Replaces the log by a snapshot, which is committed by definition. */
  restore(snapshot: Snapshot): void {
    this.#trace?.({
      kind: "restore-started",
      id: this.#id,
      snapshot: { index: snapshot.metadata.index, term: snapshot.metadata.term },
      committed: this.#committed,
      applied: this.#applied,
      applying: this.#applying,
      offset: this.unstable.offset,
      offsetInProgress: this.unstable.offsetInProgress,
      unstableEntries: this.unstable.length,
    });
    this.#committed = snapshot.metadata.index;
    this.unstable.restore(snapshot);
  }
}
