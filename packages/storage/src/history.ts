// The history of changes by revision, for watches that resume. Each entry holds the fingerprint of
// the one before, so that a hole is found; history is soft, so a damaged part is declared compacted
// (watchers list again) instead of stopping the server. Bounded by count and by replicated age.

import { isJsonObject, parseStrictJson } from "@kingly/base";
import type { JsonValue } from "@kingly/base";
import type { BatchOperation, KeyValueStore } from "./disk.ts";
import { SEAL_BYTES, sealText, unseal } from "./codec.ts";
import { historyKey, historyPosition, historyRange } from "./keys.ts";
import { HISTORY_TRIM_PER_COMMIT } from "./limits.ts";

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

/** A revision that is on disk: how many entries, when, and the fingerprint of its last one. */
interface Kept {
  readonly revision: number;
  readonly entries: number;
  readonly timeMs: number;
  readonly print: number;
}

/** Bounds of the history; the defaults are HISTORY_REVISIONS_MAX and HISTORY_AGE_MS. */
export interface HistoryLimits {
  readonly revisionsMax: number;
  readonly ageMs: number;
}

/** Reads one history row; undefined when it fails its check. */
export function decodeHistory(
  key: Uint8Array,
  value: Uint8Array,
):
  | {
      readonly entry: HistoryEntry;
      readonly previous: number;
      readonly print: number;
      timeMs: number;
    }
  | undefined {
  const sealed = unseal(key, value);
  if (sealed === undefined || sealed.payload.length < SEAL_BYTES) return undefined;
  const { payload, print } = sealed;
  const previous = Buffer.from(payload.buffer, payload.byteOffset, SEAL_BYTES).readUIntBE(
    0,
    SEAL_BYTES,
  );
  const body = parseStrictJson(payload.subarray(SEAL_BYTES), { bytesMax: payload.length });
  if (!isJsonObject(body)) return undefined;
  const { type, key: name, value: content, timeMs } = body;
  if (type !== "ADDED" && type !== "MODIFIED" && type !== "DELETED") return undefined;
  if (typeof name !== "string" || typeof timeMs !== "number" || content === undefined) {
    return undefined;
  }
  const { revision } = historyPosition(key);
  return { entry: { revision, type, key: name, value: content }, previous, print, timeMs };
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

  /** Fingerprint of the last entry removed. */
  get base(): number {
    return this.#base;
  }

  /** Fingerprint of the newest entry. */
  get tip(): number {
    return this.#tip;
  }

  /** Changes of revisions up to and including this one are gone. */
  get compactedRevision(): number {
    return this.#compactedRevision;
  }

  /** Revisions on disk. */
  get length(): number {
    return this.#kept.length - this.#head;
  }

  /** Operations that add the entries of one commit, ordered by revision. `jsonOf` gives the JSON of
   * an entry's value, which may have been made for its row already. */
  add(
    entries: readonly HistoryEntry[],
    timeMs: number,
    jsonOf: (entry: HistoryEntry) => string,
  ): BatchOperation[] {
    const operations: BatchOperation[] = [];
    const link = Buffer.alloc(SEAL_BYTES);
    let ordinal = 0;
    for (const [at, entry] of entries.entries()) {
      ordinal = entries[at - 1]?.revision === entry.revision ? ordinal + 1 : 0;
      const key = historyKey(this.#generation, entry.revision, ordinal);
      const name = JSON.stringify(entry.key);
      const text = `{"type":"${entry.type}","key":${name},"value":${jsonOf(entry)},"timeMs":${timeMs}}`;
      link.writeUIntBE(this.#tip, 0, SEAL_BYTES);
      const { value, print } = sealText(key, text, link);
      operations.push({ key, value });
      this.#remember({ revision: entry.revision, entries: 1, timeMs, print });
    }
    return operations;
  }

  #remember(kept: Kept): void {
    const last = this.length > 0 ? this.#kept.at(-1) : undefined;
    this.#tip = kept.print;
    if (last?.revision !== kept.revision) {
      this.#kept.push(kept);
      return;
    }
    this.#kept[this.#kept.length - 1] = { ...kept, entries: last.entries + 1 };
  }

  /** Operations that remove what is beyond the bounds at `timeMs`, at most a fixed number. */
  trim(timeMs: number): BatchOperation[] {
    const operations: BatchOperation[] = [];
    while (this.length > 0 && operations.length < HISTORY_TRIM_PER_COMMIT) {
      const oldest = this.#kept[this.#head];
      if (oldest === undefined) break;
      const isOld = oldest.timeMs < timeMs - this.#limits.ageMs;
      if (!isOld && this.length <= this.#limits.revisionsMax) break;
      for (let ordinal = 0; ordinal < oldest.entries; ordinal += 1) {
        const key = historyKey(this.#generation, oldest.revision, ordinal);
        operations.push({ key, value: undefined });
      }
      this.#base = oldest.print;
      this.#compactedRevision = oldest.revision;
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
    const startOver = (): void => {
      damaged.push(...keys);
      keys = [];
      this.#kept = [];
    };
    for await (const [key, value] of store.iterate(historyRange(this.#generation, 0))) {
      const read = decodeHistory(key, value);
      const { revision, ordinal } = historyPosition(key);
      if (read === undefined || revision > newest) {
        startOver();
        damaged.push(key);
        this.#compactedRevision = Math.min(revision, newest);
        link = -1;
        continue;
      }
      if (read.previous !== link) {
        startOver();
        this.#compactedRevision = ordinal === 0 ? revision - 1 : revision;
        this.#base = read.previous;
      }
      link = read.print;
      keys.push(key);
      if (revision <= this.#compactedRevision) {
        // The rest of a revision that lost its beginning: events of one revision are never split.
        startOver();
        this.#base = read.print;
        continue;
      }
      this.#remember({ revision, entries: 1, timeMs: read.timeMs, print: read.print });
    }
    if (link !== tip) {
      startOver();
      this.#compactedRevision = newest;
      this.#base = tip;
    }
    this.#tip = tip;
    return damaged.map((key) => ({ key, value: undefined }));
  }
}
