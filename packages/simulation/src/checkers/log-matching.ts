// Log Matching (paper figure 3): if two logs contain an entry with the same index and term, they are
// identical in all entries up to it. Checked by induction: wherever (index, term) appears, its content
// and the term before it must be the same everywhere and at all times.

import { Violation } from "../engine/violation.ts";
import type { Place } from "./log-mirror.ts";

interface Known {
  readonly print: number;
  readonly previousTerm: number;
}

/** Remembers what stood at (index, term). */
export class LogMatching {
  readonly #known = new Map<string, Known>();

  /** A server holds this entry behind one of term `previousTerm`. */
  holds(id: number, index: number, place: Place, previousTerm: number): void {
    const key = `${index}/${place.term}`;
    const known = this.#known.get(key);
    if (known === undefined) {
      this.#known.set(key, { print: place.print, previousTerm });
      return;
    }
    if (known.print === place.print && known.previousTerm === previousTerm) return;
    const what = known.print === place.print ? "another entry before it" : "another content";
    throw new Violation(
      "log-matching",
      `server ${id} has at index ${index}, term ${place.term} ${what} than a log seen before`,
    );
  }
}
