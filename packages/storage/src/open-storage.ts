// Opening a data directory. Nothing is believed before it is verified: identity, the lock, the small
// rows, every row against the row sum, every log entry against checksum and hash chain, and the
// result against the mark. Then one synced batch removes what was dropped and a new mark is written,
// so that a crash at any point of the opening is followed by the same opening again.

import { KinglyError, equalBytes, noLogger } from "@kingly/base";
import type { Logger } from "@kingly/base";
import { unseal } from "./codec.ts";
import type { BatchOperation, Disk, KeyValueStore } from "./disk.ts";
import { codeOf, corrupted, describe, identityMismatch, storageFailure } from "./errors.ts";
import { GroupWriter } from "./group-writer.ts";
import type { HardNumbers } from "./group-writer.ts";
import { HaltSwitch } from "./halt.ts";
import type { HistoryLimits } from "./history.ts";
import { ownerTag, readIdentity } from "./identity.ts";
import type { ExpectedIdentity, Identity } from "./identity.ts";
import { markPath, storePath } from "./init-directory.ts";
import { BASE_KEY, HARD_KEY, IDENTITY_KEY, newerGenerations, olderGenerations } from "./keys.ts";
import { LOCKED_CODE } from "./level-store.ts";
import { GARBAGE_BATCH_KEYS } from "./limits.ts";
import { compareWithMark, establishMark, mergeHardState, scanLog } from "./log-recovery.ts";
import type { LogScan } from "./log-recovery.ts";
import { baseOperation, decodeBase, decodeHard, hardOperation } from "./log-rows.ts";
import type { BaseRow } from "./log-rows.ts";
import { LogWindow } from "./log-window.ts";
import type { WindowLimits } from "./log-window.ts";
import { EMPTY_TAIL, MarkFile } from "./mark-file.ts";
import type { Mark, Tail } from "./mark-file.ts";
import { EMPTY_STORED, metaOperation } from "./meta.ts";
import { nodeDisk } from "./node-disk.ts";
import { clearOpening, markOpening } from "./opening-marker.ts";
import { ObjectStore } from "./object-store.ts";
import { RaftLogStore } from "./raft-log-store.ts";
import type { LogIndex, Snapshot, Term } from "./raft.ts";
import { SnapshotImporter, removeRanges } from "./snapshot-import.ts";
import { Storage } from "./storage.ts";

/** How to open a directory. */
export interface OpenOptions {
  readonly dir: string;
  /** What the directory must belong to; undefined accepts any identity (offline tools only). */
  readonly expect: ExpectedIdentity | undefined;
  readonly logger?: Logger | undefined;
  /** Default: the real disk. */
  readonly disk?: Disk | undefined;
  /**
   * What to do when the rows are damaged: refuse to open (default), or drop rows and log and become
   * recovering with an empty log, so that a leader sends a snapshot. Term, vote and mark are kept.
   * Choose "refetch" only in a cluster whose other members hold the data: what is dropped is gone.
   */
  readonly onDamagedRows?: "refuse" | "refetch" | undefined;
  readonly window?: WindowLimits | undefined;
  readonly history?: Partial<HistoryLimits> | undefined;
}

/**
 * Opens a data directory. Throws IdentityMismatch (absent, foreign, other incarnation), Corrupted
 * (damage that needs a replacement of the member) or StorageFailure (locked, disk error); each names
 * the file and the way back. A log below its mark does not throw: see `log.recovering`.
 */
export async function openStorage(options: OpenOptions): Promise<Storage> {
  const disk = options.disk ?? nodeDisk();
  const { dir } = options;
  const logger = options.logger ?? noLogger;
  const identity = await readIdentity(disk, dir, options.expect);
  await markOpening(disk, dir, logger);
  const store = await openStore(disk, storePath(dir)).catch(async (error: unknown) => {
    await clearOpening(disk, dir).catch(() => undefined); // The first error says more.
    throw error;
  });
  let markFile: MarkFile | undefined;
  try {
    await checkOwner(store, identity);
    markFile = await openMark(disk, markPath(dir), ownerTag(identity));
    const storage = await new Opening(options, identity, store, markFile).run();
    await clearOpening(disk, dir);
    for (const repair of storage.repairs) logger.warn("storage repaired", { dir, repair });
    return storage;
  } catch (error) {
    await markFile?.close();
    await store.close();
    await clearOpening(disk, dir).catch(() => undefined); // The first error says more.
    if (error instanceof KinglyError || !(error instanceof Error)) throw error;
    if (error.name === "AssertionFailed") throw error;
    throw corrupted(store.path, "reading", describe(error), error);
  }
}

async function openStore(disk: Disk, path: string): Promise<KeyValueStore> {
  try {
    return await disk.openKeyValue(path, { createIfMissing: false });
  } catch (error) {
    if (codeOf(error) === LOCKED_CODE) {
      const help = "stop the other process first";
      throw new KinglyError(
        "StorageFailure",
        `${path} is already open, in this or another process; ${help}`,
        { field: path, reason: "locked", help },
        { cause: error },
      );
    }
    const text = describe(error);
    if (/ENOSPC|EMFILE|ENFILE|EACCES|[Nn]o space|[Pp]ermission|[Tt]oo many open/.test(text)) {
      throw storageFailure(path, "open", error);
    }
    throw corrupted(path, "opening", text, error);
  }
}

