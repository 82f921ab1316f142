// Installing a snapshot. Its rows are written beside the current ones, under the next generation
// number, and verified; then one atomic batch with the log append changes the generation, the
// metadata and the base of the log. A crash leaves the old state or the new one, and what belongs to
// neither is removed at the next opening.

import { KinglyError, utf8Decode } from "@kingly/base";
import type { JsonValue } from "@kingly/base";
import type { BatchOperation, KeyRange, KeyValueStore } from "./disk.ts";
import { storageFailure } from "./errors.ts";
import type { HaltSwitch } from "./halt.ts";
import { olderGenerations } from "./keys.ts";
import { GARBAGE_BATCH_KEYS, IMPORT_BATCH_ROWS, STAGED_BYTES_FLUSH } from "./limits.ts";
import { metaOperation } from "./meta.ts";
import type { ObjectMeta, StoredMeta } from "./meta.ts";
import { parseRow } from "./codec.ts";
import { encodeRow } from "./object-store.ts";
import type { ObjectStore, RowChange } from "./object-store.ts";
import { RowSum } from "./row-sum.ts";
import { SnapshotDecoder, badSnapshot } from "./snapshot-codec.ts";
import type { SnapshotChunk } from "./snapshot-codec.ts";

/** Rows from anywhere: a list or a stream. */
export type RowSource =
  | Iterable<readonly [key: string, value: JsonValue]>
  | AsyncIterable<readonly [key: string, value: JsonValue]>;

/** How a staged snapshot becomes current: operations for the log batch, and what to do after. */
export interface InstallPlan {
  readonly generation: number;
  readonly chain: Uint8Array;
  readonly operations: readonly BatchOperation[];
  readonly installed: () => void;
}

interface Staged {
  readonly generation: number;
  readonly stored: StoredMeta;
  readonly rows: RowSum;
}

/** What staging needs from the store around it. */
export interface ImporterPorts {
  readonly store: KeyValueStore;
  readonly halt: HaltSwitch;
  readonly objects: ObjectStore;
  readonly clusterId: string;
}

/** Stages snapshots of one store; at most the newest staged one is kept. */
export class SnapshotImporter {
  readonly #ports: ImporterPorts;
  #lastGeneration: number;
  #staged: Staged | undefined;
  #cleaning: Promise<void> = Promise.resolve();

  constructor(ports: ImporterPorts) {
    this.#ports = ports;
    this.#lastGeneration = ports.objects.generation;
  }

  /**
   * Reads and verifies a stream and stages its rows. Throws Corrupted when it is damaged or ends
   * early, IdentityMismatch when it is of another cluster; nothing changes then.
   */
  async import(
    chunks: AsyncIterable<SnapshotChunk> | Iterable<SnapshotChunk>,
  ): Promise<ObjectMeta> {
    const decoder = new SnapshotDecoder();
    const staging = this.#begin();
    for await (const chunk of chunks) {
      const rows = decoder.push(chunk);
      this.#checkCluster(decoder);
      for (const row of rows) {
        await staging.add({ key: utf8Decode(row.name), value: parseRow(row.payload) });
      }
      if (chunk.last) break;
    }
    decoder.finish();
    const { header } = decoder;
    if (header === undefined) throw badSnapshot(0, "has no header");
    this.#staged = await staging.finish(header.meta, header.chain);
    return header.meta;
  }

  /** Stages rows that are at hand, for example of a restored backup. */
  async stage(rows: RowSource, meta: ObjectMeta, chain: Uint8Array): Promise<void> {
    const staging = this.#begin();
    for await (const [key, value] of rows) await staging.add({ key, value });
    this.#staged = await staging.finish(meta, chain);
  }

