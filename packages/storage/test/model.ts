// A slow, obvious model of what a storage must hold, and a driver that runs the same random steps
// against a storage and the model. Used by the crash, damage and property tests.
import type { Prng } from "@kingly/base";
import { expect } from "vitest";
import type { Storage } from "../src/index.ts";
import type { Entry, LogIndex } from "../src/raft.ts";
import { commitOf, entry, hard, rowsOf } from "./helpers.ts";

/** Log and hard state after some step. */
export interface LogState {
  readonly term: number;
  readonly vote: number;
  readonly first: number;
  readonly entries: readonly Entry[];
}

export class Model {
  term = 1;
  vote = 0;
  commit = 1;
  first = 2;
  entries: Entry[] = [];
  applied = 1;
  /** Rows after each applied index; revision = index. */
  rowsAt = new Map<number, Record<string, unknown>>([[1, {}]]);
  #rows: Record<string, unknown> = {};

  get last(): number {
    return this.first - 1 + this.entries.length;
  }

  termAt(index: number): number {
    return this.entries[index - this.first]?.term ?? 1;
  }

  append(fresh: readonly Entry[]): void {
    const first = fresh[0];
    if (first === undefined) return;
    this.entries = [...this.entries.slice(0, first.index - this.first), ...fresh];
  }

  apply(index: number): void {
    const { rows } = commitOf(index, this.termAt(index));
    for (const { key, value } of rows) {
      if (value === undefined) delete this.#rows[key];
      else this.#rows[key] = value;
    }
    this.applied = index;
    this.rowsAt.set(index, { ...this.#rows });
  }

  /** Goes back to the rows of an applied index, after a crash lost newer ones. */
  resetRows(index: number): void {
    this.#rows = { ...this.rowsAt.get(index) };
  }

  compact(toIndex: number, trailing: number): void {
    const target = Math.min(toIndex, this.applied) - trailing;
    if (target < this.first) return;
    this.entries = this.entries.slice(target - this.first + 1);
    this.first = target + 1;
  }

  state(): LogState {
    return { term: this.term, vote: this.vote, first: this.first, entries: this.entries };
  }
}

/** What was asked for and what was promised, for the check after a crash. */
export class Ledger {
  readonly model = new Model();
  /** One state per step, the initial one first. */
  readonly states: LogState[] = [this.model.state()];
  /** Number of the newest step whose promise resolved. */
  acked = 0;
  /** Applied index that a `sync` promised. */
  syncedApplied = 1;
  /** The first failure of any promise. */
  failure: unknown;
  readonly pending: Promise<void>[] = [];

  #track(promise: Promise<void>): void {
    this.states.push(this.model.state());
    const step = this.states.length - 1;
    this.pending.push(
      promise.then(
        () => {
          expect(step).toBeGreaterThan(this.acked);
          this.acked = step;
        },
        (error: unknown) => {
          this.failure ??= error;
        },
      ),
    );
  }

  /** One random step; some are awaited, some overlap the next ones. */
  async step(storage: Storage, prng: Prng): Promise<void> {
    const { model } = this;
    const kind = prng.below(12);
    if (kind < 5) {
      const count = 1 + prng.below(4);
      this.#append(storage, model.last + 1, count, prng);
    } else if (kind < 7 && model.last > model.commit) {
      model.term += 1;
      model.vote = 1 + prng.below(3);
      const from = model.commit + 1 + prng.below(model.last - model.commit);
      this.#append(storage, from, 1 + prng.below(3), prng);
    } else if (kind === 7) {
      model.term += 1;
      model.vote = prng.below(3);
      const hardState = hard(model.term, model.vote, model.commit);
      this.#track(storage.log.append({ hardState }));
    } else if (kind === 8) {
      await this.commitAll(storage);
    } else if (kind === 9) {
      const applied = model.applied;
      await storage.objects.sync();
      this.syncedApplied = applied;
    } else if (kind === 10) {
      await this.settle();
      if (storage.log.outstanding > 0) return;
      const trailing = prng.below(4);
      model.compact(model.applied, trailing);
      this.#track(storage.log.compact(model.applied, trailing));
    } else {
      await this.settle();
    }
  }

  #append(storage: Storage, from: number, count: number, prng: Prng): void {
    const { model } = this;
    const size = prng.below(40);
    const fresh = Array.from({ length: count }, (_, at) =>
      entry(from + at, model.term, `${from + at}/${model.term}${"-".repeat(size)}`),
    );
    model.append(fresh);
    const hardState = hard(model.term, model.vote, model.commit);
    this.#track(storage.log.append({ entries: fresh, hardState }));
  }

  /** Commits and applies everything appended; like raft, only after it is acknowledged. */
  async commitAll(storage: Storage): Promise<void> {
    const { model } = this;
    await this.settle();
    if (this.failure !== undefined) return;
    model.commit = model.last;
    this.#track(storage.log.append({ hardState: hard(model.term, model.vote, model.commit) }));
    while (model.applied < model.commit) {
      const index = model.applied + 1;
      const term = model.termAt(index);
      model.apply(index);
      await storage.objects.commit(commitOf(index, term));
    }
  }

  async settle(): Promise<void> {
    await Promise.all(this.pending.splice(0));
  }

  /**
   * Compares a reopened storage with what was promised: log and hard state are those of a step
   * between the newest acknowledged and the newest submitted one, rows those of the applied index.
   * Returns the number of the step.
   */
  async check(storage: Storage): Promise<number> {
    const { log, objects } = storage;
    const found = readLog(storage);
    const candidates = this.states.slice(this.acked);
    const at = candidates.findLastIndex((state) => sameLog(state, found));
    expect(at, `no promised state is ${JSON.stringify(summary(found))}`).toBeGreaterThanOrEqual(0);
    const { appliedIndex } = objects.meta;
    expect(appliedIndex).toBeGreaterThanOrEqual(this.syncedApplied);
    expect(appliedIndex).toBeLessThanOrEqual(log.lastIndex());
    expect(appliedIndex).toBeGreaterThanOrEqual(log.firstIndex() - 1);
    expect(await rowsOf(storage)).toEqual(this.model.rowsAt.get(appliedIndex));
    expect(log.initialState().hardState.commit).toBeGreaterThanOrEqual(appliedIndex);
    return this.acked + at;
  }
}

export function readLog(storage: Storage): LogState {
  const { log } = storage;
  const { term, vote } = log.initialState().hardState;
  const first = log.firstIndex();
  const end = (log.lastIndex() + 1) as LogIndex;
  return { term, vote, first, entries: log.entries(first, end, Number.MAX_SAFE_INTEGER) };
}

/** Same term, vote and entries; the found log may begin later than the model's (chunks) or earlier. */
export function sameLog(a: LogState, b: LogState): boolean {
  if (a.term !== b.term || a.vote !== b.vote || a.first !== b.first) return false;
  if (a.entries.length !== b.entries.length) return false;
  return a.entries.every((e, at) => {
    const other = b.entries[at];
    return other?.term === e.term && Buffer.compare(other.data, e.data) === 0;
  });
}

function summary(state: LogState): unknown {
  return { ...state, entries: state.entries.map((e) => `${e.term}/${e.index}`).join(" ") };
}
