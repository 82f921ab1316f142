// The history of changes by revision, for watches that resume. One row holds the changes of one
// commit (a block), because a row costs more than what is in it. Each block holds the fingerprint of
// the one before, so that a hole is found; history is soft, so a damaged part is declared compacted
// (watchers list again) instead of stopping the server. Bounded by count and by replicated age.

import { isJsonObject } from "@kingly/base";
import type { JsonValue } from "@kingly/base";
import type { BatchOperation, KeyValueStore } from "./disk.ts";
import { SEAL_BYTES, parseRow, sealText, unseal } from "./codec.ts";
import { historyKey, historyRange, historyRevision } from "./keys.ts";
import { HISTORY_BLOCK_CHARS, HISTORY_TRIM_PER_COMMIT } from "./limits.ts";

/** How a row changed. */
export type ChangeType = "ADDED" | "MODIFIED" | "DELETED";

/** One change of one row. */
export interface HistoryEntry {
  readonly revision: number;
  readonly type: ChangeType;
  readonly key: string;
  /** The new value, or the last one before a deletion. */
  readonly value: JsonValue;
}

/** A block that is on disk: its revisions, when, and its fingerprint. */
interface Kept {
  readonly first: number;
  readonly last: number;
  readonly timeMs: number;
  readonly print: number;
}

/** Bounds of the history; the defaults are HISTORY_REVISIONS_MAX and HISTORY_AGE_MS. */
export interface HistoryLimits {
  readonly revisionsMax: number;
  readonly ageMs: number;
}

/** One block read back. */
export interface HistoryBlock {
  /** Ascending revisions, at least one. */
  readonly entries: readonly HistoryEntry[];
  /** Fingerprint of the block before. */
  readonly previous: number;
  readonly print: number;
  readonly timeMs: number;
}

/** Reads one block; undefined when it fails its check. */
export function decodeHistory(key: Uint8Array, value: Uint8Array): HistoryBlock | undefined {
  const sealed = unseal(key, value);
  if (sealed === undefined || sealed.payload.length < SEAL_BYTES) return undefined;
  const { payload, print } = sealed;
  const previous = Buffer.from(payload.buffer, payload.byteOffset, SEAL_BYTES).readUIntBE(
    0,
    SEAL_BYTES,
  );
  const body = parseRow(payload.subarray(SEAL_BYTES));
  if (!isJsonObject(body)) return undefined;
  const { timeMs, changes } = body;
  if (typeof timeMs !== "number" || !Array.isArray(changes)) return undefined;
  const entries: HistoryEntry[] = [];
  for (const change of changes) {
    const entry = entryOf(change);
    if (entry === undefined) return undefined;
    entries.push(entry);
  }
  if (entries[0]?.revision !== historyRevision(key)) return undefined;
  return { entries, previous, print, timeMs };
}

function entryOf(change: JsonValue): HistoryEntry | undefined {
  if (!Array.isArray(change)) return undefined;
  const [revision, type, key, value] = change as readonly JsonValue[];
  if (type !== "ADDED" && type !== "MODIFIED" && type !== "DELETED") return undefined;
  if (typeof revision !== "number" || typeof key !== "string" || value === undefined) {
    return undefined;
  }
  return { revision, type, key, value };
}

/** The history of one generation: what is kept, and the operations that change it. */
export class History {
  readonly #generation: number;
  readonly #limits: HistoryLimits;
  #kept: Kept[] = [];
  #head = 0;
  #base: number;
  #tip: number;
  #compactedRevision: number;

  constructor(
    generation: number,
    limits: HistoryLimits,
    from: { readonly base: number; readonly tip: number; readonly compactedRevision: number },
  ) {
    this.#generation = generation;
    this.#limits = limits;
    this.#base = from.base;
    this.#tip = from.tip;
    this.#compactedRevision = from.compactedRevision;
  }

  /** Fingerprint of the last block removed. */
  get base(): number {
    return this.#base;
  }

  /** Fingerprint of the newest block. */
  get tip(): number {
    return this.#tip;
  }

  /** Changes of revisions up to and including this one are gone. */
  get compactedRevision(): number {
    return this.#compactedRevision;
  }

