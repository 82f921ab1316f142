// Election Safety (paper figure 3): at most one leader can be elected in a given term. Also by the same
// server: one that crashed as leader and lost what it did must not lead the same term again, or
// (index, term) would no longer name one entry.

import { Violation } from "../engine/violation.ts";

interface Leader {
  readonly id: number;
  readonly life: number;
}

/** Remembers who led which term. */
export class ElectionSafety {
  readonly #leaders = new Map<number, Leader>();

  /** Terms that had a leader. */
  get elections(): number {
    return this.#leaders.size;
  }

  /** A server says that it leads; `life` counts its starts. */
  leads(id: number, life: number, term: number): void {
    const before = this.#leaders.get(term);
    this.#leaders.set(term, before ?? { id, life });
    if (before === undefined || (before.id === id && before.life === life)) return;
    const text =
      before.id === id
        ? `server ${id} leads term ${term} again after a restart`
        : `term ${term} has two leaders: ${before.id} and ${id}`;
    throw new Violation("election-safety", text);
  }
}
