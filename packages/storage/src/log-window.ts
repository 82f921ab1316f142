// The log as raft reads it: synchronously. Terms of all entries since the compaction point are in
// memory; payloads and chain hashes up to a byte and a count limit, the older ones are read back
// from the store. The view includes appends that are still on their way to the disk: the core keeps
// those in its own unstable log until they are acknowledged and does not ask for them here.

import { assert } from "@kingly/base";
import type { KeyValueStore } from "./disk.ts";
import type { DecodedEntry } from "./codec.ts";
import { decodeEntry } from "./codec.ts";
import { corrupted } from "./errors.ts";
import { logKey } from "./keys.ts";
import { WINDOW_BYTES_MAX, WINDOW_ENTRIES_MAX } from "./limits.ts";
import type { Tail } from "./mark-file.ts";
import { CompactedError, UnavailableError } from "./raft.ts";
import type { Entry } from "./raft.ts";

/** How much of the log stays in memory; defaults are WINDOW_BYTES_MAX and WINDOW_ENTRIES_MAX. */
export interface WindowLimits {
  readonly bytesMax?: number;
  readonly entriesMax?: number;
}

/** Entries since the compaction point. */
export class LogWindow {
  readonly #store: KeyValueStore;
  readonly #bytesMax: number;
  readonly #entriesMax: number;
  #base: Tail;
  #terms: number[] = [];
  /** Same positions as #terms; undefined where the payload has left memory. */
  #held: (DecodedEntry | undefined)[] = [];
  /** Positions below this have left memory. */
  #heldFrom = 0;
  #heldBytes = 0;

  constructor(store: KeyValueStore, base: Tail, limits: WindowLimits = {}) {
    this.#store = store;
    this.#base = base;
    this.#bytesMax = limits.bytesMax ?? WINDOW_BYTES_MAX;
    this.#entriesMax = limits.entriesMax ?? WINDOW_ENTRIES_MAX;
  }

  /** The position before the first entry: compaction point or snapshot. */
  get base(): Tail {
    return this.#base;
  }

  get lastIndex(): number {
    return this.#base.index + this.#terms.length;
  }

  /** Payload bytes in memory, for metrics. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Term, index and chain hash of the last entry, or of the base when there is none. */
  get tail(): Tail {
    return this.position(this.lastIndex);
  }

  /** Term, index and chain hash at an index in [base, last]. Throws like `term`. */
  position(index: number): Tail {
    if (index === this.#base.index) return this.#base;
    const term = this.term(index);
    return { term, index, chain: this.#read(index).chain };
  }

  /** Term at an index in [base, last]; CompactedError below, UnavailableError above. */
  term(index: number): number {
    if (index < this.#base.index) throw new CompactedError();
    if (index === this.#base.index) return this.#base.term;
    const term = this.#terms[index - this.#base.index - 1];
    if (term === undefined) throw new UnavailableError();
    return term;
  }

  /** The entry at an index in (base, last]. Throws KinglyError Corrupted when it fails its check. */
  entry(index: number): Entry {
    this.term(index);
    if (index === this.#base.index) throw new CompactedError();
    return this.#read(index).entry;
  }

  #read(index: number): DecodedEntry {
    const held = this.#held[index - this.#base.index - 1];
    if (held !== undefined) return held;
    const record = this.#store.getSync(logKey(index));
    if (record === undefined) {
      throw corrupted(this.#store.path, `log entry ${index}`, "is missing");
    }
    const decoded = decodeEntry(record, index);
    if (decoded === undefined || decoded.entry.term !== this.term(index)) {
      throw corrupted(this.#store.path, `log entry ${index}`, "fails its checksum");
    }
    return decoded;
  }

  /** Adds the entry after the last one. */
  push(decoded: DecodedEntry): void {
    assert(decoded.entry.index === this.lastIndex + 1, () => `gap before ${decoded.entry.index}`);
    this.#terms.push(decoded.entry.term);
    this.#held.push(decoded);
    this.#heldBytes += decoded.entry.data.length;
  }

  /** Forgets everything behind `index`, which lies in [base, last]. */
  truncate(index: number): void {
    assert(index >= this.#base.index, () => `truncation to ${index} is below ${this.#base.index}`);
    const length = index - this.#base.index;
    for (let at = length; at < this.#held.length; at += 1) this.#release(at);
    this.#terms.length = Math.min(length, this.#terms.length);
    this.#held.length = this.#terms.length;
    this.#heldFrom = Math.min(this.#heldFrom, this.#terms.length);
  }

  /** Makes `index`, in [base, last], the new base. */
  compact(index: number): void {
    const base = this.position(index);
    const dropped = index - this.#base.index;
    for (let at = 0; at < dropped; at += 1) this.#release(at);
    this.#terms = this.#terms.slice(dropped);
    this.#held = this.#held.slice(dropped);
    this.#heldFrom = Math.max(0, this.#heldFrom - dropped);
    this.#base = base;
  }

  /** Starts over behind a snapshot. */
  reset(base: Tail): void {
    this.#base = base;
    this.#terms = [];
    this.#held = [];
    this.#heldFrom = 0;
    this.#heldBytes = 0;
  }

  /** Lets payloads leave memory, oldest first, up to a durable index, until the limits hold. */
  evict(durableIndex: number): void {
    const end = Math.min(durableIndex - this.#base.index, this.#held.length);
    while (this.#heldFrom < end && this.#isOver()) {
      this.#release(this.#heldFrom);
      this.#heldFrom += 1;
    }
  }

  #isOver(): boolean {
    const count = this.#held.length - this.#heldFrom;
    return this.#heldBytes > this.#bytesMax || count > this.#entriesMax;
  }

  #release(at: number): void {
    const held = this.#held[at];
    if (held === undefined) return;
    this.#heldBytes -= held.entry.data.length;
    this.#held[at] = undefined;
  }
}
