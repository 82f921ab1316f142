// What a read must see, before any history is searched: when it is called, everything that some server
// calls committed by then (thesis section 6.4). Stricter than linearizability of the values seen, because
// it needs no write to the same key and no second reader to show that an answer was old.

import { Violation } from "../engine/violation.ts";

/** The read index of a server, given for a read that was called when `committed` was committed. */
export function checkReadIndex(id: number, index: number, committed: number): void {
  if (index >= committed) return;
  throw new Violation(
    "read-index",
    `server ${id} reads at index ${index}, but ${committed} was committed when the read was called`,
  );
}