async function checkOwner(store: KeyValueStore, identity: Identity): Promise<void> {
  const value = await store.get(IDENTITY_KEY);
  const payload = value === undefined ? undefined : unseal(IDENTITY_KEY, value)?.payload;
  if (payload === undefined) throw corrupted(store.path, "identity row", "is missing or damaged");
  if (equalBytes(payload, ownerTag(identity))) return;
  throw identityMismatch(store.path, "belongs to another identity than identity.json beside it", {
    field: "store",
  });
}

async function openMark(disk: Disk, path: string, owner: Uint8Array): Promise<MarkFile> {
  try {
    return await MarkFile.open(disk, path, owner);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw storageFailure(path, "open", error);
    throw corrupted(path, "file", "is missing: term and vote of this member are unknown", error);
  }
}

/** Rows that were opened, and the base they belong to. */
interface OpenedRows {
  readonly objects: ObjectStore;
  readonly repairs: readonly BatchOperation[];
  readonly baseRow: BaseRow;
}

/** The steps of one opening. */
class Opening {
  readonly #options: OpenOptions;
  readonly #identity: Identity;
  readonly #store: KeyValueStore;
  readonly #markFile: MarkFile;
  readonly #halt = new HaltSwitch();
  readonly #repairs: string[] = [];
  #log: RaftLogStore | undefined;
  #writer: GroupWriter | undefined;

  constructor(options: OpenOptions, identity: Identity, store: KeyValueStore, mark: MarkFile) {
    this.#options = options;
    this.#identity = identity;
    this.#store = store;
    this.#markFile = mark;
  }

  async run(): Promise<Storage> {
    const store = this.#store;
    const hardRow = decodeHard(store.path, await store.get(HARD_KEY));
    const stored = decodeBase(store.path, await store.get(BASE_KEY));
    const reading = await this.#readMark();
    const mark = establishMark(this.#markFile.path, reading, hardRow);
    if (reading.invalidSlots.length > 0) {
      this.#repairs.push("a torn slot of the mark file was replaced; the log holds what it said");
    }
    const { objects, repairs, baseRow } = await this.#openRows(stored);
    const { window, scan, rebased } = await this.#openLog(baseRow.base, objects);
    const recovery = compareWithMark(store.path, window, mark, scan);
    this.#report(scan, recovery?.reason);
    const hard = this.#clampCommit(
      mergeHardState(store.path, hardRow, mark),
      objects.meta.appliedIndex,
      window,
    );
    const next: Mark = {
      // A number that the log announced and no mark reached is used again: a new one with every crash
      // of an opening would leave the mark further and further behind (MARK_LAG_MAX).
      sequence: hardRow.sequence > mark.sequence ? hardRow.sequence : mark.sequence + 1,
      term: hard.term,
      vote: hard.vote,
      tail: recovery === undefined ? window.tail : mark.tail,
      recovering: recovery !== undefined,
    };
    const { generation } = baseRow;
    const rows = rebased ? [baseOperation({ generation, base: window.base })] : [];
    await this.#settle([...rows, ...repairs, hardOperation(next.sequence, hard)], scan, next);
    await removeRanges(store, [...olderGenerations(generation), ...newerGenerations(generation)]);
    return this.#build(objects, window, { hard, mark: next, recovery });
  }

  async #readMark(): ReturnType<MarkFile["read"]> {
    try {
      return await this.#markFile.read();
    } catch (error) {
      throw storageFailure(this.#markFile.path, "read", error);
    }
  }

