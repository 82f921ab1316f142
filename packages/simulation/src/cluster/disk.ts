// The disk of one simulated server, behind the same seam that the storage package uses for the real
// one. Every operation takes virtual time. A batch is first in the page cache, then durable; a crash
// between the two, or before, keeps a drawn part of what was not durable (whole batches of the
// key-value store in order; whole, torn or no writes of a file). Damage takes durable batches off the
// end of the journal, as LevelDB's own recovery does with a flipped bit.

import { assert } from "@kingly/base";
import type { Prng } from "@kingly/base";
import type {
  BatchOperation,
  Disk,
  KeyRange,
  KeyValue,
  KeyValueStore,
  SyncedFile,
} from "@kingly/storage";
import type { Host } from "./host.ts";
import { DAMAGE_BATCHES_MAX } from "../limits.ts";

/** How long operations take, microseconds. */
export interface DiskSpeed {
  readonly leastUs: number;
  /** Added uniformly from 0 to this. */
  readonly spreadUs: number;
}

type Undo = readonly (readonly [key: string, before: Uint8Array | undefined])[];

/** Content of one key-value store and how to take its newest batches back. */
class StoreState {
  readonly rows = new Map<string, Uint8Array>();
  /** Newest last; all before `durableCount` are durable. */
  #journal: Undo[] = [];
  #dropped = 0;
  #durable = 0;
  holder: object | undefined;

  /** Puts a batch into the cache; returns its number for `sync`. */
  write(operations: readonly BatchOperation[]): number {
    const undo: (readonly [string, Uint8Array | undefined])[] = [];
    for (const { key, value } of operations) {
      const name = nameOf(key);
      undo.push([name, this.rows.get(name)]);
      if (value === undefined) this.rows.delete(name);
      else this.rows.set(name, value.slice());
    }
    this.#journal.push(undo);
    return this.#dropped + this.#journal.length;
  }

  /** Flips a bit of one row. */
  rot(prng: Prng): void {
    const names = [...this.rows.keys()];
    if (names.length === 0) return;
    const name = prng.pick(names);
    const value = this.rows.get(name)?.slice() ?? new Uint8Array(0);
    flipBit(value, prng);
    this.rows.set(name, value);
  }

  /** Everything up to batch `number` is durable. */
  sync(number: number): void {
    this.#durable = Math.max(this.#durable, number);
    const spare =
      Math.min(this.#journal.length, this.#durable - this.#dropped) - DAMAGE_BATCHES_MAX;
    if (spare < DAMAGE_BATCHES_MAX) return;
    this.#journal = this.#journal.slice(spare);
    this.#dropped += spare;
  }

  protect(): void {
    this.#dropped += this.#journal.length;
    this.#journal = [];
  }

  crash(prng: Prng): void {
    this.holder = undefined;
    const unsynced = this.#dropped + this.#journal.length - this.#durable;
    this.#undo(unsynced - prng.below(unsynced + 1));
    this.#durable = this.#dropped + this.#journal.length;
  }

  /** Takes the newest durable batches away; returns how many. Only while nobody has it open. */
  lose(count: number): number {
    assert(this.holder === undefined, "damage happens to a store that is not open");
    const lost = Math.min(count, this.#journal.length);
    this.#undo(lost);
    this.#durable = this.#dropped + this.#journal.length;
    return lost;
  }

  #undo(count: number): void {
    for (let left = count; left > 0; left -= 1) {
      const undo = this.#journal.pop();
      assert(undo !== undefined, "more batches to undo than there are");
      for (let at = undo.length - 1; at >= 0; at -= 1) {
        const [name, before] = undo[at] as Undo[number];
        if (before === undefined) this.rows.delete(name);
        else this.rows.set(name, before);
      }
    }
  }
}

/** Content of one file: what is durable, what everyone reads, and the writes in between. */
class FileState {
  durable: Uint8Array;
  current: Uint8Array;
  pending: { readonly position: number; readonly bytes: Uint8Array }[] = [];

  constructor(bytes: Uint8Array) {
    this.durable = bytes.slice();
    this.current = bytes.slice();
  }

  write(bytes: Uint8Array, position: number): void {
    assert(position + bytes.length <= this.current.length, "writes stay inside the file");
    this.pending.push({ position, bytes: bytes.slice() });
    this.current.set(bytes, position);
  }

