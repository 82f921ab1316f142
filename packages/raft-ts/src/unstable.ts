// The tail of the log (and possibly a snapshot) that is not yet known to be durable. It hands out
// what must be written, remembers what is being written, and keeps answering for it until storage
// does. entries[i] stands at index offset+i; [offset, offsetInProgress) is being written.
//
//   stable storage ..........|<offset .... being written |<offsetInProgress .... new
import { invariant } from "./errors.ts";
import type { LogIndex, NodeId, Term } from "./ids.ts";
import { logIndex } from "./ids.ts";
import type { TraceSink } from "./trace.ts";
import type { Entry, Snapshot } from "./types.ts";

/** Entries and snapshot not yet durable. */
export class Unstable {
  readonly #id: NodeId;
  readonly #trace: TraceSink | undefined;
  #snapshot: Snapshot | undefined;
  #snapshotInProgress = false;
  #entries: Entry[] = [];
  #offset: LogIndex;
  #offsetInProgress: LogIndex;

  constructor(id: NodeId, offset: LogIndex, trace: TraceSink | undefined) {
    this.#id = id;
    this.#trace = trace;
    this.#offset = offset;
    this.#offsetInProgress = offset;
  }

  /** Index of the first unstable entry, or one past the stored log. */
  get offset(): LogIndex {
    return this.#offset;
  }

  /** One past the last entry handed out for writing. */
  get offsetInProgress(): LogIndex {
    return this.#offsetInProgress;
  }

  /** Number of unstable entries. */
  get length(): number {
    return this.#entries.length;
  }

  /** The snapshot not yet installed, being written or not. */
  get snapshot(): Snapshot | undefined {
    return this.#snapshot;
  }

  /** First index if it is known here, which is the case behind a snapshot. */
  firstIndex(): LogIndex | undefined {
    return this.#snapshot === undefined ? undefined : logIndex(this.#snapshot.metadata.index + 1);
  }

  /** Last index if anything is unstable. */
  lastIndex(): LogIndex | undefined {
    if (this.#entries.length > 0) return logIndex(this.#offset + this.#entries.length - 1);
    return this.#snapshot?.metadata.index;
  }

  /** Term at an index if it is known here. */
  term(index: LogIndex): Term | undefined {
    if (index >= this.#offset) return this.#entries[index - this.#offset]?.term;
    const metadata = this.#snapshot?.metadata;
    return metadata?.index === index ? metadata.term : undefined;
  }

  /** Entries not yet handed out for writing. */
  nextEntries(): readonly Entry[] {
    const inProgress = this.#offsetInProgress - this.#offset;
    return inProgress >= this.#entries.length ? [] : this.#entries.slice(inProgress);
  }

  /** True if nextEntries would return any. */
  get hasNextEntries(): boolean {
    return this.#entries.length > this.#offsetInProgress - this.#offset;
  }

  /** The snapshot if it was not yet handed out for writing. */
  nextSnapshot(): Snapshot | undefined {
    return this.#snapshotInProgress ? undefined : this.#snapshot;
  }

  /** Everything handed out now counts as being written. */
  acceptInProgress(): void {
    if (this.#entries.length > 0) {
      this.#offsetInProgress = logIndex(this.#offset + this.#entries.length);
    }
    if (this.#snapshot !== undefined) this.#snapshotInProgress = true;
  }

  /**
   * Entries up to (index, term) are durable and no write under way can overwrite them; forgets them.
   * Ignored if the position is not here with this term: it was overwritten meanwhile.
   */
  stableTo(index: LogIndex, term: Term): void {
    const ours = this.term(index);
    if (ours === undefined) {
      this.#trace?.({ kind: "stable-missing", id: this.#id, index });
      return;
    }
    if (index < this.#offset) {
      this.#trace?.({ kind: "stable-is-snapshot", id: this.#id, index });
      return;
    }
    if (ours !== term) {
      this.#trace?.({ kind: "stable-mismatch", id: this.#id, index, term, unstableTerm: ours });
      return;
    }
    this.#entries = this.#entries.slice(index + 1 - this.#offset);
    this.#offset = logIndex(index + 1);
    if (this.#offsetInProgress < this.#offset) this.#offsetInProgress = this.#offset;
  }

  /** The snapshot at `index` is installed; forgets it. */
  stableSnapshotTo(index: LogIndex): void {
    if (this.#snapshot?.metadata.index !== index) return;
    this.#snapshot = undefined;
    this.#snapshotInProgress = false;
  }

  /** Replaces everything by a snapshot. */
  restore(snapshot: Snapshot): void {
    this.#offset = logIndex(snapshot.metadata.index + 1);
    this.#offsetInProgress = this.#offset;
    this.#entries = [];
    this.#snapshot = snapshot;
    this.#snapshotInProgress = false;
  }

  /** Appends consecutive entries, cutting off what they replace. At least one entry. */
  truncateAndAppend(entries: readonly Entry[]): void {
    const first = entries[0];
    invariant(first !== undefined, "nothing to append");
    const from = first.index;
    const end = this.#offset + this.#entries.length;
    invariant(from <= end, "append leaves a gap in the unstable log", { from, end });
    if (from === end) {
      // The common case: straight on.
    } else if (from <= this.#offset) {
      this.#trace?.({ kind: "unstable-replaced", id: this.#id, index: from });
      this.#entries = [];
      this.#offset = from;
      this.#offsetInProgress = from;
    } else {
      this.#trace?.({ kind: "unstable-truncated", id: this.#id, index: from });
      this.#entries = this.#entries.slice(0, from - this.#offset);
      if (this.#offsetInProgress > from) this.#offsetInProgress = from;
    }
    for (const entry of entries) this.#entries.push(entry);
  }

  /** Entries in [lo, hi), all of which must be here. */
  slice(lo: LogIndex, hi: LogIndex): readonly Entry[] {
    const end = this.#offset + this.#entries.length;
    invariant(lo >= this.#offset && lo <= hi && hi <= end, "unstable slice out of bounds", {
      lo,
      hi,
      offset: this.#offset,
      end,
    });
    return this.#entries.slice(lo - this.#offset, hi - this.#offset);
  }
}
