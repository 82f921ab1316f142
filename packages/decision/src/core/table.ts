// The ordered table of rows: a Map for lookups and, beside it, the keys in ascending order, cut into
// chunks of bounded size as the leaves of a B-tree are. An insert moves pointers inside one chunk
// only; a prefix scan starts with two binary searches. One level of chunks is enough for millions of
// rows (a split touches the list of chunks once per 256 inserts).

import { assert } from "@kingly/base";
import type { JsonValue } from "@kingly/base";
import { TABLE_CHUNK_KEYS_MAX } from "../limits.ts";

/** Rows by key, iterable in ascending order of UTF-16 code units. */
export class RowTable {
  readonly #rows = new Map<string, JsonValue>();
  /** Non-empty chunks of sorted keys, in order; empty only when the table is. */
  readonly #chunks: string[][] = [];
  /** Number of keys per first segment. */
  readonly #counts = new Map<string, number>();

  /** Number of rows. */
  get size(): number {
    return this.#rows.size;
  }

  /** Value of a row, or undefined. */
  get(key: string): JsonValue | undefined {
    return this.#rows.get(key);
  }

  /** Inserts or replaces a row. */
  set(key: string, value: JsonValue): void {
    if (!this.#rows.has(key)) {
      this.#insertKey(key);
      this.#tally(key, 1);
    }
    this.#rows.set(key, value);
  }

  /** Removes a row; false when there was none. */
  delete(key: string): boolean {
    if (!this.#rows.delete(key)) return false;
    this.#tally(key, -1);
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at];
    assert(chunk !== undefined, "a stored key has a chunk");
    const position = lowerBound(chunk, key);
    assert(chunk[position] === key, "a stored key is in its chunk");
    chunk.splice(position, 1);
    if (chunk.length === 0) this.#chunks.splice(at, 1);
    return true;
  }

  /**
   * Rows whose key begins with `prefix` ("" = all), in ascending order. The keys are collected when
   * iteration begins; rows removed meanwhile are left out.
   */
  *list(prefix: string): IterableIterator<readonly [string, JsonValue]> {
    for (const key of this.keys(prefix)) {
      const value = this.#rows.get(key);
      if (value !== undefined) yield [key, value];
    }
  }

  /** Keys beginning with `prefix`, ascending. */
  keys(prefix: string): string[] {
    const found: string[] = [];
    for (let at = this.#chunkOf(prefix); at < this.#chunks.length; at += 1) {
      const chunk = this.#chunks[at] as string[];
      for (let i = lowerBound(chunk, prefix); i < chunk.length; i += 1) {
        const key = chunk[i] as string;
        if (!key.startsWith(prefix)) return found;
        found.push(key);
      }
    }
    return found;
  }

  /** The first `count` keys beginning with `prefix`, ascending. */
  firstKeys(prefix: string, count: number): string[] {
    const found: string[] = [];
    for (let at = this.#chunkOf(prefix); at < this.#chunks.length; at += 1) {
      const chunk = this.#chunks[at] as string[];
      for (let i = lowerBound(chunk, prefix); i < chunk.length; i += 1) {
        const key = chunk[i] as string;
        if (found.length >= count || !key.startsWith(prefix)) return found;
        found.push(key);
      }
    }
    return found;
  }

  /** How many keys have this first segment (the text before the first slash, with the slash). */
  countOf(segment: string): number {
    return this.#counts.get(segment) ?? 0;
  }

  #tally(key: string, by: number): void {
    const segment = key.slice(0, key.indexOf("/") + 1);
    this.#counts.set(segment, (this.#counts.get(segment) ?? 0) + by);
  }

  #insertKey(key: string): void {
    const at = Math.min(this.#chunkOf(key), this.#chunks.length - 1);
    const chunk = this.#chunks[at];
    if (chunk === undefined) {
      this.#chunks.push([key]);
      return;
    }
    chunk.splice(lowerBound(chunk, key), 0, key);
    if (chunk.length <= TABLE_CHUNK_KEYS_MAX) return;
    this.#chunks.splice(at + 1, 0, chunk.splice(chunk.length >>> 1));
  }

  /** Index of the first chunk whose last key is not below `key`; the number of chunks when none. */
  #chunkOf(key: string): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const chunk = this.#chunks[middle] as string[];
      if ((chunk[chunk.length - 1] as string) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Index of the first key that is not below `key`. */
function lowerBound(chunk: readonly string[], key: string): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((chunk[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
