// The leader's care for its learners: it follows how they catch up, says when one is fit to vote, and
// proposes to make it a voter where the application wants that (thesis section 4.2.1).
import { asV2 } from "./confchange/types.ts";
import type { ConfChange } from "./confchange/types.ts";
import { encodeConfChange } from "./confchange/codec.ts";
import type { NodeId } from "./ids.ts";
import { isFitToVote } from "./membership-guard.ts";
import { makeMessage } from "./messages.ts";
import { confChangeRefusal, proposeEntries } from "./propose.ts";
import { NO_NODE } from "./ids.ts";
import type { Raft } from "./raft.ts";
import type { Progress } from "./tracker/progress.ts";
import { EMPTY_BYTES } from "./types.ts";

/** A learner answered: maybe a round of catch-up ends. */
export function observeLearner(raft: Raft, id: NodeId, pr: Progress): void {
  if (!pr.isLearner) return;
  const { tickCount } = raft;
  const wasReady = pr.catchUp.isReady(tickCount);
  pr.catchUp.observe({ match: pr.match, lastIndex: raft.log.lastIndex(), tick: tickCount });
  if (wasReady || !pr.catchUp.isReady(tickCount)) return;
  const { rounds, lastRoundTicks = 0 } = pr.catchUp;
  raft.trace?.({ kind: "learner-caught-up", id: raft.id, peer: id, rounds, lastRoundTicks });
}

/** Once per heartbeat of a leader: promotes the first learner that is fit and wanted as a voter. */
export function promoteLearners(raft: Raft): void {
  const { autoPromote } = raft.config;
  if (autoPromote === undefined || raft.transferee !== NO_NODE) return;
  for (const id of raft.tracker.config.learners) {
    if (!isFitToVote(raft, id) || !autoPromote(id)) continue;
    const cc: ConfChange = {
      version: 2,
      transition: "auto",
      changes: [{ type: "add-node", nodeId: id }],
      context: EMPTY_BYTES,
      expectedConfigId: raft.tracker.configId,
    };
    // Asked first, because a refused change would leave an empty entry every time.
    if (confChangeRefusal(raft, asV2(cc)) !== undefined) continue;
    const entry = { term: raft.term, index: raft.log.lastIndex(), type: "conf-change-v2" } as const;
    const entries = [{ ...entry, data: encodeConfChange(cc) }];
    const dropped = proposeEntries(raft, makeMessage({ type: "MsgProp", from: raft.id, entries }));
    raft.trace?.({ kind: "learner-promoted", id: raft.id, peer: id, dropped });
    return;
  }
}
