// A session between an agent and the control plane: messages arrive in order or not at all. When it
// breaks, what is under way is lost and both sides learn of it; a new session begins from scratch.

import type { Prng } from "@kingly/base";
import type { Scheduler } from "../engine/scheduler.ts";

/** One session, both directions. */
export class Session {
  readonly #scheduler: Scheduler;
  readonly #prng: Prng;
  readonly #spreadUs: number;
  #open = true;
  /** Earliest time of the next delivery per direction, so that order is kept. */
  readonly #lastUs = { up: 0, down: 0 };

  constructor(scheduler: Scheduler, prng: Prng, spreadUs: number) {
    this.#scheduler = scheduler;
    this.#prng = prng;
    this.#spreadUs = spreadUs;
  }

  get open(): boolean {
    return this.#open;
  }

  /** Delivers to the control plane ("up") or to the node ("down") while the session lives. */
  send(direction: "up" | "down", deliver: () => void): void {
    if (!this.#open) return;
    const drawnUs = this.#scheduler.nowUs + 200 + this.#prng.below(this.#spreadUs + 1);
    const atUs = Math.max(drawnUs, this.#lastUs[direction] + 1);
    this.#lastUs[direction] = atUs;
    this.#scheduler.after(atUs - this.#scheduler.nowUs, () => {
      if (this.#open) deliver();
    });
  }

  /** Ends it; what is under way is lost. */
  break(): void {
    this.#open = false;
  }
}