  /** Hands out the staged snapshot of (index, term) for installation. Throws NotFound without one. */
  takeStaged(index: number, term: number): InstallPlan {
    const staged = this.#staged;
    const meta = staged?.stored.meta;
    if (staged === undefined || meta?.appliedIndex !== index || meta.appliedTerm !== term) {
      const found = meta === undefined ? "none" : `one of ${meta.appliedTerm}/${meta.appliedIndex}`;
      throw new KinglyError(
        "NotFound",
        `no snapshot of term ${term}, index ${index} was imported (there is ${found})`,
        { field: "snapshot", value: index, help: "import the snapshot before appending it" },
      );
    }
    this.#staged = undefined;
    const { generation, stored, rows } = staged;
    return {
      generation,
      chain: stored.chain,
      operations: [metaOperation(generation, stored)],
      installed: () => {
        this.#ports.objects.switchTo(generation, stored, rows);
        this.#clean();
      },
    };
  }

  /** Resolves when the rows of replaced generations are removed. */
  cleaned(): Promise<void> {
    return this.#cleaning;
  }

  #checkCluster(decoder: SnapshotDecoder): void {
    const found = decoder.header?.clusterId;
    if (found === undefined || found === this.#ports.clusterId) return;
    throw new KinglyError("IdentityMismatch", `the snapshot is of cluster ${found}`, {
      field: "clusterId",
      limit: this.#ports.clusterId,
      value: found,
    });
  }

  #begin(): Staging {
    this.#ports.halt.check();
    this.#staged = undefined;
    this.#lastGeneration += 1;
    return new Staging(this.#ports, this.#lastGeneration);
  }

  #clean(): void {
    const { store, halt, objects } = this.#ports;
    this.#cleaning = this.#cleaning
      .then(async () => {
        await removeRanges(store, olderGenerations(objects.generation));
      })
      .catch((error: unknown) => {
        halt.trip(storageFailure(store.path, "removing replaced rows", error));
      });
  }
}

/** Rows on their way into a new generation, in synced batches. */
class Staging {
  readonly #ports: ImporterPorts;
  readonly #generation: number;
  readonly #rows = new RowSum();
  #operations: BatchOperation[] = [];
  #bytes = 0;

  constructor(ports: ImporterPorts, generation: number) {
    this.#ports = ports;
    this.#generation = generation;
  }

  async add(row: RowChange): Promise<void> {
    const { name, operation, print } = encodeRow(this.#generation, row);
    this.#rows.set(name, print);
    this.#operations.push(operation);
    this.#bytes += operation.value?.length ?? 0;
    if (this.#operations.length < IMPORT_BATCH_ROWS && this.#bytes < STAGED_BYTES_FLUSH) return;
    await this.#write();
  }

  async finish(meta: ObjectMeta, chain: Uint8Array): Promise<Staged> {
    await this.#write();
    const stored: StoredMeta = {
      meta,
      chain,
      rowCount: this.#rows.count,
      rowSum: this.#rows.sum,
      compactedRevision: meta.revision,
      historyBase: 0,
      historyTip: 0,
    };
    return { generation: this.#generation, stored, rows: this.#rows };
  }

  async #write(): Promise<void> {
    const { store, halt } = this.#ports;
    halt.check();
    const operations = this.#operations;
    this.#operations = [];
    this.#bytes = 0;
    if (operations.length === 0) return;
    try {
      await store.batch(operations, { sync: true });
    } catch (error) {
      throw halt.trip(storageFailure(store.path, "batch of snapshot rows", error));
    }
  }
}

/** Removes all keys of the ranges, in bounded batches; returns how many there were. */
export async function removeRanges(
  store: KeyValueStore,
  ranges: readonly KeyRange[],
): Promise<number> {
  let removed = 0;
  let operations: BatchOperation[] = [];
  for (const range of ranges) {
    for await (const [key] of store.iterate(range)) {
      operations.push({ key, value: undefined });
      if (operations.length < GARBAGE_BATCH_KEYS) continue;
      removed += operations.length;
      await store.batch(operations, { sync: false });
      operations = [];
    }
  }
  if (operations.length > 0) await store.batch(operations, { sync: false });
  return removed + operations.length;
}
