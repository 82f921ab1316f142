// KeyValueStore on level (LevelDB). Chained batches are used because they measured three times
// faster than the array form at 512 operations (1.4 ms against 4.4 ms, synced).

import { Level } from "level";
import type { BatchOperation, KeyRange, KeyValue, KeyValueStore } from "./disk.ts";
import { codeOf } from "./errors.ts";
import { WRITE_BUFFER_BYTES } from "./limits.ts";

/** Error of opening a store that another handle or process holds. */
export const LOCKED_CODE = "LEVEL_LOCKED";

type Bytes = Uint8Array;

/**
 * Opens a LevelDB directory exclusively. Without `createIfMissing` a missing CURRENT file is an
 * error, never a fresh store. The error's `code` is LEVEL_LOCKED when someone else has it open.
 */
export async function openLevel(
  directory: string,
  options: { readonly createIfMissing: boolean },
): Promise<KeyValueStore> {
  const level = new Level<Bytes, Bytes>(directory, {
    keyEncoding: "view",
    valueEncoding: "view",
    createIfMissing: options.createIfMissing,
    writeBufferSize: WRITE_BUFFER_BYTES,
  });
  try {
    await level.open();
  } catch (error) {
    throw unwrapped(error);
  }
  return new LevelStore(directory, level);
}

class LevelStore implements KeyValueStore {
  readonly path: string;
  readonly #level: Level<Bytes, Bytes>;

  constructor(path: string, level: Level<Bytes, Bytes>) {
    this.path = path;
    this.#level = level;
  }

  get(key: Bytes): Promise<Bytes | undefined> {
    return this.#level.get(key);
  }

  getSync(key: Bytes): Bytes | undefined {
    return this.#level.getSync(key);
  }

  async batch(
    operations: readonly BatchOperation[],
    options: { readonly sync: boolean },
  ): Promise<void> {
    const batch = this.#level.batch();
    for (const operation of operations) {
      if (operation.value === undefined) batch.del(operation.key);
      else batch.put(operation.key, operation.value);
    }
    await batch.write({ sync: options.sync });
  }

  iterate(range: KeyRange): AsyncIterable<KeyValue> {
    return this.#level.iterator({
      gte: range.gte,
      lt: range.lt,
      fillCache: false,
      highWaterMarkBytes: 256 * 1024,
    });
  }

  close(): Promise<void> {
    return this.#level.close();
  }
}

/** level wraps what LevelDB said; the inner error has the code and text that matter. */
function unwrapped(error: unknown): unknown {
  if (!(error instanceof Error) || !(error.cause instanceof Error)) return error;
  return codeOf(error) === "LEVEL_DATABASE_NOT_OPEN" ? error.cause : error;
}