  /** The first `count` writes that were pending are durable now. */
  sync(count: number): void {
    for (const { position, bytes } of this.pending.splice(0, count)) {
      this.durable.set(bytes, position);
    }
  }

  /** Flips a bit at rest. */
  rot(prng: Prng): void {
    flipBit(this.durable, prng);
    this.current = this.durable.slice();
  }

  crash(prng: Prng): void {
    for (const { position, bytes } of this.pending) {
      const fate = prng.below(3);
      const length = fate === 0 ? 0 : fate === 1 ? bytes.length : prng.below(bytes.length + 1);
      this.durable.set(bytes.subarray(0, length), position);
    }
    this.pending = [];
    this.current = this.durable.slice();
  }
}

function flipBit(bytes: Uint8Array, prng: Prng): void {
  if (bytes.length === 0) return;
  const at = prng.below(bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << prng.below(8));
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString("latin1");
}

/** A simulated disk; see the file comment. */
export class SimDisk implements Disk {
  readonly #host: Host;
  readonly #prng: Prng;
  readonly #files = new Map<string, FileState>();
  readonly #stores = new Map<string, StoreState>();
  readonly #directories = new Set<string>();
  #failing = false;
  /** No space is left: what needs new space fails, over restarts too. */
  full = false;
  /** Operations until `onCount` is called; 0: never. */
  #countdown = 0;
  #onCount: () => void = () => {};
  /** May change at any time; operations under way keep theirs. */
  speed: DiskSpeed;

  constructor(host: Host, prng: Prng, speed: DiskSpeed) {
    this.#host = host;
    this.#prng = prng;
    this.speed = speed;
  }

