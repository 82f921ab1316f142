// The applied state: rows by key, their history by revision, and the metadata, always changed
// together. A commit is not written at once: it rides in the next synced batch of the log (or in one
// of its own when enough has gathered), so it costs no sync; after a crash the log is replayed from
// the stored applied index. Nothing here is ever written unsynced, because LevelDB may lose the end
// of one log file and keep the beginning of the next.

import { KinglyError, assert } from "@kingly/base";
import type { JsonValue } from "@kingly/base";
import type { BatchOperation, KeyValueStore } from "./disk.ts";
import { SEAL_BYTES, parseRow, sealText, unseal } from "./codec.ts";
import { corrupted } from "./errors.ts";
import type { HaltSwitch } from "./halt.ts";
import { History, decodeHistory } from "./history.ts";
import type { HistoryEntry, HistoryLimits } from "./history.ts";
import { historyRange, metaKey, rowKey, rowName, rowRange } from "./keys.ts";
import {
  HISTORY_AGE_MS,
  HISTORY_REVISIONS_MAX,
  ROW_BYTES_MAX,
  ROW_KEY_CHARS_MAX,
  STAGED_BYTES_FLUSH,
  STAGED_BYTES_MAX,
  STAGED_COMMITS_MAX,
} from "./limits.ts";
import { decodeMeta, metaOperation } from "./meta.ts";
import type { ObjectMeta, StoredMeta } from "./meta.ts";
import { RowSum } from "./row-sum.ts";

/** A changed row; `value` undefined deletes it. */
export interface RowChange {
  readonly key: string;
  readonly value: JsonValue | undefined;
}

/** Everything that one or more applied entries changed. */
export interface Commit {
  readonly rows: readonly RowChange[];
  /** Ascending revisions, each newer than the last commit's revision. */
  readonly history: readonly HistoryEntry[];
  readonly meta: ObjectMeta;
}

/** What the object store needs from the store around it. */
export interface ObjectStorePorts {
  readonly store: KeyValueStore;
  readonly halt: HaltSwitch;
  /** Chain hash of the log at an applied index. */
  readonly chainAt: (index: number, term: number) => Uint8Array;
  /** Writes a synced batch with everything staged; resolves when durable. */
  readonly flush: () => Promise<void>;
}

/** Rows, history and metadata of the applied state. */
export class ObjectStore {
  readonly #ports: ObjectStorePorts;
  readonly #limits: HistoryLimits;
  #generation: number;
  #meta: StoredMeta;
  #rows: RowSum;
  #history: History;
  #staged: BatchOperation[] = [];
  #stagedBytes = 0;
  #stagedCommits = 0;

  private constructor(
    ports: ObjectStorePorts,
    limits: HistoryLimits,
    state: { generation: number; meta: StoredMeta; rows: RowSum; history: History },
  ) {
    this.#ports = ports;
    this.#limits = limits;
    this.#generation = state.generation;
    this.#meta = state.meta;
    this.#rows = state.rows;
    this.#history = state.history;
  }

