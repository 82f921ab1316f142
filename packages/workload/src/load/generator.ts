// The open-loop engine: at each burst's scheduled time it sends, whatever is still unanswered, up to
// OUTSTANDING_MAX; beyond that a due request is dropped and counted, never delayed. Latency runs from
// the *scheduled* time, so a stall of this thread or of the service is charged to every request it
// delayed. The sender is injected, so that tests need neither network nor waiting.
import type { Clock } from "../clock.ts";
import { LATE_BURSTS_MAX, OUTSTANDING_MAX } from "../limits.ts";
import type { Burst, Schedule } from "./schedule.ts";
import type { LoadStats } from "./stats.ts";

/** Sends one text; calls back exactly once: true for a 200, false for anything else. */
export type Send = (text: string, done: (ok: boolean) => void) => void;

/** Sends a schedule's requests on time. */
export class LoadGenerator {
  readonly #clock: Clock;
  readonly #schedule: Schedule;
  readonly #send: Send;
  readonly #stats: LoadStats;
  #startMs = 0;
  #outstanding = 0;
  #next: Burst;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, schedule: Schedule, send: Send, stats: LoadStats) {
    this.#clock = clock;
    this.#schedule = schedule;
    this.#send = send;
    this.#stats = stats;
    this.#next = schedule.next();
  }

  /** Requests sent and not answered, 0..OUTSTANDING_MAX. */
  get outstanding(): number {
    return this.#outstanding;
  }

  /** Starts the schedule now. */
  start(): void {
    this.#startMs = this.#clock.now();
    this.#arm();
  }

  /** Sends nothing more; answers under way are still counted. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #arm(): void {
    const delay = this.#startMs + this.#next.atMs - this.#clock.now();
    this.#cancel = this.#clock.after(Math.max(0, delay), () => this.#run());
  }

  #run(): void {
    let bursts = 0;
    while (this.#startMs + this.#next.atMs <= this.#clock.now()) {
      const scheduledMs = this.#startMs + this.#next.atMs;
      bursts++;
      if (bursts > LATE_BURSTS_MAX) this.#stats.add("dropped", this.#next.texts.length);
      else for (const text of this.#next.texts) this.#sendOne(text, scheduledMs);
      this.#next = this.#schedule.next();
    }
    this.#arm();
  }

  #sendOne(text: string, scheduledMs: number): void {
    if (this.#outstanding >= OUTSTANDING_MAX) {
      this.#stats.add("dropped", 1);
      return;
    }
    this.#outstanding++;
    this.#stats.add("sent", 1);
    this.#send(text, (ok) => {
      this.#outstanding--;
      if (!ok) {
        this.#stats.add("failed", 1);
        return;
      }
      this.#stats.add("answered", 1);
      this.#stats.add("latencyNanos", (this.#clock.now() - scheduledMs) * 1e6);
    });
  }
}
