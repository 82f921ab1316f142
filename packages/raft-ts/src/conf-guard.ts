// Configurations act when they are applied. Between commit and apply a node works with an outdated
// one; campaigning in that state could elect it by a quorum that no longer counts.
import { logIndex } from "./ids.ts";
import type { Raft } from "./raft.ts";
import { isConfChangeEntry } from "./types.ts";

/** True if a committed change of members is not applied yet. */
export function hasUnappliedConfChanges(raft: Raft): boolean {
  const { applied, committed } = raft.log;
  if (applied >= committed) return false;
  return raft.log.some(logIndex(applied + 1), logIndex(committed + 1), isConfChangeEntry);
}