  /**
   * Reads and checks a generation. Throws Corrupted when a row or the row sum fails. `repairs` are
   * operations for the next batch (damaged history to remove).
   */
  static async open(
    ports: ObjectStorePorts,
    generation: number,
    limits: Partial<HistoryLimits> = {},
  ): Promise<{ objects: ObjectStore; repairs: readonly BatchOperation[] }> {
    const { store } = ports;
    const meta = decodeMeta(store.path, generation, await store.get(metaKey(generation)));
    const rows = new RowSum();
    for await (const [key, value] of store.iterate(rowRange(generation))) {
      const sealed = unseal(key, value);
      if (sealed === undefined) throw rowDamaged(store.path, key);
      rows.set(rowName(key), sealed.print);
    }
    if (rows.count !== meta.rowCount || rows.sum !== meta.rowSum) {
      throw corrupted(
        store.path,
        "rows",
        `${rows.count} rows do not add up to the ${meta.rowCount} that were written at log index ` +
          `${meta.meta.appliedIndex}: some were lost or changed`,
      );
    }
    const bounds: HistoryLimits = {
      revisionsMax: limits.revisionsMax ?? HISTORY_REVISIONS_MAX,
      ageMs: limits.ageMs ?? HISTORY_AGE_MS,
    };
    const history = historyOf(generation, bounds, meta);
    const repairs = [...(await history.load(store, meta.meta.revision))];
    const objects = new ObjectStore(ports, bounds, { generation, meta, rows, history });
    if (repairs.length > 0 || history.compactedRevision !== meta.compactedRevision) {
      repairs.push(objects.#metaOperation(meta.meta, meta.chain));
    }
    return { objects, repairs };
  }

  /** Metadata of the newest commit, which may still be on its way to the disk. */
  get meta(): ObjectMeta {
    return this.#meta.meta;
  }

  /** Chain hash of the log at `meta.appliedIndex`. */
  get chain(): Uint8Array {
    return this.#meta.chain;
  }

  /** Changes of revisions up to and including this one are gone. */
  get compactedRevision(): number {
    return this.#history.compactedRevision;
  }

  /** Number of rows. */
  get rowCount(): number {
    return this.#rows.count;
  }

  /** Which set of rows is current; a snapshot installs the next one. */
  get generation(): number {
    return this.#generation;
  }

  /** The same as `meta`, for symmetry with `loadRows`. */
  loadMeta(): ObjectMeta {
    return this.#meta.meta;
  }

  /** All rows in key order (bytes). Throws Corrupted at a row that fails its check. */
  async *loadRows(): AsyncIterable<readonly [key: string, value: JsonValue]> {
    await this.sync();
    const { store } = this.#ports;
    for await (const [key, value] of store.iterate(rowRange(this.#generation))) {
      const sealed = unseal(key, value);
      if (sealed === undefined) throw rowDamaged(store.path, key);
      yield [rowName(key), parseRow(sealed.payload)];
    }
  }

  /**
   * Changes after `revision`, oldest first. Throws Expired when some of them are gone, Corrupted when
   * one fails its check.
   */
  async *historySince(revision: number): AsyncIterable<HistoryEntry> {
    await this.sync();
    if (revision < this.compactedRevision) {
      throw new KinglyError("Expired", `changes after revision ${revision} are compacted`, {
        field: "revision",
        limit: this.compactedRevision,
        value: revision,
      });
    }
    const { store } = this.#ports;
    const from = historyRange(this.#generation, this.#history.blockAfter(revision));
    for await (const [key, value] of store.iterate(from)) {
      const block = decodeHistory(key, value);
      if (block === undefined) throw corrupted(store.path, "history", "a block fails its checksum");
      for (const entry of block.entries) if (entry.revision > revision) yield entry;
    }
  }

  /**
   * Takes over a commit. It resolves at once while little is staged: durability comes with the next
   * synced batch, and until then the log can replay it. Use `sync` to wait for durability.
   */
  async commit(commit: Commit): Promise<void> {
    this.#ports.halt.check();
    const { meta } = commit;
    const before = this.#meta.meta;
    assert(
      meta.appliedIndex >= before.appliedIndex && meta.revision >= before.revision,
      () => `commit of ${meta.appliedIndex} r${meta.revision} after ${before.appliedIndex}`,
    );
    checkRevisions(commit, before.revision);
    const chain = this.#ports.chainAt(meta.appliedIndex, meta.appliedTerm);
    // Encode everything before the first change: a row that is refused must leave nothing behind.
    const encoded = commit.rows.map((change) => encodeRow(this.#generation, change));
    const rows = new Map<string, EncodedRow>();
    for (const row of encoded) {
      this.#rows.set(row.name, row.print);
      this.#stage(row.operation);
      rows.set(row.name, row);
    }
    const jsonOf = ({ key, value }: HistoryEntry): string => {
      const row = rows.get(key);
      return row?.text !== undefined && row.value === value ? row.text : JSON.stringify(value);
    };
    for (const operation of this.#history.add(commit.history, meta.timeMs, jsonOf)) {
      this.#stage(operation);
    }
    for (const operation of this.#history.trim(meta.timeMs)) this.#stage(operation);
    this.#stage(this.#metaOperation(meta, chain));
    this.#stagedCommits += 1;
    if (this.#stagedCommits >= STAGED_COMMITS_MAX || this.#stagedBytes >= STAGED_BYTES_FLUSH) {
      const flushed = this.#ports.flush();
      // A failure halts the store and is thrown by the next call; it must not go unobserved here.
      flushed.catch(() => {});
      if (this.#stagedBytes >= STAGED_BYTES_MAX) await flushed;
    }
  }

  /** Resolves when every commit so far is durable. */
  async sync(): Promise<void> {
    this.#ports.halt.check();
    await this.#ports.flush();
  }

  /** Hands the staged operations to the writer, which puts them into its next batch. */
  takeStaged(): readonly BatchOperation[] {
    const staged = this.#staged;
    this.#staged = [];
    this.#stagedBytes = 0;
    this.#stagedCommits = 0;
    return staged;
  }

  /** Switches to a generation that a snapshot brought; called when that is durable. */
  switchTo(generation: number, meta: StoredMeta, rows: RowSum): void {
    assert(generation > this.#generation, () => `generation ${generation} is not new`);
    this.takeStaged();
    this.#generation = generation;
    this.#meta = meta;
    this.#rows = rows;
    this.#history = historyOf(generation, this.#limits, meta);
  }

  #stage(operation: BatchOperation): void {
    this.#staged.push(operation);
    this.#stagedBytes += operation.key.length + (operation.value?.length ?? 0);
  }

  #metaOperation(meta: ObjectMeta, chain: Uint8Array): BatchOperation {
    this.#meta = {
      meta,
      chain,
      rowCount: this.#rows.count,
      rowSum: this.#rows.sum,
      compactedRevision: this.#history.compactedRevision,
      historyBase: this.#history.base,
      historyTip: this.#history.tip,
    };
    return metaOperation(this.#generation, this.#meta);
  }
}

/** A row ready to be stored; `print` undefined for a deletion. */
export interface EncodedRow {
  readonly name: string;
  readonly operation: BatchOperation;
  readonly print: number | undefined;
  /** The value and its JSON; undefined for a deletion. */
  readonly value: JsonValue | undefined;
  readonly text: string | undefined;
}

/** Key, sealed value and fingerprint of a row. Throws DocumentTooLarge beyond ROW_BYTES_MAX. */
export function encodeRow(generation: number, change: RowChange): EncodedRow {
  assert(
    change.key.length > 0 && change.key.length <= ROW_KEY_CHARS_MAX,
    () => `row key of ${change.key.length} characters, allowed 1 to ${ROW_KEY_CHARS_MAX}`,
  );
  const key = rowKey(generation, change.key);
  const name = change.key;
  const { value } = change;
  if (value === undefined) {
    return { name, operation: { key, value }, print: undefined, value, text: undefined };
  }
  const text = JSON.stringify(value);
  const sealed = sealText(key, text);
  const bytes = sealed.value.length - SEAL_BYTES;
  if (bytes > ROW_BYTES_MAX) {
    throw new KinglyError("DocumentTooLarge", `row ${change.key} has ${bytes} bytes`, {
      field: change.key,
      limit: ROW_BYTES_MAX,
      value: bytes,
    });
  }
  return { name, operation: { key, value: sealed.value }, print: sealed.print, value, text };
}

function historyOf(generation: number, limits: HistoryLimits, meta: StoredMeta): History {
  const { historyBase, historyTip, compactedRevision } = meta;
  return new History(generation, limits, { base: historyBase, tip: historyTip, compactedRevision });
}

function rowDamaged(path: string, key: Uint8Array): KinglyError {
  let name: string;
  try {
    name = rowName(key);
  } catch {
    name = "(its key is damaged)";
  }
  return corrupted(path, `row ${name}`, "fails its checksum");
}

function checkRevisions(commit: Commit, before: number): void {
  let last = before;
  for (const [at, entry] of commit.history.entries()) {
    const isSame = at > 0 && entry.revision === last;
    assert(
      isSame || entry.revision > last,
      () => `history revision ${entry.revision} after ${last}`,
    );
    last = entry.revision;
  }
  assert(last <= commit.meta.revision, () => `history beyond revision ${commit.meta.revision}`);
}
