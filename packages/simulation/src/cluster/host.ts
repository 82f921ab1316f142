// One simulated machine as its programs feel it: work that is due runs now, later when the machine is
// paused (SIGSTOP, a long collection, a frozen virtual machine), or never when it crashed meanwhile.
// It also has a clock of its own that runs a little wrong and may jump.

import type { Scheduler } from "../engine/scheduler.ts";

/** A machine in virtual time. */
export class Host {
  readonly #scheduler: Scheduler;
  #life = 0;
  #paused = false;
  #held: (() => void)[] = [];
  /** Added to the true time by this machine's clock, microseconds. */
  clockOffsetUs = 0;
  /** Length of this machine's tick relative to the true one. */
  tickFactor = 1;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** This machine's clock, milliseconds. */
  get clockMs(): number {
    return Math.max(0, Math.floor((this.#scheduler.nowUs + this.clockOffsetUs) / 1000));
  }

  /** True time in microseconds, for measuring how long a pause was. */
  get nowUs(): number {
    return this.#scheduler.nowUs;
  }

  /** Runs `action` after a delay in this life of the machine. */
  after(delayUs: number, action: () => void): void {
    const life = this.#life;
    this.#scheduler.after(delayUs, () => {
      if (life === this.#life) this.enter(action);
    });
  }

  /** Runs `action` now, or when the pause ends. */
  enter(action: () => void): void {
    if (this.#paused) {
      this.#held.push(action);
      return;
    }
    this.#scheduler.touch();
    action();
  }

  pause(): void {
    this.#paused = true;
  }

  /** Ends a pause; what was due happens now, one event after the other. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    const held = this.#held;
    this.#held = [];
    for (const action of held) this.after(0, action);
  }

  /** Everything that was going on here is over. */
  crash(): void {
    this.#life += 1;
    this.#paused = false;
    this.#held = [];
  }
}
