// Leader's commit rule: an index stored by a quorum is committed if its entry is of the leader's own
// term; earlier entries are committed along with it (paper section 5.4.2 and figure 8).
import type { Raft } from "./raft.ts";

/** Raises the commit index as far as the quorum allows; true if it moved. */
export function maybeCommit(raft: Raft): boolean {
  return raft.log.maybeCommit(raft.tracker.committed(), raft.term);
}
