// The two small rows beside the log entries: hard state and base.
//
//   hard: sequence 8 | term 8 | vote 8 | commit 8     in every log batch
//   base: generation 4 | term 8 | index 8 | chain 32  at compaction and snapshot installation

import type { BatchOperation } from "./disk.ts";
import { readUint64, seal, unseal, writeUint64 } from "./codec.ts";
import { corrupted } from "./errors.ts";
import type { HardNumbers } from "./group-writer.ts";
import { BASE_KEY, HARD_KEY } from "./keys.ts";
import type { Tail } from "./mark-file.ts";

/** Hard state with the number of the batch that stored it. */
export interface HardRow extends HardNumbers {
  readonly sequence: number;
}

/** Where the log begins and which generation of rows belongs to it. */
export interface BaseRow {
  readonly generation: number;
  readonly base: Tail;
}

const HARD_BYTES = 32;
const BASE_BYTES = 52;

/** The operation that stores the hard state of batch `sequence`. */
export function hardOperation(sequence: number, hard: HardNumbers): BatchOperation {
  const payload = new Uint8Array(HARD_BYTES);
  writeUint64(payload, sequence, 0);
  writeUint64(payload, hard.term, 8);
  writeUint64(payload, hard.vote, 16);
  writeUint64(payload, hard.commit, 24);
  return { key: HARD_KEY, value: seal(HARD_KEY, payload).value };
}

/** Reads the hard-state row. Throws Corrupted when it is missing or damaged. */
export function decodeHard(path: string, value: Uint8Array | undefined): HardRow {
  const payload = open(path, "hard state", HARD_KEY, value);
  return {
    sequence: readUint64(payload, 0),
    term: readUint64(payload, 8),
    vote: readUint64(payload, 16),
    commit: readUint64(payload, 24),
  };
}

/** The operation that stores the base. */
export function baseOperation(row: BaseRow): BatchOperation {
  const payload = new Uint8Array(BASE_BYTES);
  new DataView(payload.buffer).setUint32(0, row.generation);
  writeUint64(payload, row.base.term, 4);
  writeUint64(payload, row.base.index, 12);
  payload.set(row.base.chain, 20);
  return { key: BASE_KEY, value: seal(BASE_KEY, payload).value };
}

/** Reads the base row. Throws Corrupted when it is missing or damaged. */
export function decodeBase(path: string, value: Uint8Array | undefined): BaseRow {
  const payload = open(path, "log base", BASE_KEY, value);
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  return {
    generation: view.getUint32(0),
    base: {
      term: readUint64(payload, 4),
      index: readUint64(payload, 12),
      chain: payload.slice(20, BASE_BYTES),
    },
  };
}

function open(
  path: string,
  where: string,
  key: Uint8Array,
  value: Uint8Array | undefined,
): Uint8Array {
  if (value === undefined) throw corrupted(path, where, "is missing");
  const payload = unseal(key, value)?.payload;
  const bytes = key === HARD_KEY ? HARD_BYTES : BASE_BYTES;
  if (payload?.length !== bytes) throw corrupted(path, where, "fails its checksum");
  return payload;
}
