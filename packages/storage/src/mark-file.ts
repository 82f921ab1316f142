// The mark: term, vote and log tail of the newest acknowledged append, in a file of its own, because
// LevelDB's recovery may silently drop the end of its log. Two preallocated slots are written in
// turn, each with number and checksum: a torn write destroys only the slot that nothing depended on
// yet. A 4096-byte distance keeps the slots in different sectors and pages. Inside a slot the record
// stands twice, so that a flipped bit at rest is harmless and an invalid slot means a torn write.

import { equalBytes } from "@kingly/base";
import type { Disk, SyncedFile } from "./disk.ts";
import { CHAIN_ROOT, readUint64, sha256, writeUint64 } from "./codec.ts";

/** The end of a log. Index 0, term 0: empty. */
export interface Tail {
  readonly term: number;
  readonly index: number;
  /** Chain hash up to and including `index`, 32 bytes. */
  readonly chain: Uint8Array;
}

/** The end of a log that starts at index 1 and has no entry yet. */
export const EMPTY_TAIL: Tail = { term: 0, index: 0, chain: CHAIN_ROOT };

/** What a mark says. */
export interface Mark {
  /** Number of the log batch it was written after; grows by one per batch. */
  readonly sequence: number;
  readonly term: number;
  /** Raft id voted for in `term`, 0 for none. */
  readonly vote: number;
  /** End of the log; while recovering the end that the log once had. */
  readonly tail: Tail;
  /** The log was found below this mark and has not caught up yet. */
  readonly recovering: boolean;
}

/** Which slots held a valid mark. */
export interface MarkReading {
  /** The valid mark with the highest number; undefined when no slot is valid. */
  readonly newest: Mark | undefined;
  /** Slots (0, 1) whose checksum or owner does not hold. */
  readonly invalidSlots: readonly number[];
}

/** Distance of the two slots, bytes. */
export const MARK_SLOT_BYTES = 4096;
/** Distance of the two copies of a record inside a slot, bytes: another sector of the same page. */
export const MARK_COPY_BYTES = 2048;
/** Size of the mark file, bytes. */
export const MARK_FILE_BYTES: number = 2 * MARK_SLOT_BYTES;
/** Bytes of one record. */
export const MARK_RECORD_BYTES = 136;

const MAGIC = 0x4b4d524b;
const VERSION = 1;
const FLAGS_AT = 5;
const OWNER_AT = 8;
const SEQUENCE_AT = 24;
const TERM_AT = 32;
const VOTE_AT = 40;
const TAIL_TERM_AT = 48;
const TAIL_INDEX_AT = 56;
const TAIL_CHAIN_AT = 64;
const CHECKSUM_AT = 104;
const RECOVERING = 1;

/** Bytes of one slot: the record twice. */
export function encodeSlot(mark: Mark, owner: Uint8Array): Uint8Array {
  const record = encodeMark(mark, owner);
  const slot = new Uint8Array(MARK_COPY_BYTES + MARK_RECORD_BYTES);
  slot.set(record, 0);
  slot.set(record, MARK_COPY_BYTES);
  return slot;
}

/** The mark of a slot: the newer of its valid copies, undefined when none is valid. */
export function decodeSlot(slot: Uint8Array, owner: Uint8Array): Mark | undefined {
  const first = decodeMark(slot.subarray(0, MARK_RECORD_BYTES), owner);
  const end = MARK_COPY_BYTES + MARK_RECORD_BYTES;
  const second = decodeMark(slot.subarray(MARK_COPY_BYTES, end), owner);
  return (second?.sequence ?? -1) > (first?.sequence ?? -1) ? second : first;
}

