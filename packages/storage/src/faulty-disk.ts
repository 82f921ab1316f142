// A disk that fails on demand: every operation is shown to a plan, which may delay it, fail it, or
// fail it after a part of its effect (a torn write, a batch whose sync failed). Works over the real
// disk and over the simulated one.

import type {
  BatchOperation,
  Disk,
  KeyRange,
  KeyValue,
  KeyValueStore,
  SyncedFile,
} from "./disk.ts";

/** One operation about to happen. */
export interface DiskOperation {
  readonly kind:
    | "open"
    | "read"
    | "write"
    | "datasync"
    | "batch"
    | "iterate"
    | "list"
    | "makeDirectory"
    | "writeFile"
    | "remove";
  readonly path: string;
  /** Bytes of a write, 0 otherwise. */
  readonly bytes: number;
  /** A batch that asks for durability. */
  readonly sync: boolean;
}

/** How an operation fails. */
export interface Fault {
  readonly error: Error;
  /**
   * What happens before the error: nothing; everything; for a write only the first `bytes`; for a
   * batch the writing without the sync. Default nothing.
   */
  readonly effect?: "all" | "unsynced" | { readonly bytes: number };
}

/** Decides about an operation: undefined lets it happen; a promise delays the decision. */
export type FaultPlan = (
  operation: DiskOperation,
) => Fault | undefined | Promise<Fault | undefined>;

/** Wraps a disk so that every operation goes through the plan. Blocking reads are not shown. */
export function faultyDisk(disk: Disk, plan: FaultPlan): Disk {
  return new FaultyDisk(disk, plan);
}

function operation(
  kind: DiskOperation["kind"],
  path: string,
  bytes = 0,
  sync = false,
): DiskOperation {
  return { kind, path, bytes, sync };
}

/** Runs an action unless the plan fails it. */
async function run<T>(plan: FaultPlan, what: DiskOperation, action: () => Promise<T>): Promise<T> {
  const decision = plan(what);
  const fault = decision instanceof Promise ? await decision : decision;
  if (fault === undefined) return action();
  if (fault.effect === "all") await action();
  throw fault.error;
}

class FaultyDisk implements Disk {
  readonly #disk: Disk;
  readonly #plan: FaultPlan;

  constructor(disk: Disk, plan: FaultPlan) {
    this.#disk = disk;
    this.#plan = plan;
  }

  list(directory: string): Promise<readonly string[] | undefined> {
    return run(this.#plan, operation("list", directory), () => this.#disk.list(directory));
  }

  makeDirectory(path: string): Promise<void> {
    return run(this.#plan, operation("makeDirectory", path), () => this.#disk.makeDirectory(path));
  }

  readFile(file: string): Promise<Uint8Array | undefined> {
    return run(this.#plan, operation("read", file), () => this.#disk.readFile(file));
  }

  writeFileDurably(file: string, bytes: Uint8Array): Promise<void> {
    return run(this.#plan, operation("writeFile", file, bytes.length, true), () =>
      this.#disk.writeFileDurably(file, bytes),
    );
  }

  remove(path: string): Promise<void> {
    return run(this.#plan, operation("remove", path), () => this.#disk.remove(path));
  }

  async openFile(file: string): Promise<SyncedFile> {
    const opened = await run(this.#plan, operation("open", file), () => this.#disk.openFile(file));
    return new FaultyFile(opened, this.#plan);
  }

  async openKeyValue(
    directory: string,
    options: { readonly createIfMissing: boolean },
  ): Promise<KeyValueStore> {
    const opened = await run(this.#plan, operation("open", directory), () =>
      this.#disk.openKeyValue(directory, options),
    );
    return new FaultyStore(opened, this.#plan);
  }
}

class FaultyFile implements SyncedFile {
  readonly path: string;
  readonly #file: SyncedFile;
  readonly #plan: FaultPlan;

  constructor(file: SyncedFile, plan: FaultPlan) {
    this.path = file.path;
    this.#file = file;
    this.#plan = plan;
  }

  read(length: number): Promise<Uint8Array> {
    return run(this.#plan, operation("read", this.path), () => this.#file.read(length));
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    const decision = this.#plan(operation("write", this.path, bytes.length));
    const fault = decision instanceof Promise ? await decision : decision;
    if (fault === undefined) return this.#file.write(bytes, position);
    const { effect } = fault;
    if (effect === "all" || effect === "unsynced") await this.#file.write(bytes, position);
    else if (effect !== undefined) {
      await this.#file.write(bytes.subarray(0, effect.bytes), position);
    }
    throw fault.error;
  }

  /** Two steps here, so that faults can strike between them. */
  async writeDurably(bytes: Uint8Array, position: number): Promise<void> {
    await this.write(bytes, position);
    await this.datasync();
  }

  datasync(): Promise<void> {
    return run(this.#plan, operation("datasync", this.path), () => this.#file.datasync());
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

class FaultyStore implements KeyValueStore {
  readonly path: string;
  readonly #store: KeyValueStore;
  readonly #plan: FaultPlan;

  constructor(store: KeyValueStore, plan: FaultPlan) {
    this.path = store.path;
    this.#store = store;
    this.#plan = plan;
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return run(this.#plan, operation("read", this.path), () => this.#store.get(key));
  }

  getSync(key: Uint8Array): Uint8Array | undefined {
    return this.#store.getSync(key);
  }

  async batch(
    operations: readonly BatchOperation[],
    options: { readonly sync: boolean },
  ): Promise<void> {
    let bytes = 0;
    for (const { key, value } of operations) bytes += key.length + (value?.length ?? 0);
    const decision = this.#plan(operation("batch", this.path, bytes, options.sync));
    const fault = decision instanceof Promise ? await decision : decision;
    if (fault === undefined) return this.#store.batch(operations, options);
    if (fault.effect === "all") await this.#store.batch(operations, options);
    if (fault.effect === "unsynced") await this.#store.batch(operations, { sync: false });
    throw fault.error;
  }

  iterate(range: KeyRange): AsyncIterable<KeyValue> {
    return guarded(this.#store.iterate(range), this.#plan, this.path);
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}

async function* guarded(
  rows: AsyncIterable<KeyValue>,
  plan: FaultPlan,
  path: string,
): AsyncIterable<KeyValue> {
  await run(plan, operation("iterate", path), async () => {});
  yield* rows;
}
