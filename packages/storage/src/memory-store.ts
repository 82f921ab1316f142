// A key-value store in memory that behaves like LevelDB does, also in its bad moments: batches are
// atomic, unsynced ones may be lost at a crash from some point on, and damage may silently take
// batches out of its journal, at the end or in the middle. No timers: every promise resolves by itself.

import { assert } from "@kingly/base";
import type { Prng } from "@kingly/base";
import type { BatchOperation, KeyRange, KeyValue, KeyValueStore } from "./disk.ts";
import { SIMULATED_JOURNAL_MAX } from "./limits.ts";

type Table = Map<string, Uint8Array>;

interface Batch {
  readonly operations: readonly BatchOperation[];
  readonly durable: boolean;
}

/** Byte order of keys is code unit order of their latin1 text. */
function textOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString("latin1");
}

function applyTo(table: Table, operations: readonly BatchOperation[]): void {
  for (const { key, value } of operations) {
    if (value === undefined) table.delete(textOf(key));
    else table.set(textOf(key), value);
  }
}

/** What a simulated store keeps over crashes. */
export class MemoryStoreState {
  /** Content before the journal. */
  readonly #base: Table = new Map();
  #journal: Batch[] = [];
  #current: Table = new Map();
  /** The handle that has it open. */
  holder: object | undefined;

  get current(): ReadonlyMap<string, Uint8Array> {
    return this.#current;
  }

  /** Batches that can still be lost or taken out, oldest first. */
  get journalLength(): number {
    return this.#journal.length;
  }

  write(operations: readonly BatchOperation[], sync: boolean): void {
    // Not slice(): on a Buffer that is a view.
    const own = operations.map(({ key, value }) => ({
      key: new Uint8Array(key),
      value: value === undefined ? undefined : new Uint8Array(value),
    }));
    if (sync) this.#journal = this.#journal.map((batch) => ({ ...batch, durable: true }));
    this.#journal.push({ operations: own, durable: sync });
    applyTo(this.#current, own);
    while (this.#journal.length > SIMULATED_JOURNAL_MAX && this.#journal[0]?.durable === true) {
      const oldest = this.#journal.shift();
      if (oldest !== undefined) applyTo(this.#base, oldest.operations);
    }
  }

  /** Loses unsynced batches: all, or from a drawn point on. */
  crash(prng: Prng | undefined): void {
    this.holder = undefined;
    const durable = this.#journal.findLastIndex((batch) => batch.durable) + 1;
    const unsynced = this.#journal.length - durable;
    const kept = prng === undefined ? 0 : prng.below(unsynced + 1);
    this.dropBatches(durable + kept, unsynced - kept);
  }

  /** Takes batches out of the journal, as LevelDB's recovery does with a damaged log. */
  dropBatches(from: number, count: number): void {
    assert(from >= 0 && from + count <= this.#journal.length, () => `no batches ${from}+${count}`);
    if (count === 0) return;
    this.#journal.splice(from, count);
    this.#current = new Map(this.#base);
    for (const batch of this.#journal) applyTo(this.#current, batch.operations);
  }

  /** Flips one drawn bit of one drawn value; returns false when the store is empty. */
  flipBit(prng: Prng): boolean {
    const keys = [...this.#current.keys()].sort();
    if (keys.length === 0) return false;
    const name = prng.pick(keys);
    const value = this.#current.get(name)?.slice();
    if (value === undefined || value.length === 0) return false;
    const at = prng.below(value.length);
    value[at] = (value[at] ?? 0) ^ (1 << prng.below(8));
    this.write([{ key: Buffer.from(name, "latin1"), value }], true);
    return true;
  }
}

/** A handle on a simulated store; unusable after a crash or `close`. */
export class MemoryStore implements KeyValueStore {
  readonly path: string;
  readonly #state: MemoryStoreState;

  constructor(path: string, state: MemoryStoreState) {
    this.path = path;
    this.#state = state;
    state.holder = this;
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.getSync(key);
  }

  getSync(key: Uint8Array): Uint8Array | undefined {
    this.#check();
    return this.#state.current.get(textOf(key));
  }

  async batch(
    operations: readonly BatchOperation[],
    options: { readonly sync: boolean },
  ): Promise<void> {
    this.#check();
    this.#state.write(operations, options.sync);
  }

  iterate(range: KeyRange): AsyncIterable<KeyValue> {
    this.#check();
    const [from, to] = [textOf(range.gte), textOf(range.lt)];
    const rows: [string, Uint8Array][] = [];
    for (const row of this.#state.current) if (row[0] >= from && row[0] < to) rows.push(row);
    rows.sort((a, b) => (a[0] < b[0] ? -1 : 1));
    return iterateRows(rows);
  }

  async close(): Promise<void> {
    if (this.#state.holder === this) this.#state.holder = undefined;
  }

  #check(): void {
    if (this.#state.holder !== this) throw new Error(`${this.path}: the simulated process is gone`);
  }
}

async function* iterateRows(rows: readonly [string, Uint8Array][]): AsyncIterable<KeyValue> {
  for (const [name, value] of rows) yield [new Uint8Array(Buffer.from(name, "latin1")), value];
}
