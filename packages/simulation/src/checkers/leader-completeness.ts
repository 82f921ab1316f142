// Leader Completeness (paper figure 3): an entry that is committed is present in the log of the leader
// of every later term. With Log Matching it is enough to look at the newest committed entry.

import { Violation } from "../engine/violation.ts";
import type { ServerView, World } from "./world.ts";

/** A server begins to lead: its log must hold what is committed. */
export function checkLeaderCompleteness(world: World, leader: ServerView): void {
  const index = world.committedIndex;
  const committed = world.committedAt(index);
  if (committed === undefined || committed.term > leader.term) return;
  if (index <= leader.handed.baseIndex) return;
  const found = leader.handed.termAt(index);
  if (found === committed.term) return;
  throw new Violation(
    "leader-completeness",
    `server ${leader.id} leads term ${leader.term} without the committed entry ${index} of term ` +
      `${committed.term} (it has ${found === undefined ? "nothing" : `term ${found}`} there)`,
  );
}
