// Bytes of everything that is stored: keys in which byte order is number order, values sealed with a
// fingerprint that also covers their key (so that a row under the wrong key is found as well), and
// log records with checksum and chain hash.
//
//   record = version 1 | crc32 4 | chain 32 | term 8 | index 8 | type 1 | data
//   chain(i) = SHA-256(chain(i-1) | term | index | type | data)

import { createHash, hash } from "node:crypto";
import { crc32 } from "node:zlib";
import { assert, concatBytes, utf8Encode } from "@kingly/base";
import type { JsonValue } from "@kingly/base";
import type { Entry, EntryType, LogIndex, Term } from "./raft.ts";

/** Chain hash before the first entry of a log that starts at index 1. */
export const CHAIN_ROOT: Uint8Array = new Uint8Array(32);

const RECORD_VERSION = 1;
const CRC_AT = 1;
const CHAIN_AT = 5;
const TERM_AT = 37;
const INDEX_AT = 45;
const TYPE_AT = 53;
/** Bytes of a record besides the entry's payload. */
export const RECORD_HEADER_BYTES = 54;
/** Bytes of a sealed value besides its payload. */
export const SEAL_BYTES = 6;

/** Bytes of the scratch buffer: rows above it, which are rare, are hashed in pieces. */
const SCRATCH_BYTES = 65_536;
/** A UTF-16 unit takes at most three bytes. */
const UTF8_BYTES_PER_UNIT_MAX = 3;
const NO_BYTES = new Uint8Array(0);

const TYPES: readonly EntryType[] = ["normal", "conf-change", "conf-change-v2"];
const TWO_32 = 4_294_967_296;

/** Writes a safe integer >= 0 as 8 bytes, big-endian. */
export function writeUint64(into: Uint8Array, value: number, at: number): void {
  assert(Number.isSafeInteger(value) && value >= 0, () => `not an unsigned integer: ${value}`);
  // By hand: a DataView costs more, and moves a small array off the heap.
  const high = Math.floor(value / TWO_32);
  const low = value >>> 0;
  into[at] = high >>> 24;
  into[at + 1] = high >>> 16;
  into[at + 2] = high >>> 8;
  into[at + 3] = high;
  into[at + 4] = low >>> 24;
  into[at + 5] = low >>> 16;
  into[at + 6] = low >>> 8;
  into[at + 7] = low;
}

/** Reads what `writeUint64` wrote; may exceed the safe integers when the bytes are damaged. */
export function readUint64(from: Uint8Array, at: number): number {
  const view = viewOf(from);
  return view.getUint32(at) * TWO_32 + view.getUint32(at + 4);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** SHA-256, 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return hash("sha256", bytes, "buffer");
}

/** Where key and payload stand side by side to be hashed in one call, which costs a third. */
const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

/** First 48 bits of SHA-256(key | payload): a check of the row and its share in the row sum. */
export function fingerprint(key: Uint8Array, payload: Uint8Array): number {
  const length = key.length + payload.length;
  if (length > SCRATCH_BYTES) {
    const digest = createHash("sha256").update(key).update(payload).digest();
    return digest.readUIntBE(0, SEAL_BYTES);
  }
  scratch.set(key, 0);
  scratch.set(payload, key.length);
  return printOf(scratch.subarray(0, length));
}

function printOf(bytes: Uint8Array): number {
  // As text, because a digest of its own buffer costs more than the hash.
  const digest = hash("sha256", bytes, "binary");
  let print = 0;
  for (let at = 0; at < SEAL_BYTES; at += 1) print = print * 256 + digest.charCodeAt(at);
  return print;
}

/** A value with its fingerprint in front. */
export interface Sealed {
  readonly value: Uint8Array;
  readonly print: number;
}

/** Puts the fingerprint in front of a payload. */
export function seal(key: Uint8Array, payload: Uint8Array): Sealed {
  const print = fingerprint(key, payload);
  const value = Buffer.allocUnsafe(SEAL_BYTES + payload.length);
  value.writeUIntBE(print, 0, SEAL_BYTES);
  value.set(payload, SEAL_BYTES);
  return { value, print };
}

