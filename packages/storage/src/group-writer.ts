// Group commit. Work queued while the disk is busy goes out as one atomic synced batch; the mark of
// that batch is written while the next batch is already under way, and several marks that pile up
// become one. Acknowledgements come strictly in the order of submission:
//
//   log batch n durable -> mark n durable -> acknowledge n      (batch n+1 overlaps mark n)
//
// A batch that shortens the log below the mark first lowers the mark, so that "mark above log" always
// means that the log lost something.

import { assert } from "@kingly/base";
import type { KinglyError } from "@kingly/base";
import type { BatchOperation, KeyValueStore } from "./disk.ts";
import { storageFailure } from "./errors.ts";
import type { HaltSwitch } from "./halt.ts";
import { GROUP_BYTES_MAX, GROUP_ENTRIES_MAX, MARK_LAG_MAX, PENDING_APPENDS_MAX } from "./limits.ts";
import type { Mark, MarkFile, Tail } from "./mark-file.ts";

/** Term, vote and commit index of a log batch. */
export interface HardNumbers {
  readonly term: number;
  readonly vote: number;
  readonly commit: number;
}

/** What one submission wants on disk. */
export interface Work {
  readonly operations: readonly BatchOperation[];
  readonly bytes: number;
  /** Log state after this work; absent when the work does not touch the log's end. */
  readonly state?: { readonly hard: HardNumbers; readonly tail: Tail };
  /** The log is cut back to this position before the work's entries. */
  readonly cutTo?: Tail;
  /** False for work that may ride along with the next batch or be lost (commit index only). */
  readonly durable: boolean;
  /** Runs when the batch is durable, before the acknowledgement. */
  readonly written?: () => void;
}

interface Pending {
  readonly work: Work;
  readonly resolve: () => void;
  readonly reject: (error: KinglyError) => void;
}

/** What the writer needs from its surroundings. */
export interface GroupWriterPorts {
  readonly store: KeyValueStore;
  readonly markFile: MarkFile;
  readonly halt: HaltSwitch;
  /** Encodes the hard-state row of batch `sequence`. */
  readonly hardRow: (sequence: number, hard: HardNumbers) => BatchOperation;
  /** Operations of the object store that ride along. */
  readonly takeStaged: () => readonly BatchOperation[];
  /** The mark to write for a log state; decides about recovering. */
  readonly markFor: (sequence: number, hard: HardNumbers, tail: Tail) => Mark;
  /** Called when a mark is durable. */
  readonly marked: (mark: Mark) => void;
}

/** The one writer of a store. */
export class GroupWriter {
  readonly #ports: GroupWriterPorts;
  #queue: Pending[] = [];
  /** Durable in the log, waiting for their mark. */
  #unmarked: Pending[] = [];
  #sequence: number;
  #mark: Mark;
  #hard: HardNumbers;
  #wantedMark: Mark | undefined;
  #batching = false;
  #marking = false;
  #markWaiters: (() => void)[] = [];
  #idleWaiters: (() => void)[] = [];

  constructor(ports: GroupWriterPorts, mark: Mark, hard: HardNumbers) {
    this.#ports = ports;
    this.#mark = mark;
    this.#sequence = mark.sequence;
    this.#hard = hard;
  }

  /** The newest durable mark. */
  get mark(): Mark {
    return this.#mark;
  }

  /** Submissions not yet acknowledged. */
  get outstanding(): number {
    return this.#queue.length + this.#unmarked.length;
  }

  /** Queues work; resolves in order of submission when it is durable (and marked). */
  submit(work: Work): Promise<void> {
    this.#ports.halt.check();
    assert(this.#queue.length < PENDING_APPENDS_MAX, () => `${PENDING_APPENDS_MAX} appends wait`);
    return new Promise<void>((resolve, reject) => {
      this.#queue.push({ work, resolve, reject });
      this.#pump();
    });
  }

  /** Resolves when nothing is queued or under way; rejects when the store halted. */
  async idle(): Promise<void> {
    while (this.#batching || this.#marking || this.outstanding > 0) {
      this.#ports.halt.check();
      await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
    }
    this.#ports.halt.check();
  }

  #pump(): void {
    if (this.#batching || this.#queue.length === 0 || this.#ports.halt.cause !== undefined) return;
    this.#batching = true;
    const group = this.#takeGroup();
    this.#writeGroup(group).then(
      () => {
        this.#batching = false;
        this.#pump();
        this.#wakeIfIdle();
      },
      (error: unknown) => {
        this.#batching = false;
        this.#fail(error, "batch", this.#ports.store.path, group);
      },
    );
  }

