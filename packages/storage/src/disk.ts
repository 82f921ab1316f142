// The seam between storage and the world: a handful of file operations and an ordered key-value
// store with atomic batches. Everything above runs unchanged on the real disk (node-disk.ts), on a
// simulated one (memory-disk.ts) and through a layer that injects faults (faulty-disk.ts).

/** One change of a batch; `value` undefined deletes the key. */
export interface BatchOperation {
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
}

/** Keys from `gte` (inclusive) to `lt` (exclusive), in byte order. */
export interface KeyRange {
  readonly gte: Uint8Array;
  readonly lt: Uint8Array;
}

/** A row as stored. */
export type KeyValue = readonly [key: Uint8Array, value: Uint8Array];

/** An ordered map of bytes with atomic batches. Errors are whatever the implementation throws. */
export interface KeyValueStore {
  /** Where it is, for messages. */
  readonly path: string;
  get(key: Uint8Array): Promise<Uint8Array | undefined>;
  /** Blocking read, for log entries that have left memory. */
  getSync(key: Uint8Array): Uint8Array | undefined;
  /**
   * All operations or none, in order of call. With `sync` it resolves when this batch and every one
   * before it are durable; without, a crash may lose it (but never a part of it).
   */
  batch(operations: readonly BatchOperation[], options: { readonly sync: boolean }): Promise<void>;
  /** Rows in key order, as they were when this was called. */
  iterate(range: KeyRange): AsyncIterable<KeyValue>;
  close(): Promise<void>;
}

/** An open file of fixed size. */
export interface SyncedFile {
  readonly path: string;
  /** Bytes from the start, fewer than `length` at the end of the file. */
  read(length: number): Promise<Uint8Array>;
  /** Writes all bytes at the position. Durable only after `datasync`. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** fdatasync: resolves when everything written before is durable. */
  datasync(): Promise<void>;
  /** `write` and `datasync` in one step where the system can: fewer waits for a worker thread. */
  writeDurably(bytes: Uint8Array, position: number): Promise<void>;
  close(): Promise<void>;
}

/** Files and directories by path. */
export interface Disk {
  /** Names in a directory, sorted; undefined when it does not exist. */
  list(directory: string): Promise<readonly string[] | undefined>;
  /** Creates a directory and its parents, durable in their parent. */
  makeDirectory(directory: string): Promise<void>;
  /** Content of a small file; undefined when it does not exist. */
  readFile(file: string): Promise<Uint8Array | undefined>;
  /** Creates or replaces a file: fsync of a temporary file, rename, fsync of the directory. */
  writeFileDurably(file: string, bytes: Uint8Array): Promise<void>;
  /** Removes a file or a directory with its content, durable in its parent; absent is fine. */
  remove(path: string): Promise<void>;
  /** Opens an existing file for reading and writing in place. */
  openFile(file: string): Promise<SyncedFile>;
  /** Opens a key-value store exclusively; a second opening fails with code LEVEL_LOCKED. */
  openKeyValue(
    directory: string,
    options: { readonly createIfMissing: boolean },
  ): Promise<KeyValueStore>;
}

/** Joins path parts with "/", which every supported platform accepts. */
export function joinPath(...parts: readonly string[]): string {
  return parts.join("/");
}

/** The directory part of a path made by `joinPath`. */
export function parentPath(path: string): string {
  const at = path.lastIndexOf("/");
  return at <= 0 ? (at === 0 ? "/" : ".") : path.slice(0, at);
}