/** `seal` for the payload head | text in UTF-8, without a copy of its own for the payload. */
export function sealText(key: Uint8Array, text: string, head: Uint8Array = NO_BYTES): Sealed {
  const textAt = key.length + head.length;
  if (textAt + text.length * UTF8_BYTES_PER_UNIT_MAX > SCRATCH_BYTES) {
    return seal(key, concatBytes(head, utf8Encode(text)));
  }
  scratch.set(key, 0);
  scratch.set(head, key.length);
  const end = textAt + scratch.write(text, textAt, "utf8");
  const print = printOf(scratch.subarray(0, end));
  const value = Buffer.allocUnsafe(SEAL_BYTES + end - key.length);
  value.writeUIntBE(print, 0, SEAL_BYTES);
  scratch.copy(value, SEAL_BYTES, key.length, end);
  return { value, print };
}

/** Takes the payload out of a sealed value; undefined when key, print and payload do not agree. */
export function unseal(
  key: Uint8Array,
  value: Uint8Array,
): { readonly payload: Uint8Array; readonly print: number } | undefined {
  if (value.length < SEAL_BYTES) return undefined;
  const payload = value.subarray(SEAL_BYTES);
  const print = fingerprint(key, payload);
  const stored = Buffer.from(value.buffer, value.byteOffset, SEAL_BYTES).readUIntBE(0, SEAL_BYTES);
  return stored === print ? { payload, print } : undefined;
}

/** The JSON value of a payload whose fingerprint has been verified. */
export function parseRow(payload: Uint8Array): JsonValue {
  return JSON.parse(
    Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString(),
  ) as JsonValue;
}

/** An entry ready to be stored, with the chain hash up to and including it. */
export interface EncodedEntry {
  readonly record: Uint8Array;
  readonly chain: Uint8Array;
}

/** Encodes an entry that follows the entry whose chain hash is `previous`. */
export function encodeEntry(entry: Entry, previous: Uint8Array): EncodedEntry {
  const record = Buffer.allocUnsafe(RECORD_HEADER_BYTES + entry.data.length);
  record[0] = RECORD_VERSION;
  writeUint64(record, entry.term, TERM_AT);
  writeUint64(record, entry.index, INDEX_AT);
  const type = TYPES.indexOf(entry.type);
  assert(type >= 0, () => `entry type ${entry.type}`);
  record[TYPE_AT] = type;
  record.set(entry.data, RECORD_HEADER_BYTES);
  // The previous hash stands where this record's own hash goes, so that one call hashes both.
  record.set(previous, CHAIN_AT);
  const covered = record.subarray(CHAIN_AT);
  record.write(hash("sha256", covered, "binary"), CHAIN_AT, "latin1");
  const chain = Buffer.allocUnsafe(TERM_AT - CHAIN_AT);
  record.copy(chain, 0, CHAIN_AT, TERM_AT);
  record.writeUInt32BE(crc32(covered), CRC_AT);
  return { record, chain };
}

/** A record read back. */
export interface DecodedEntry {
  readonly entry: Entry;
  readonly chain: Uint8Array;
}

/** Decodes a record; undefined when version, checksum, type or index do not hold. */
export function decodeEntry(record: Uint8Array, index: number): DecodedEntry | undefined {
  if (record.length < RECORD_HEADER_BYTES || record[0] !== RECORD_VERSION) return undefined;
  if (viewOf(record).getUint32(CRC_AT) !== crc32(record.subarray(CHAIN_AT))) return undefined;
  const type = TYPES[record[TYPE_AT] ?? TYPES.length];
  const term = readUint64(record, TERM_AT);
  if (type === undefined || readUint64(record, INDEX_AT) !== index) return undefined;
  if (!Number.isSafeInteger(term)) return undefined;
  return {
    entry: {
      term: term as Term,
      index: index as LogIndex,
      type,
      data: record.subarray(RECORD_HEADER_BYTES),
    },
    chain: record.slice(CHAIN_AT, TERM_AT),
  };
}

/** True when a decoded record follows the record whose chain hash is `previous`. */
export function followsChain(record: Uint8Array, chain: Uint8Array, previous: Uint8Array): boolean {
  const digest = createHash("sha256").update(previous).update(record.subarray(TERM_AT)).digest();
  return digest.equals(chain);
}
