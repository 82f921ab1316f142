// A snapshot as a stream of bytes, cut into chunks for the bulk channel or written to a file:
//
//   magic 4 | header length 4 | header JSON {format, clusterId, chain, meta}
//   row*:    key length 4 | value length 4 | key | value (JSON)
//   trailer: 0xffffffff 4 | row count 8 | SHA-256 of all bytes before this hash 32
//
// Every chunk also carries the SHA-256 of the stream up to its end, so that a receiver finds damage
// at once and knows how far a broken transfer got.

import { createHash } from "node:crypto";
import type { Hash } from "node:crypto";
import {
  KinglyError,
  fromHex,
  isJsonObject,
  parseStrictJson,
  toHex,
  utf8Encode,
} from "@kingly/base";
import { readUint64, writeUint64 } from "./codec.ts";
import { SNAPSHOT_CHUNK_BYTES, SNAPSHOT_FIELD_BYTES_MAX } from "./limits.ts";
import { metaFromJson, metaToJson } from "./meta.ts";
import type { ObjectMeta } from "./meta.ts";

/** A piece of a snapshot, at most SNAPSHOT_CHUNK_BYTES long. */
export interface SnapshotChunk {
  /** Position of the first byte in the stream. */
  readonly offset: number;
  readonly bytes: Uint8Array;
  /** SHA-256 of the stream up to the end of this chunk; empty = not checked. */
  readonly digest: Uint8Array;
  /** No chunk follows. */
  readonly last: boolean;
}

/** What a snapshot is of. */
export interface SnapshotHeader {
  readonly clusterId: string;
  readonly meta: ObjectMeta;
  /** Chain hash of the log at `meta.appliedIndex`. */
  readonly chain: Uint8Array;
}

/** One row of a snapshot, as bytes. */
export interface SnapshotRow {
  readonly name: Uint8Array;
  readonly payload: Uint8Array;
}

const MAGIC = 0x4b534e50;
const END = 0xffff_ffff;
const HEADER_BYTES_MAX = 1024 * 1024;

/** Cuts the parts of a snapshot into chunks; one instance per stream. */
export class SnapshotEncoder {
  readonly #hash: Hash = createHash("sha256");
  #parts: Uint8Array[] = [];
  #bytes = 0;
  #offset = 0;
  #rows = 0;

  /** Begins the stream. */
  header(header: SnapshotHeader): void {
    const body = utf8Encode(
      JSON.stringify({
        format: 1,
        clusterId: header.clusterId,
        chain: toHex(header.chain),
        meta: metaToJson(header.meta),
      }),
    );
    const lead = new Uint8Array(8);
    const view = new DataView(lead.buffer);
    view.setUint32(0, MAGIC);
    view.setUint32(4, body.length);
    this.#add(lead, body);
  }

  /** Adds a row; returns the chunks that became full. */
  row(row: SnapshotRow): SnapshotChunk[] {
    const lead = new Uint8Array(8);
    const view = new DataView(lead.buffer);
    view.setUint32(0, row.name.length);
    view.setUint32(4, row.payload.length);
    this.#add(lead, row.name, row.payload);
    this.#rows += 1;
    return this.#full();
  }

