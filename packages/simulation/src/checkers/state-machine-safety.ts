// State Machine Safety (paper figure 3): no two servers ever apply different entries at one index; and
// because apply is deterministic, their rows are identical at equal index.

import { Violation } from "../engine/violation.ts";

interface Applied {
  readonly server: number;
  readonly entryPrint: number;
  readonly rowsPrint: number;
}

/** Remembers what was applied at each index and what the rows were after it. */
export class StateMachineSafety {
  readonly #applied = new Map<number, Applied>();

  /** A server applied an entry. `entryPrint` -1: a snapshot brought the state, the entry is unknown. */
  applied(server: number, index: number, entryPrint: number, rowsPrint: number): void {
    const before = this.#applied.get(index);
    if (before === undefined) {
      this.#applied.set(index, { server, entryPrint, rowsPrint });
      return;
    }
    if (before.entryPrint === -1 && entryPrint !== -1 && before.rowsPrint === rowsPrint) {
      this.#applied.set(index, { server, entryPrint, rowsPrint });
      return;
    }
    if (entryPrint !== -1 && before.entryPrint !== -1 && before.entryPrint !== entryPrint) {
      throw this.#differ(before, server, index, "applied different entries");
    }
    if (before.rowsPrint !== rowsPrint) throw this.#differ(before, server, index, "differ in rows");
  }

  #differ(before: Applied, server: number, index: number, what: string): Violation {
    const text = `servers ${before.server} and ${server} ${what} at index ${index}`;
    return new Violation("state-machine-safety", text);
  }
}