  /** First revision of the block that holds the first change after `revision`, or would. */
  blockAfter(revision: number): number {
    let low = this.#head;
    let high = this.#kept.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#kept[middle] as Kept).last <= revision) low = middle + 1;
      else high = middle;
    }
    return this.#kept[low]?.first ?? revision + 1;
  }

  /** Operations that add the entries of one commit, ordered by revision. `jsonOf` gives the JSON of
   * an entry's value, which may have been made for its row already. */
  add(
    entries: readonly HistoryEntry[],
    timeMs: number,
    jsonOf: (entry: HistoryEntry) => string,
  ): BatchOperation[] {
    const operations: BatchOperation[] = [];
    let text = "";
    let first = 0;
    for (const [at, entry] of entries.entries()) {
      const { revision, type, key } = entry;
      if (text === "") first = revision;
      text += text === "" ? `{"timeMs":${timeMs},"changes":[` : ",";
      text += `[${revision},"${type}",${JSON.stringify(key)},${jsonOf(entry)}]`;
      // Events of one revision are never split.
      const next = entries[at + 1];
      const ends = next === undefined || text.length >= HISTORY_BLOCK_CHARS;
      if (!ends || next?.revision === revision) continue;
      operations.push(this.#block({ first, last: revision, timeMs }, `${text}]}`));
      text = "";
    }
    return operations;
  }

  #block(about: Omit<Kept, "print">, text: string): BatchOperation {
    const key = historyKey(this.#generation, about.first);
    const link = Buffer.allocUnsafe(SEAL_BYTES);
    link.writeUIntBE(this.#tip, 0, SEAL_BYTES);
    const { value, print } = sealText(key, text, link);
    this.#remember({ ...about, print });
    return { key, value };
  }

  #remember(kept: Kept): void {
    this.#tip = kept.print;
    this.#kept.push(kept);
  }

  /** Operations that remove what is beyond the bounds at `timeMs`, at most a fixed number. Whole
   * blocks go, so that up to one block more than asked for may be kept. */
  trim(timeMs: number): BatchOperation[] {
    const operations: BatchOperation[] = [];
    while (operations.length < HISTORY_TRIM_PER_COMMIT) {
      const oldest = this.#kept[this.#head];
      const newest = this.#kept.at(-1);
      if (oldest === undefined || newest === undefined) break;
      const isOld = oldest.timeMs < timeMs - this.#limits.ageMs;
      if (!isOld && newest.last - oldest.last < this.#limits.revisionsMax) break;
      operations.push({ key: historyKey(this.#generation, oldest.first), value: undefined });
      this.#base = oldest.print;
      this.#compactedRevision = oldest.last;
      this.#head += 1;
    }
    if (this.#head > 4096 && this.#head * 2 > this.#kept.length) {
      this.#kept = this.#kept.slice(this.#head);
      this.#head = 0;
    }
    return operations;
  }

  /**
   * Reads the stored history and checks its links. Returns the operations that remove a damaged
   * part; it then counts as compacted. `newest` is the revision of the state.
   */
  async load(store: KeyValueStore, newest: number): Promise<BatchOperation[]> {
    let keys: Uint8Array[] = [];
    const damaged: Uint8Array[] = [];
    let link = this.#base;
    const tip = this.#tip;
    const startOver = (compacted: number): void => {
      damaged.push(...keys);
      keys = [];
      this.#kept = [];
      this.#compactedRevision = compacted;
    };
    for await (const [key, value] of store.iterate(historyRange(this.#generation, 0))) {
      const read = decodeHistory(key, value);
      const first = historyRevision(key);
      const last = read?.entries.at(-1)?.revision ?? Infinity;
      if (read === undefined || last > newest) {
        // How far the block reached is known when the next one, or nothing, follows.
        startOver(newest);
        damaged.push(key);
        link = -1;
        continue;
      }
      if (read.previous !== link) {
        startOver(first - 1);
        this.#base = read.previous;
      }
      link = read.print;
      keys.push(key);
      this.#remember({ first, last, timeMs: read.timeMs, print: read.print });
    }
    if (link !== tip) {
      startOver(newest);
      this.#base = tip;
    }
    this.#tip = tip;
    return damaged.map((key) => ({ key, value: undefined }));
  }
}