  /** Ends the stream; returns the remaining chunks, at least one. */
  end(): SnapshotChunk[] {
    const trailer = new Uint8Array(12);
    new DataView(trailer.buffer).setUint32(0, END);
    writeUint64(trailer, this.#rows, 4);
    const pending = this.#hash.copy();
    for (const part of this.#parts) pending.update(part);
    this.#add(trailer, pending.update(trailer).digest());
    const chunks = this.#full();
    chunks.push(this.#cut(this.#bytes, true));
    return chunks;
  }

  #add(...parts: Uint8Array[]): void {
    for (const part of parts) {
      this.#parts.push(part);
      this.#bytes += part.length;
    }
  }

  #full(): SnapshotChunk[] {
    const chunks: SnapshotChunk[] = [];
    while (this.#bytes > SNAPSHOT_CHUNK_BYTES) chunks.push(this.#cut(SNAPSHOT_CHUNK_BYTES, false));
    return chunks;
  }

  #cut(length: number, last: boolean): SnapshotChunk {
    const all = Buffer.concat(this.#parts, this.#bytes);
    const bytes = all.subarray(0, length);
    this.#parts = length < all.length ? [all.subarray(length)] : [];
    this.#bytes = all.length - length;
    const offset = this.#offset;
    this.#offset += length;
    this.#hash.update(bytes);
    return { offset, bytes, digest: this.#hash.copy().digest(), last };
  }
}

/** A snapshot stream is damaged or incomplete. `offset` is where, in bytes. */
export function badSnapshot(offset: number, problem: string): KinglyError {
  return new KinglyError("Corrupted", `snapshot stream at byte ${offset}: ${problem}`, {
    field: "snapshot",
    value: offset,
    reason: problem,
    help: "fetch the snapshot again",
  });
}

/** Takes a snapshot stream apart and checks it; one instance per stream. */
export class SnapshotDecoder {
  readonly #hash: Hash = createHash("sha256");
  /** Hash of the bytes parsed so far; the trailer is compared with it. */
  readonly #parsed: Hash = createHash("sha256");
  #buffer: Uint8Array = new Uint8Array(0);
  #offset = 0;
  #parsedBytes = 0;
  #rows = 0;
  #header: SnapshotHeader | undefined;
  #done = false;

  /** Set once the first chunk that completes the header was taken. */
  get header(): SnapshotHeader | undefined {
    return this.#header;
  }

  /** Takes the next chunk; returns the rows it completed. Throws Corrupted. */
  push(chunk: SnapshotChunk): SnapshotRow[] {
    if (chunk.offset !== this.#offset) {
      throw badSnapshot(this.#offset, `the next chunk begins at ${chunk.offset}`);
    }
    if (this.#done && chunk.bytes.length > 0)
      throw badSnapshot(this.#offset, "bytes after the end");
    this.#hash.update(chunk.bytes);
    this.#offset += chunk.bytes.length;
    if (chunk.digest.length > 0 && !this.#hash.copy().digest().equals(chunk.digest)) {
      throw badSnapshot(chunk.offset, "the chunk does not match its hash");
    }
    this.#buffer = Buffer.concat([this.#buffer, chunk.bytes]);
    const rows: SnapshotRow[] = [];
    while (this.#parseOne(rows));
    if (chunk.last) this.finish();
    return rows;
  }

  /** Checks that the stream is complete. Throws Corrupted. */
  finish(): void {
    if (!this.#done) throw badSnapshot(this.#offset, "the stream ends before its trailer");
    if (this.#buffer.length > 0) throw badSnapshot(this.#parsedBytes, "bytes after the end");
  }

  #parseOne(rows: SnapshotRow[]): boolean {
    if (this.#done || this.#buffer.length < 8) return false;
    const view = new DataView(this.#buffer.buffer, this.#buffer.byteOffset);
    const first = view.getUint32(0);
    const second = view.getUint32(4);
    if (this.#header === undefined) return this.#parseHeader(first, second);
    if (first === END) return this.#parseTrailer();
    this.#limit("key", first);
    this.#limit("value", second);
    const taken = this.#take(8 + first + second);
    if (taken === undefined) return false;
    rows.push({ name: taken.subarray(8, 8 + first), payload: taken.subarray(8 + first) });
    this.#rows += 1;
    return true;
  }

  #limit(what: string, length: number): void {
    if (length <= SNAPSHOT_FIELD_BYTES_MAX) return;
    const limit = SNAPSHOT_FIELD_BYTES_MAX;
    throw badSnapshot(this.#parsedBytes, `a ${what} of ${length} bytes, allowed ${limit}`);
  }

  #parseHeader(magic: number, length: number): boolean {
    if (magic !== MAGIC) throw badSnapshot(0, "is not a snapshot");
    if (length > HEADER_BYTES_MAX) throw badSnapshot(4, `a header of ${length} bytes`);
    const taken = this.#take(8 + length);
    if (taken === undefined) return false;
    const body = parseStrictJson(taken.subarray(8));
    if (!isJsonObject(body) || body["format"] !== 1) throw badSnapshot(8, "unknown format");
    const meta = metaFromJson(body["meta"]);
    const { clusterId, chain } = body;
    if (meta === undefined || typeof clusterId !== "string" || typeof chain !== "string") {
      throw badSnapshot(8, "the header lacks clusterId, chain or meta");
    }
    this.#header = { clusterId, meta, chain: fromHex(chain) };
    return true;
  }

  #parseTrailer(): boolean {
    if (this.#buffer.length < 44) return false;
    const at = this.#parsedBytes;
    const counted = this.#take(12);
    const expected = this.#parsed.copy().digest();
    const digest = this.#take(32);
    if (counted === undefined || digest === undefined) return false;
    if (readUint64(counted, 4) !== this.#rows) throw badSnapshot(at, "rows are missing");
    if (!expected.equals(digest)) throw badSnapshot(at, "the stream does not match its hash");
    this.#done = true;
    return true;
  }

  #take(length: number): Uint8Array | undefined {
    if (this.#buffer.length < length) return undefined;
    const taken = this.#buffer.subarray(0, length);
    this.#buffer = this.#buffer.subarray(length);
    this.#parsed.update(taken);
    this.#parsedBytes += length;
    return taken;
  }
}
