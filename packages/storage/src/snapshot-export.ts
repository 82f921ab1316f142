// Reading a snapshot: all rows of the current generation with their metadata, from one consistent
// view of the store, as chunks for the bulk channel or a backup file.

import type { KeyRange, KeyValue, KeyValueStore } from "./disk.ts";
import { unseal } from "./codec.ts";
import { corrupted } from "./errors.ts";
import { metaKey, rowRange } from "./keys.ts";
import { decodeMeta } from "./meta.ts";
import type { ObjectMeta } from "./meta.ts";
import { SnapshotEncoder } from "./snapshot-codec.ts";
import type { SnapshotChunk } from "./snapshot-codec.ts";

/** A snapshot being read. */
export interface SnapshotExport {
  /** What it is of; `appliedIndex` and `appliedTerm` are its place in the log. */
  readonly meta: ObjectMeta;
  /** Chain hash of the log at `meta.appliedIndex`. */
  readonly chain: Uint8Array;
  /** The stream; can be read once. Throws Corrupted at a row that fails its check. */
  readonly chunks: AsyncIterable<SnapshotChunk>;
}

/** Begins a snapshot of a generation; the view is taken at this call. */
export async function beginExport(
  store: KeyValueStore,
  generation: number,
  clusterId: string,
): Promise<SnapshotExport> {
  // One iterator over metadata and rows, because two would be two views.
  const range: KeyRange = { gte: metaKey(generation), lt: rowRange(generation).lt };
  const rows = store.iterate(range)[Symbol.asyncIterator]();
  const first = await rows.next();
  const value = first.done === true ? undefined : first.value[1];
  const { meta, chain } = decodeMeta(store.path, generation, value);
  const encoder = new SnapshotEncoder();
  encoder.header({ clusterId, meta, chain });
  return { meta, chain, chunks: readChunks(store, generation, rows, encoder) };
}

async function* readChunks(
  store: KeyValueStore,
  generation: number,
  rows: AsyncIterator<KeyValue>,
  encoder: SnapshotEncoder,
): AsyncIterable<SnapshotChunk> {
  const { gte } = rowRange(generation);
  try {
    for (let next = await rows.next(); next.done !== true; next = await rows.next()) {
      const [key, value] = next.value;
      // Metadata of a staged generation and rows of an old one lie between ours.
      if (Buffer.compare(key, gte) < 0) continue;
      const payload = unseal(key, value)?.payload;
      if (payload === undefined) throw corrupted(store.path, "rows", "a row fails its checksum");
      yield* encoder.row({ name: key.subarray(gte.length), payload });
    }
    yield* encoder.end();
  } finally {
    await rows.return?.();
  }
}