  /** Power off, after the host: what was not durable is lost in part. */
  crash(): void {
    this.#failing = false;
    this.#countdown = 0;
    for (const file of this.#files.values()) file.crash(this.#prng);
    for (const store of this.#stores.values()) store.crash(this.#prng);
  }

  /** Operations fail at present. */
  get failing(): boolean {
    return this.#failing;
  }

  /** Calls `action` when this many more operations are done, unless the machine crashes before. */
  afterOperations(count: number, action: () => void): void {
    this.#countdown = count;
    this.#onCount = action;
  }

  #count(): void {
    if (this.#countdown === 0) return;
    this.#countdown -= 1;
    if (this.#countdown === 0) this.#onCount();
  }

  /** Every operation fails until the next crash. */
  startFailing(): void {
    this.#failing = true;
  }

  /**
   * Flips one bit of a stored value or of the inside of a file, identity.json excepted (it is not this
   * server's then). Returns where; undefined when nothing is stored. Only while nobody has it open.
   */
  rot(): string | undefined {
    const places: { readonly name: string; readonly flip: () => void }[] = [];
    for (const [name, file] of this.#files) {
      if (name.endsWith(".json") || file.durable.length === 0) continue;
      places.push({ name, flip: () => file.rot(this.#prng) });
    }
    // Of equal weight: a file and a store; inside a store, every row.
    for (const [name, store] of this.#stores)
      places.push({ name, flip: () => store.rot(this.#prng) });
    if (places.length === 0) return undefined;
    const place = this.#prng.pick(places);
    place.flip();
    return place.name;
  }

  /** What is durable by now can no longer be lost to damage. */
  protect(): void {
    for (const store of this.#stores.values()) store.protect();
  }

  /** Takes up to `count` durable batches off the store's end. Returns how many there were. */
  loseBatches(count: number): number {
    let lost = 0;
    for (const store of this.#stores.values()) lost += store.lose(count);
    return lost;
  }

  /** Runs `action` after one operation's time; never, when the host crashes before. */
  perform<T>(action: () => T): Promise<T> {
    const { leastUs, spreadUs } = this.speed;
    return new Promise<T>((resolve, reject) => {
      this.#host.after(leastUs + this.#prng.below(spreadUs + 1), () => {
        this.#count();
        if (this.#failing) reject(codedError("EIO", "the simulated disk fails"));
        else {
          try {
            resolve(action());
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)));
          }
        }
      });
    });
  }

  /** An operation that needs new space. */
  #allocate<T>(action: () => T): Promise<T> {
    return this.perform(() => {
      if (this.full) throw codedError("ENOSPC", "no space left on the simulated disk");
      return action();
    });
  }

  /** Writes a batch into a store's journal. */
  journal(action: () => number): Promise<number> {
    return this.#allocate(action);
  }

  list(directory: string): Promise<readonly string[] | undefined> {
    return this.perform(() => {
      if (!this.#directories.has(directory)) return undefined;
      const paths = [...this.#files.keys(), ...this.#stores.keys(), ...this.#directories];
      const start = `${directory}/`;
      const names = paths
        .filter((path) => path.startsWith(start))
        .map((p) => p.slice(start.length));
      return names.filter((name) => !name.includes("/")).sort();
    });
  }

  makeDirectory(directory: string): Promise<void> {
    return this.#allocate(() => void this.#directories.add(directory));
  }

  readFile(file: string): Promise<Uint8Array | undefined> {
    return this.perform(() => this.#files.get(file)?.current.slice());
  }

  writeFileDurably(file: string, bytes: Uint8Array): Promise<void> {
    return this.#allocate(() => void this.#files.set(file, new FileState(bytes)));
  }

  remove(path: string): Promise<void> {
    return this.perform(() => {
      this.#files.delete(path);
      this.#stores.delete(path);
      this.#directories.delete(path);
    });
  }

  openFile(file: string): Promise<SyncedFile> {
    return this.perform(() => {
      const state = this.#files.get(file);
      if (state === undefined) throw codedError("ENOENT", `${file}: no such file`);
      return new SimFile(this, file, state);
    });
  }

  openKeyValue(
    directory: string,
    options: { readonly createIfMissing: boolean },
  ): Promise<KeyValueStore> {
    return this.perform(() => {
      let state = this.#stores.get(directory);
      if (state === undefined) {
        if (!options.createIfMissing) throw new Error(`${directory}: does not exist`);
        state = new StoreState();
        this.#stores.set(directory, state);
      }
      if (state.holder !== undefined) throw codedError("LEVEL_LOCKED", `${directory}: held`);
      return new SimStore(this, directory, state);
    });
  }
}

class SimFile implements SyncedFile {
  readonly path: string;
  readonly #disk: SimDisk;
  readonly #state: FileState;

  constructor(disk: SimDisk, path: string, state: FileState) {
    this.#disk = disk;
    this.path = path;
    this.#state = state;
  }

  read(length: number): Promise<Uint8Array> {
    return this.#disk.perform(() => this.#state.current.slice(0, length));
  }

  write(bytes: Uint8Array, position: number): Promise<void> {
    // Into the page cache at once: from here on a crash may keep it, tear it or lose it.
    this.#state.write(bytes, position);
    return Promise.resolve();
  }

  async writeDurably(bytes: Uint8Array, position: number): Promise<void> {
    await this.write(bytes, position);
    await this.datasync();
  }

  datasync(): Promise<void> {
    const count = this.#state.pending.length;
    return this.#disk.perform(() => this.#state.sync(count));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

class SimStore implements KeyValueStore {
  readonly path: string;
  readonly #disk: SimDisk;
  readonly #state: StoreState;

  constructor(disk: SimDisk, path: string, state: StoreState) {
    this.#disk = disk;
    this.path = path;
    this.#state = state;
    state.holder = this;
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.getSync(key));
  }

  getSync(key: Uint8Array): Uint8Array | undefined {
    return this.#state.rows.get(nameOf(key));
  }

  async batch(
    operations: readonly BatchOperation[],
    options: { readonly sync: boolean },
  ): Promise<void> {
    const number = await this.#disk.journal(() => this.#state.write(operations));
    if (!options.sync) return;
    await this.#disk.perform(() => this.#state.sync(number));
  }

  iterate(range: KeyRange): AsyncIterable<KeyValue> {
    const [from, to] = [nameOf(range.gte), nameOf(range.lt)];
    const rows: [string, Uint8Array][] = [];
    for (const row of this.#state.rows) if (row[0] >= from && row[0] < to) rows.push(row);
    rows.sort((a, b) => (a[0] < b[0] ? -1 : 1));
    return rowsOf(rows);
  }

  close(): Promise<void> {
    if (this.#state.holder === this) this.#state.holder = undefined;
    return Promise.resolve();
  }
}

async function* rowsOf(rows: readonly [string, Uint8Array][]): AsyncIterable<KeyValue> {
  for (const [name, value] of rows) yield [new Uint8Array(Buffer.from(name, "latin1")), value];
}

function codedError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