  #takeGroup(): Pending[] {
    let bytes = 0;
    let count = 0;
    for (const { work } of this.#queue) {
      // A cut needs its own lowered mark, so it begins a group.
      if (count > 0 && work.cutTo !== undefined) break;
      if (count > 0 && bytes + work.bytes > GROUP_BYTES_MAX) break;
      if (count === GROUP_ENTRIES_MAX) break;
      bytes += work.bytes;
      count += 1;
    }
    return this.#queue.splice(0, count);
  }

  async #writeGroup(group: Pending[]): Promise<void> {
    const cutTo = group[0]?.work.cutTo;
    if (cutTo !== undefined) await this.#lowerMark(cutTo);
    const state = group.findLast((p) => p.work.state !== undefined)?.work.state;
    if (!group.some((p) => p.work.durable)) {
      if (state !== undefined) this.#hard = state.hard;
      this.#finishBatch(group, undefined);
      return;
    }
    const operations: BatchOperation[] = [];
    let mark: Mark | undefined;
    // Rows first: they belong to entries that are durable already.
    for (const operation of this.#ports.takeStaged()) operations.push(operation);
    for (const { work } of group) for (const op of work.operations) operations.push(op);
    if (state !== undefined) {
      await this.#markLagBelow(MARK_LAG_MAX);
      this.#sequence += 1;
      this.#hard = state.hard;
      operations.push(this.#ports.hardRow(this.#sequence, state.hard));
      mark = this.#ports.markFor(this.#sequence, state.hard, state.tail);
    }
    if (operations.length > 0) await this.#ports.store.batch(operations, { sync: true });
    this.#ports.halt.check();
    for (const { work } of group) work.written?.();
    this.#finishBatch(group, mark);
  }

  #finishBatch(group: readonly Pending[], mark: Mark | undefined): void {
    for (const pending of group) this.#unmarked.push(pending);
    if (mark !== undefined) this.#wantedMark = mark;
    this.#pumpMark();
  }

  /**
   * Cutting the log below the mark: announce the number of the coming mark in the log, then lower
   * the mark, then cut. The announcement makes every mark number known to the log before it is used,
   * which is how recovery tells a torn mark from a lost log.
   */
  async #lowerMark(cutTo: Tail): Promise<void> {
    await this.#markLagBelow(1);
    if (this.#mark.recovering || cutTo.index >= this.#mark.tail.index) return;
    this.#sequence += 1;
    const row = this.#ports.hardRow(this.#sequence, this.#hard);
    await this.#ports.store.batch([row], { sync: true });
    this.#ports.halt.check();
    const { term, vote } = this.#mark;
    this.#wantedMark = { sequence: this.#sequence, term, vote, tail: cutTo, recovering: false };
    this.#pumpMark();
    await this.#markLagBelow(1);
  }

  /** Waits until the durable mark is fewer than `lag` batches behind and none is waiting if 1. */
  async #markLagBelow(lag: number): Promise<void> {
    while (this.#sequence - this.#mark.sequence >= lag && this.#isMarkUnderWay()) {
      await new Promise<void>((resolve) => this.#markWaiters.push(resolve));
      this.#ports.halt.check();
    }
  }

  #isMarkUnderWay(): boolean {
    return this.#marking || this.#wantedMark !== undefined;
  }

  #pumpMark(): void {
    if (this.#marking || this.#ports.halt.cause !== undefined) return;
    const mark = this.#wantedMark;
    const covered = this.#unmarked;
    this.#unmarked = [];
    if (mark === undefined) {
      for (const pending of covered) pending.resolve();
      return;
    }
    this.#wantedMark = undefined;
    this.#marking = true;
    this.#ports.markFile.write(mark).then(
      () => {
        this.#marking = false;
        if (this.#ports.halt.cause !== undefined) return this.#rejectAll(covered);
        this.#mark = mark;
        this.#ports.marked(mark);
        for (const pending of covered) pending.resolve();
        this.#wake(this.#markWaiters);
        this.#pumpMark();
        this.#wakeIfIdle();
      },
      (error: unknown) => {
        this.#marking = false;
        this.#fail(error, "write and fdatasync", this.#ports.markFile.path, covered);
      },
    );
  }

  #fail(error: unknown, operation: string, file: string, group: readonly Pending[]): void {
    this.#ports.halt.trip(storageFailure(file, operation, error));
    this.#rejectAll(group);
  }

  /** Stops everything: what was under way and what waits fails with the first cause. */
  #rejectAll(first: readonly Pending[]): void {
    const cause = this.#ports.halt.cause;
    assert(cause !== undefined, "rejecting appends of a store that works");
    const all = [...first, ...this.#unmarked, ...this.#queue];
    this.#unmarked = [];
    this.#queue = [];
    for (const pending of all) pending.reject(cause);
    this.#wake(this.#markWaiters);
    this.#wake(this.#idleWaiters);
  }

  #wakeIfIdle(): void {
    if (!this.#batching && !this.#marking && this.outstanding === 0) this.#wake(this.#idleWaiters);
  }

  #wake(waiters: (() => void)[]): void {
    for (const waiter of waiters.splice(0)) waiter();
  }
}
