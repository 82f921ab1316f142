// How far the log may be compacted without harming a member that is merely slow: what it still needs
// would have to reach it as a snapshot, which costs more than a few entries kept longer. Paper
// section 7 leaves the moment of compaction to each node.
import type { LogIndex } from "./ids.ts";
import { logIndex } from "./ids.ts";
import { isHeard } from "./membership-guard.ts";
import type { Raft } from "./raft.ts";

/** How much applied log to keep. */
export interface CompactionPolicy {
  /** Entries to keep in any case, for followers that are a little behind. */
  readonly keepEntries: number;
  /** Most entries a leader keeps for a member further behind; at least keepEntries. A member that
   * needs more gets a snapshot. */
  readonly keepEntriesMost: number;
}

/** Index up to which, inclusively, the log may be compacted; never beyond what is applied. */
export function compactionBound(raft: Raft, policy: CompactionPolicy): LogIndex {
  const { applied } = raft.log;
  const wanted = Math.max(0, applied - policy.keepEntries);
  if (raft.state !== "leader") return logIndex(wanted);
  const least = Math.max(0, applied - policy.keepEntriesMost);
  let needed = wanted;
  for (const id of raft.tracker.ids) {
    const pr = raft.tracker.get(id);
    // Nothing is kept for a member that is away: it may never come back.
    if (pr === undefined || id === raft.id || !isHeard(raft, id)) continue;
    // One that receives a snapshot continues behind it.
    needed = Math.min(needed, Math.max(pr.match, pr.pendingSnapshot));
  }
  return logIndex(Math.max(least, needed));
}
