// Exactly once: however often a client repeats a request under one idempotency key, it takes effect at
// one index of the log only; and a request whose success was told to the client did take effect.

import { Violation } from "../engine/violation.ts";

/** Remembers where every request took effect. */
export class ExactlyOnce {
  readonly #effects = new Map<string, number>();
  readonly #acknowledged: string[] = [];

  /** Requests that took effect. */
  get effects(): number {
    return this.#effects.size;
  }

  /** Applying the entry at `index` made request `key` take effect. */
  tookEffect(key: string, index: number): void {
    const before = this.#effects.get(key);
    if (before === undefined) {
      this.#effects.set(key, index);
      return;
    }
    if (before === index) return;
    throw new Violation("exactly-once", `request ${key} took effect at ${before} and at ${index}`);
  }

  /** A client was told that its request succeeded. */
  acknowledged(key: string): void {
    this.#acknowledged.push(key);
    if (this.#effects.has(key)) return;
    throw new Violation("exactly-once", `request ${key} was acknowledged but took no effect`);
  }

  /** Indices at which acknowledged requests took effect, in order of their acknowledgement. */
  *acknowledgedEffects(): Iterable<readonly [key: string, index: number]> {
    for (const key of this.#acknowledged) yield [key, this.#effects.get(key) ?? 0];
  }
}
