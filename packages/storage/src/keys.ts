// Where things are in the one key-value store of a directory. The first byte is the table; numbers
// follow big-endian so that byte order is number order; rows and history carry the generation they
// belong to, so that a snapshot is installed by changing one number.

import { utf8Decode, utf8Encode } from "@kingly/base";
import type { KeyRange } from "./disk.ts";
import { readUint64, writeUint64 } from "./codec.ts";

const HISTORY = 0x48;
const LOG = 0x4c;
const META = 0x4d;
const ROWS = 0x52;
const SINGLE = 0x53;
const GENERATION_BYTES = 4;

function single(name: string): Uint8Array {
  return table(SINGLE, utf8Encode(name));
}

function table(first: number, rest: Uint8Array): Uint8Array {
  const key = new Uint8Array(1 + rest.length);
  key[0] = first;
  key.set(rest, 1);
  return key;
}

/** Who this store belongs to, the same as in identity.json. */
export const IDENTITY_KEY: Uint8Array = single("identity");
/** Term, vote, commit index and the number of the newest log batch. */
export const HARD_KEY: Uint8Array = single("hard");
/** Where the log begins, and which generation of rows is current. */
export const BASE_KEY: Uint8Array = single("base");

/** Key of a log entry. */
export function logKey(index: number): Uint8Array {
  const key = new Uint8Array(9);
  key[0] = LOG;
  writeUint64(key, index, 1);
  return key;
}

/** Index of a log key. */
export function logKeyIndex(key: Uint8Array): number {
  return readUint64(key, 1);
}

/** Log entries with index >= from. */
export function logRange(from: number): KeyRange {
  return { gte: logKey(from), lt: new Uint8Array([LOG + 1]) };
}

function generational(first: number, generation: number, rest: number): Uint8Array {
  const key = new Uint8Array(1 + GENERATION_BYTES + rest);
  key[0] = first;
  new DataView(key.buffer).setUint32(1, generation);
  return key;
}

/** Key of the metadata of a generation's rows. */
export function metaKey(generation: number): Uint8Array {
  return generational(META, generation, 0);
}

/** Key of a row. */
export function rowKey(generation: number, name: string): Uint8Array {
  const key = Buffer.allocUnsafe(1 + GENERATION_BYTES + Buffer.byteLength(name));
  key[0] = ROWS;
  key.writeUInt32BE(generation, 1);
  key.write(name, 1 + GENERATION_BYTES, "utf8");
  return key;
}

/** Name of a row key; throws KinglyError when its bytes are no UTF-8. */
export function rowName(key: Uint8Array): string {
  return utf8Decode(key.subarray(1 + GENERATION_BYTES));
}

/** Key of the block of history that begins with `revision`. */
export function historyKey(generation: number, revision: number): Uint8Array {
  const key = generational(HISTORY, generation, 8);
  writeUint64(key, revision, 1 + GENERATION_BYTES);
  return key;
}

/** First revision of the block under a history key. */
export function historyRevision(key: Uint8Array): number {
  return readUint64(key, 1 + GENERATION_BYTES);
}

/** All rows of a generation. */
export function rowRange(generation: number): KeyRange {
  return {
    gte: generational(ROWS, generation, 0),
    lt: generational(ROWS, generation + 1, 0),
  };
}

/** Blocks of history of a generation that begin at a revision or after it. */
export function historyRange(generation: number, revision: number): KeyRange {
  return {
    gte: historyKey(generation, revision),
    lt: generational(HISTORY, generation + 1, 0),
  };
}

const GENERATIONAL = [HISTORY, META, ROWS];

/** Everything that belongs to generations before the current one. */
export function olderGenerations(current: number): readonly KeyRange[] {
  return GENERATIONAL.map((first) => ({
    gte: generational(first, 0, 0),
    lt: generational(first, current, 0),
  }));
}

/** Everything that belongs to generations after the current one: unfinished imports. */
export function newerGenerations(current: number): readonly KeyRange[] {
  return GENERATIONAL.map((first) => ({
    gte: generational(first, current + 1, 0),
    lt: new Uint8Array([first + 1]),
  }));
}
