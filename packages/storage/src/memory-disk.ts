// A disk in memory for simulators and tests: the same storage code runs over it, in virtual time and
// without timers. It knows what is durable and what is not, can crash, and can be damaged.

import type { Prng } from "@kingly/base";
import { assert } from "@kingly/base";
import type { Disk, KeyValueStore, SyncedFile } from "./disk.ts";
import { parentPath } from "./disk.ts";
import { LOCKED_CODE } from "./level-store.ts";
import { MemoryStore, MemoryStoreState } from "./memory-store.ts";

interface PendingWrite {
  readonly position: number;
  readonly bytes: Uint8Array;
}

/** Content of one file: what a crash leaves for sure, and what was written since. */
class MemoryFileState {
  #durable: Uint8Array;
  #current: Uint8Array;
  #pending: PendingWrite[] = [];

  constructor(bytes: Uint8Array) {
    this.#durable = bytes.slice();
    this.#current = bytes.slice();
  }

  get bytes(): Uint8Array {
    return this.#current;
  }

  write(bytes: Uint8Array, position: number): void {
    this.#pending.push({ position, bytes: bytes.slice() });
    this.#current = overlaid(this.#current, bytes, position);
  }

  sync(): void {
    this.#durable = this.#current.slice();
    this.#pending = [];
  }

  /** Each unsynced write survives whole, in part (torn) or not at all; without prng not at all. */
  crash(prng: Prng | undefined): void {
    for (const { position, bytes } of this.#pending) {
      const length = prng === undefined ? 0 : prng.below(bytes.length + 1);
      this.#durable = overlaid(this.#durable, bytes.subarray(0, length), position);
    }
    this.#current = this.#durable.slice();
    this.#pending = [];
  }

  flipBit(byte: number, bit: number): void {
    for (const copy of [this.#durable, this.#current]) {
      copy[byte] = (copy[byte] ?? 0) ^ (1 << bit);
    }
  }
}

function overlaid(old: Uint8Array, bytes: Uint8Array, position: number): Uint8Array {
  const out = new Uint8Array(Math.max(old.length, position + bytes.length));
  out.set(old);
  out.set(bytes, position);
  return out;
}

/** What a crash of a simulated machine does to unsynced data. */
export interface CrashOptions {
  /** Draws how much of the unsynced data survives; absent: none of it. */
  readonly prng?: Prng;
}

/** A simulated disk. Directories exist once created; nothing costs time. */
export class MemoryDisk implements Disk {
  readonly #files = new Map<string, MemoryFileState>();
  readonly #stores = new Map<string, MemoryStoreState>();
  readonly #directories = new Set<string>();
  #epoch = 0;

  /**
   * The machine loses power: unsynced data is lost as the options say, and every open handle fails
   * from now on. Open the storage again to restart.
   */
  crash(options: CrashOptions = {}): void {
    this.#epoch += 1;
    for (const path of [...this.#files.keys()].sort()) {
      this.#files.get(path)?.crash(options.prng?.fork(path));
    }
    for (const path of [...this.#stores.keys()].sort()) {
      this.#stores.get(path)?.crash(options.prng?.fork(path));
    }
  }

  /** The simulated store at a path, for losing batches and flipping bits. Asserts that it exists. */
  storeState(path: string): MemoryStoreState {
    const state = this.#stores.get(path);
    assert(state !== undefined, () => `no store at ${path}`);
    return state;
  }

  /** Flips one bit of a file. Asserts that file and byte exist. */
  flipBit(path: string, byte: number, bit: number): void {
    const file = this.#files.get(path);
    assert(file !== undefined && byte < file.bytes.length, () => `no byte ${byte} in ${path}`);
    file.flipBit(byte, bit);
  }

  async list(directory: string): Promise<readonly string[] | undefined> {
    if (!this.#directories.has(directory)) return undefined;
    const names = new Set<string>();
    for (const path of [...this.#files.keys(), ...this.#stores.keys(), ...this.#directories]) {
      if (parentPath(path) === directory) names.add(path.slice(directory.length + 1));
    }
    return [...names].sort();
  }

  async makeDirectory(directory: string): Promise<void> {
    for (let at = directory; parentPath(at) !== at; at = parentPath(at)) this.#directories.add(at);
  }

  async readFile(file: string): Promise<Uint8Array | undefined> {
    return this.#files.get(file)?.bytes.slice();
  }

  async writeFileDurably(file: string, bytes: Uint8Array): Promise<void> {
    this.#files.set(file, new MemoryFileState(bytes));
  }

  async remove(path: string): Promise<void> {
    const isInside = (name: string): boolean => name === path || name.startsWith(`${path}/`);
    for (const name of this.#files.keys()) if (isInside(name)) this.#files.delete(name);
    for (const name of this.#stores.keys()) if (isInside(name)) this.#stores.delete(name);
    for (const name of this.#directories) if (isInside(name)) this.#directories.delete(name);
  }

  async openFile(file: string): Promise<SyncedFile> {
    const state = this.#files.get(file);
    if (state === undefined) throw codedError("ENOENT", `${file}: no such file`);
    const epoch = this.#epoch;
    return new MemoryFile(file, state, () => epoch === this.#epoch);
  }

  async openKeyValue(
    directory: string,
    options: { readonly createIfMissing: boolean },
  ): Promise<KeyValueStore> {
    let state = this.#stores.get(directory);
    if (state === undefined) {
      if (!options.createIfMissing) throw new Error(`${directory}: does not exist`);
      state = new MemoryStoreState();
      this.#stores.set(directory, state);
    }
    if (state.holder !== undefined) throw codedError(LOCKED_CODE, `${directory}: already held`);
    return new MemoryStore(directory, state);
  }
}

class MemoryFile implements SyncedFile {
  readonly path: string;
  readonly #state: MemoryFileState;
  readonly #isAlive: () => boolean;

  constructor(path: string, state: MemoryFileState, isAlive: () => boolean) {
    this.path = path;
    this.#state = state;
    this.#isAlive = isAlive;
  }

  async read(length: number): Promise<Uint8Array> {
    this.#check();
    return this.#state.bytes.slice(0, length);
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    this.#check();
    this.#state.write(bytes, position);
  }

  async writeDurably(bytes: Uint8Array, position: number): Promise<void> {
    await this.write(bytes, position);
    await this.datasync();
  }

  async datasync(): Promise<void> {
    this.#check();
    this.#state.sync();
  }

  async close(): Promise<void> {
    // A handle holds nothing that would have to be given back.
  }

  #check(): void {
    if (!this.#isAlive()) throw new Error(`${this.path}: the simulated process is gone`);
  }
}

function codedError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