  /** Opens the rows; damaged ones are refused or dropped, as the options say. */
  async #openRows(stored: BaseRow): Promise<OpenedRows> {
    try {
      return { ...(await this.#openObjects(stored.generation)), baseRow: stored };
    } catch (error) {
      const isDamage = error instanceof KinglyError && error.code === "Corrupted";
      if (!isDamage || this.#options.onDamagedRows !== "refetch") throw error;
      this.#repairs.push(`${error.message}; rows and log were dropped, a snapshot is needed`);
      const baseRow: BaseRow = { generation: stored.generation + 1, base: EMPTY_TAIL };
      await this.#write([baseOperation(baseRow), metaOperation(baseRow.generation, EMPTY_STORED)]);
      return { ...(await this.#openObjects(baseRow.generation)), baseRow };
    }
  }

  async #write(operations: readonly BatchOperation[]): Promise<void> {
    try {
      await this.#store.batch(operations, { sync: true });
    } catch (error) {
      throw this.#halt.trip(storageFailure(this.#store.path, "batch", error));
    }
  }

  #openObjects(generation: number): ReturnType<typeof ObjectStore.open> {
    return ObjectStore.open(
      {
        store: this.#store,
        halt: this.#halt,
        chainAt: (index, term) => this.#chainAt(index, term),
        flush: () => this.#needWriter().submit({ operations: [], bytes: 0, durable: true }),
      },
      generation,
      this.#options.history,
    );
  }

  /**
   * Verifies the log from its base. When it breaks at or below the applied position, the rows still
   * hold what those entries did, so the log begins anew at the applied position.
   */
  async #openLog(
    base: Tail,
    objects: ObjectStore,
  ): Promise<{ window: LogWindow; scan: LogScan; rebased: boolean }> {
    const { appliedIndex, appliedTerm } = objects.meta;
    const applied: Tail = { term: appliedTerm, index: appliedIndex, chain: objects.chain };
    const path = this.#store.path;
    if (appliedIndex < base.index) {
      const problem = `rows reflect the log up to ${appliedIndex}, but it begins after ${base.index}`;
      throw corrupted(path, "rows", problem);
    }
    const window = new LogWindow(this.#store, base, this.#options.window);
    const scan = await scanLog(this.#store, window);
    if (window.lastIndex >= appliedIndex) {
      const at = window.position(appliedIndex);
      if (at.term === applied.term && equalBytes(at.chain, applied.chain)) {
        return { window, scan, rebased: false };
      }
      throw corrupted(path, `log entry ${appliedIndex}`, "is not the one that was applied");
    }
    const problem = scan.damage?.problem ?? `the log ends at ${window.lastIndex}`;
    this.#repairs.push(`${problem}; the log now begins at the applied index ${appliedIndex}`);
    const again = new LogWindow(this.#store, applied, this.#options.window);
    return { window: again, scan: await scanLog(this.#store, again), rebased: true };
  }

  #report(scan: LogScan, reason: string | undefined): void {
    if (scan.damage !== undefined) {
      const { index, problem } = scan.damage;
      const count = scan.droppedEntries;
      this.#repairs.push(`log damaged at ${index} (${problem}); ${count} entries dropped`);
    }
    if (reason !== undefined) {
      this.#repairs.push(`the log is below what was acknowledged: ${reason}; recovering`);
    }
  }

  /** The commit index never exceeds the log, and covers at least what is applied. */
  #clampCommit(hard: HardNumbers, applied: number, window: LogWindow): HardNumbers {
    const commit = Math.min(Math.max(hard.commit, applied), window.lastIndex);
    return { term: hard.term, vote: hard.vote, commit };
  }

  async #settle(rows: BatchOperation[], scan: LogScan, mark: Mark): Promise<void> {
    const { garbage } = scan;
    const whole = Math.floor(garbage.length / GARBAGE_BATCH_KEYS) * GARBAGE_BATCH_KEYS;
    for (let at = 0; at < whole; at += GARBAGE_BATCH_KEYS) {
      await this.#write(garbage.slice(at, at + GARBAGE_BATCH_KEYS));
    }
    await this.#write([...rows, ...garbage.slice(whole)]);
    try {
      await this.#markFile.write(mark);
    } catch (error) {
      throw this.#halt.trip(storageFailure(this.#markFile.path, "write and fdatasync", error));
    }
  }

  #build(
    objects: ObjectStore,
    window: LogWindow,
    state: ConstructorParameters<typeof RaftLogStore>[2],
  ): Storage {
    const [store, halt, markFile] = [this.#store, this.#halt, this.#markFile];
    const identity = this.#identity;
    const importer = new SnapshotImporter({
      store,
      halt,
      objects,
      clusterId: identity.clusterId,
    });
    const log = new RaftLogStore(
      {
        path: store.path,
        halt,
        writer: () => this.#needWriter(),
        generation: () => objects.generation,
        snapshot: () => snapshotOf(objects),
        appliedIndex: () => objects.meta.appliedIndex,
        takeStaged: (index, term) => importer.takeStaged(index, term),
      },
      window,
      state,
    );
    this.#log = log;
    const writer = new GroupWriter(
      {
        store,
        markFile,
        halt,
        hardRow: hardOperation,
        takeStaged: () => objects.takeStaged(),
        markFor: (sequence, hard, tail) => log.markFor(sequence, hard, tail),
        marked: (mark) => log.marked(mark),
      },
      state.mark,
      state.hard,
    );
    this.#writer = writer;
    const repairs = this.#repairs;
    return new Storage({
      identity,
      store,
      markFile,
      halt,
      writer,
      log,
      objects,
      importer,
      repairs,
    });
  }

  #needWriter(): GroupWriter {
    if (this.#writer === undefined) throw new KinglyError("Internal", "storage is still opening");
    return this.#writer;
  }

  #chainAt(index: number, term: number): Uint8Array {
    const log = this.#log;
    if (log === undefined) throw new KinglyError("Internal", "storage is still opening");
    const found = log.term(index as LogIndex);
    if (found !== term) {
      throw new KinglyError("Internal", `applied ${term}/${index}, but the log has term ${found}`);
    }
    return log.chainHash(index);
  }
}

/** The applied state as the snapshot that raft may offer; its rows travel apart from the message. */
function snapshotOf(objects: ObjectStore): Snapshot {
  const { appliedIndex, appliedTerm, confState } = objects.meta;
  return {
    data: new Uint8Array(0),
    metadata: { confState, index: appliedIndex as LogIndex, term: appliedTerm as Term },
  };
}
