// Election Safety (paper figure 3): at most one leader can be elected in a given term.

import { Violation } from "../engine/violation.ts";

/** Remembers who led which term. */
export class ElectionSafety {
  readonly #leaders = new Map<number, number>();

  /** Terms that had a leader. */
  get elections(): number {
    return this.#leaders.size;
  }

  /** A server says that it leads. */
  leads(id: number, term: number): void {
    const before = this.#leaders.get(term);
    if (before !== undefined && before !== id) {
      throw new Violation("election-safety", `term ${term} has two leaders: ${before} and ${id}`);
    }
    this.#leaders.set(term, id);
  }
}
