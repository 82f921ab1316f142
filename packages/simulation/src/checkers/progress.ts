// Numbers that never go back within one life of a server: term, commit and applied index (over lives,
// see persistence.ts). And their order: compacted <= applied <= committed <= last.

import type { BasicStatus } from "raft-ts";
import { Violation } from "../engine/violation.ts";
import type { ServerView } from "./world.ts";

function monotone(id: number, what: string, before: number, now: number): void {
  if (now >= before) return;
  throw new Violation("monotone", `${what} of server ${id} goes back from ${before} to ${now}`);
}

/** Compares what a server says now with what it said before in the same life. */
export function checkProgress(view: ServerView, status: BasicStatus, firstIndex: number): void {
  monotone(view.id, "the term", view.term, status.term);
  monotone(view.id, "the commit index", view.commit, status.commit);
  monotone(view.id, "the applied index", view.applied, status.applied);
  const last = view.handed.lastIndex;
  const { applied, commit } = status;
  // While a snapshot is being installed the new log is there before its state.
  if (view.underWay.some((write) => write.snapshot.index > 0)) return;
  if (firstIndex - 1 <= applied && applied <= commit && commit <= last) return;
  throw new Violation(
    "index-order",
    `server ${view.id}: compacted ${firstIndex - 1}, applied ${applied}, committed ${commit}, ` +
      `last ${last} are not in order`,
  );
}
