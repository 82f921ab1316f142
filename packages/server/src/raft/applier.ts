// Applies committed entries to the state machine, in bounded slices, so that a long backlog never
// holds up heartbeats. Results and watch events go out as soon as the state has them: the entry is
// durable on a majority already. Rows go to storage behind it, one commit per slice; storage writes
// them with a later synced batch, and after a crash the log replays what is missing.
import type { JsonValue } from "@kingly/base";
import type { ApplyResult, Change, StateMachine, StateMeta } from "@kingly/decision";
import type { ConfState, Entry } from "raft-ts";
import type { HistoryEntry, ObjectMeta, RowChange } from "@kingly/storage";
import { APPLY_ENTRIES_MAX, APPLY_SLICE_MS } from "../limits.ts";

/** What the applier works with. */
export interface ApplierPorts {
  state(): StateMachine;
  confState(): ConfState;
  chainHash(index: number): Uint8Array;
  commit(commit: {
    readonly rows: readonly RowChange[];
    readonly history: readonly HistoryEntry[];
    readonly meta: ObjectMeta;
  }): Promise<void>;
  /** One entry was applied. */
  applied(entry: Entry, result: ApplyResult): void;
  /** A slice is through: the changes of all its entries, the state's revision after it, and how
   * long it took. */
  published(changes: readonly Change[], revision: number, seconds: number): void;
  fatal(error: unknown): void;
}

interface Task {
  readonly entries: readonly Entry[];
  readonly done: () => void;
  next: number;
}

/** Meta of the state machine in the form that storage keeps. */
export function objectMeta(meta: StateMeta, confState: ConfState): ObjectMeta {
  return {
    appliedIndex: meta.appliedIndex,
    appliedTerm: meta.appliedTerm,
    revision: meta.revision,
    timeMs: meta.timeMs,
    confState,
    state: { clusterId: meta.clusterId, featureLevel: meta.featureLevel },
  };
}

/** Meta of the state machine from what storage kept. */
export function stateMeta(meta: ObjectMeta): StateMeta {
  const { clusterId, featureLevel } = meta.state;
  return {
    appliedIndex: meta.appliedIndex,
    appliedTerm: meta.appliedTerm,
    timeMs: meta.timeMs,
    revision: meta.revision,
    clusterId: typeof clusterId === "string" ? clusterId : "",
    featureLevel: typeof featureLevel === "number" ? featureLevel : 1,
  };
}

/** Works through committed entries in order. */
export class Applier {
  readonly #ports: ApplierPorts;
  #queue: Task[] = [];
  #running = false;
  #stopped = false;
  #idle: (() => void)[] = [];

  constructor(ports: ApplierPorts) {
    this.#ports = ports;
  }

  /** Entries waiting. */
  get length(): number {
    let count = 0;
    for (const task of this.#queue) count += task.entries.length - task.next;
    return count;
  }

  /** Queues entries; `done` is called when all of them are applied and handed to storage. */
  apply(entries: readonly Entry[], done: () => void): void {
    this.#queue.push({ entries, done, next: 0 });
    if (this.#running || this.#stopped) return;
    this.#running = true;
    // Not at once: what the commit made possible to send shall not wait for it to be applied.
    setImmediate(() => void this.#work());
  }

  /** Resolves when nothing waits any more. */
  idle(): Promise<void> {
    if (!this.#running) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  stop(): void {
    this.#stopped = true;
  }

  async #work(): Promise<void> {
    try {
      while (this.#queue.length > 0 && !this.#stopped) {
        await this.#slice();
        if (this.#queue.length > 0) await new Promise((resolve) => setImmediate(resolve));
      }
    } catch (error) {
      this.#stopped = true;
      this.#ports.fatal(error);
    }
    this.#running = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Applies until the slice is full, then hands everything on. */
  async #slice(): Promise<void> {
    const rows = new Map<string, JsonValue | undefined>();
    const changes: Change[] = [];
    const finished: Task[] = [];
    const startedAt = performance.now();
    let count = 0;
    for (let task = this.#queue[0]; task !== undefined; task = this.#queue[0]) {
      while (task.next < task.entries.length && count < APPLY_ENTRIES_MAX) {
        const entry = task.entries[task.next] as Entry;
        task.next += 1;
        count += 1;
        for (const change of this.#applyOne(entry).changes) {
          rows.set(change.key, change.type === "DELETED" ? undefined : change.value);
          if (change.internal) continue;
          changes.push(change);
        }
        if ((count & 7) === 0 && performance.now() - startedAt > APPLY_SLICE_MS) count = Infinity;
      }
      if (task.next < task.entries.length) break;
      this.#queue.shift();
      finished.push(task);
      if (count >= APPLY_ENTRIES_MAX) break;
    }
    const meta = this.#ports.state().meta();
    this.#ports.published(changes, meta.revision, (performance.now() - startedAt) / 1000);
    await this.#ports.commit({
      rows: [...rows].map(([key, value]) => ({ key, value })),
      history: changes,
      meta: objectMeta(meta, this.#ports.confState()),
    });
    for (const task of finished) task.done();
  }

  #applyOne(entry: Entry): ApplyResult {
    const chainHash = this.#ports.chainHash(entry.index);
    const { index, term, data } = entry;
    const result = this.#ports.state().apply({ index, term, data, chainHash });
    this.#ports.applied(entry, result);
    return result;
  }
}