/** Encodes one record. `owner` (16 bytes) ties the mark to its directory. */
export function encodeMark(mark: Mark, owner: Uint8Array): Uint8Array {
  const record = new Uint8Array(MARK_RECORD_BYTES);
  new DataView(record.buffer).setUint32(0, MAGIC);
  record[4] = VERSION;
  record[FLAGS_AT] = mark.recovering ? RECOVERING : 0;
  record.set(owner.subarray(0, 16), OWNER_AT);
  writeUint64(record, mark.sequence, SEQUENCE_AT);
  writeUint64(record, mark.term, TERM_AT);
  writeUint64(record, mark.vote, VOTE_AT);
  writeUint64(record, mark.tail.term, TAIL_TERM_AT);
  writeUint64(record, mark.tail.index, TAIL_INDEX_AT);
  record.set(mark.tail.chain, TAIL_CHAIN_AT);
  record.set(sha256(record.subarray(0, CHECKSUM_AT)), CHECKSUM_AT);
  return record;
}

/** Decodes one record; undefined when it is torn, damaged or another directory's. */
export function decodeMark(record: Uint8Array, owner: Uint8Array): Mark | undefined {
  if (record.length < MARK_RECORD_BYTES) return undefined;
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  if (view.getUint32(0) !== MAGIC || record[4] !== VERSION) return undefined;
  const checksum = record.subarray(CHECKSUM_AT, MARK_RECORD_BYTES);
  if (!equalBytes(sha256(record.subarray(0, CHECKSUM_AT)), checksum)) return undefined;
  if (!equalBytes(record.subarray(OWNER_AT, SEQUENCE_AT), owner.subarray(0, 16))) return undefined;
  return {
    sequence: readUint64(record, SEQUENCE_AT),
    term: readUint64(record, TERM_AT),
    vote: readUint64(record, VOTE_AT),
    tail: {
      term: readUint64(record, TAIL_TERM_AT),
      index: readUint64(record, TAIL_INDEX_AT),
      chain: record.slice(TAIL_CHAIN_AT, TAIL_CHAIN_AT + 32),
    },
    recovering: ((record[FLAGS_AT] ?? 0) & RECOVERING) !== 0,
  };
}

/** Content of a new mark file: one valid slot, one that was never written. */
export function initialMarkFile(mark: Mark, owner: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(MARK_FILE_BYTES);
  bytes.set(encodeSlot(mark, owner), 0);
  // The unwritten slot holds an older copy rather than nothing, so that an invalid slot always
  // means a torn or damaged one.
  bytes.set(encodeSlot(mark, owner), MARK_SLOT_BYTES);
  return bytes;
}

/** Reads and writes the mark of one directory. */
export class MarkFile {
  readonly #file: SyncedFile;
  readonly #owner: Uint8Array;
  /** The slot that holds the newest mark; the other one is written next. */
  #slot = 0;

  private constructor(file: SyncedFile, owner: Uint8Array) {
    this.#file = file;
    this.#owner = owner;
  }

  /** Opens an existing mark file. Throws the disk's error when it is absent. */
  static async open(disk: Disk, path: string, owner: Uint8Array): Promise<MarkFile> {
    return new MarkFile(await disk.openFile(path), owner);
  }

  get path(): string {
    return this.#file.path;
  }

  /** Reads both slots. Call once before the first write. */
  async read(): Promise<MarkReading> {
    const bytes = await this.#file.read(MARK_FILE_BYTES);
    const marks = [0, 1].map((slot) => {
      const at = slot * MARK_SLOT_BYTES;
      return decodeSlot(bytes.subarray(at, at + MARK_SLOT_BYTES), this.#owner);
    });
    const [first, second] = marks;
    const newestSlot = (second?.sequence ?? -1) > (first?.sequence ?? -1) ? 1 : 0;
    this.#slot = newestSlot;
    return {
      newest: marks[newestSlot],
      invalidSlots: [0, 1].filter((slot) => marks[slot] === undefined),
    };
  }

  /** Writes the mark into the older slot; resolves when it is durable. One call at a time. */
  async write(mark: Mark): Promise<void> {
    const slot = 1 - this.#slot;
    await this.#file.writeDurably(encodeSlot(mark, this.#owner), slot * MARK_SLOT_BYTES);
    this.#slot = slot;
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
