// The batching rule, alone and on an injected clock. A request waits in one bounded first-in-first-out
// queue. With window 0 each idle worker takes one request. With a window, a batch leaves when it is
// full or when its oldest request has waited the window (to the nearest timer tick), whichever is
// first, and a worker is idle.
// Changing the settings re-reads the rule at once and never touches what waits.
import type { Clock } from "../clock.ts";
import { QUEUE_LENGTH_MAX, WINDOW_SLACK_MS } from "../limits.ts";

/** Computes batches elsewhere. `execute` is only called while `hasIdle()` is true. */
export interface BatchExecutor<Job> {
  hasIdle(): boolean;
  execute(batch: readonly Job[]): void;
}

/** The tunables this rule reads. */
export interface DispatchSettings {
  readonly maxBatchSize: number;
  readonly batchWindowMs: number;
}

interface Waiting<Job> {
  readonly job: Job;
  readonly since: number;
}

/** Forms batches from single jobs. */
export class Dispatcher<Job> {
  readonly #clock: Clock;
  readonly #executor: BatchExecutor<Job>;
  #settings: DispatchSettings;
  #queue: Waiting<Job>[] = [];
  #cancelTimer: (() => void) | undefined;

  constructor(clock: Clock, executor: BatchExecutor<Job>, settings: DispatchSettings) {
    this.#clock = clock;
    this.#executor = executor;
    this.#settings = settings;
  }

  /** Jobs waiting for a worker, 0..QUEUE_LENGTH_MAX. */
  get length(): number {
    return this.#queue.length;
  }

  /** Takes a job, or refuses it with false because QUEUE_LENGTH_MAX jobs already wait. */
  enqueue(job: Job): boolean {
    if (this.#queue.length >= QUEUE_LENGTH_MAX) return false;
    this.#queue.push({ job, since: this.#clock.now() });
    this.pump();
    return true;
  }

  /** Applies new settings to everything that waits and everything to come. */
  configure(settings: DispatchSettings): void {
    this.#settings = settings;
    this.pump();
  }

  /** Hands out every batch that is due; call it whenever a worker becomes idle. */
  pump(): void {
    this.#stopTimer();
    while (this.#queue.length > 0 && this.#executor.hasIdle()) {
      const remaining = this.#remainingMs();
      if (remaining > 0) {
        this.#cancelTimer = this.#clock.after(remaining, () => this.pump());
        return;
      }
      const size = this.#settings.batchWindowMs === 0 ? 1 : this.#settings.maxBatchSize;
      const batch = this.#queue.splice(0, size);
      this.#executor.execute(batch.map((waiting) => waiting.job));
    }
  }

  /** Removes and returns all that waits, oldest first (for shutdown and failure). */
  drain(): readonly Job[] {
    this.#stopTimer();
    const jobs = this.#queue.map((waiting) => waiting.job);
    this.#queue = [];
    return jobs;
  }

  /** Time until the next batch may leave; 0 = now. */
  #remainingMs(): number {
    const { maxBatchSize, batchWindowMs } = this.#settings;
    const oldest = this.#queue[0];
    if (oldest === undefined || batchWindowMs === 0) return 0;
    if (this.#queue.length >= maxBatchSize) return 0;
    const remaining = oldest.since + batchWindowMs - WINDOW_SLACK_MS - this.#clock.now();
    return Math.max(0, remaining);
  }

  #stopTimer(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }
}
