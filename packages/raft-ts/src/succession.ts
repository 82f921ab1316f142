// When a leader hands over of its own accord: its disk stands still, or a preferred node keeps up with
// it. Both end in an ordinary leadership transfer (thesis section 3.10), so that a wrong guess costs a
// pause of writes and never safety.
//
// A stalled disk does not show in heartbeats: the leader still sends them, the others commit without
// it, and clients connected to it wait. It shows in the leader's own acknowledgement, which comes from
// its disk like a follower's.
import type { NodeId } from "./ids.ts";
import { NO_NODE } from "./ids.ts";
import { MAX_PREFERENCE_PAUSE } from "./limits.ts";
import { isHeard } from "./membership-guard.ts";
import type { Raft } from "./raft.ts";
import type { Progress } from "./tracker/progress.ts";
import { startTransfer } from "./transfer.ts";

/** Once per tick of a leader: hands over, and the second time steps down, when nothing of its own
 * log became durable for diskStallTicks although entries wait. */
export function checkOwnDisk(raft: Raft): void {
  const { diskStallTicks } = raft.config;
  const own = raft.tracker.get(raft.id);
  if (diskStallTicks === 0 || own === undefined || raft.tracker.isSingleton) return;
  const { stall } = raft;
  if (own.match >= raft.log.lastIndex() || own.match > stall.match) {
    raft.stall = { match: own.match, sinceTick: raft.tickCount, handedOver: false };
    return;
  }
  if (raft.tickCount - stall.sinceTick < diskStallTicks || raft.transferee !== NO_NODE) return;
  raft.stall = { ...stall, sinceTick: raft.tickCount, handedOver: true };
  const successor = bestSuccessor(raft);
  const steppingDown = stall.handedOver && successor !== NO_NODE;
  raft.trace?.({
    kind: "leader-disk-stalled",
    id: raft.id,
    match: own.match,
    lastIndex: raft.log.lastIndex(),
    successor,
    steppingDown,
  });
  if (successor === NO_NODE) return;
  raft.diskStalled = true;
  if (steppingDown) raft.becomeFollower(raft.term, NO_NODE);
  else startTransfer(raft, successor);
}

/** The voter that leads best if this node cannot: heard of lately, then longest log, then highest
 * rank, then lowest id; 0 if there is none. */
function bestSuccessor(raft: Raft): NodeId {
  let best = NO_NODE;
  let bestProgress: Progress | undefined;
  for (const id of raft.tracker.config.voters.incoming) {
    const pr = raft.tracker.get(id);
    if (id === raft.id || pr === undefined || !isHeard(raft, id)) continue;
    const match = bestProgress?.match ?? -1;
    if (pr.match > match || (pr.match === match && rank(raft, id) > rank(raft, best))) {
      best = id;
      bestProgress = pr;
    }
  }
  return best;
}

function rank(raft: Raft, id: NodeId): number {
  return raft.config.leaderPriority?.(id) ?? 0;
}

/** Once per election timeout of a leader: hands over to the best voter that ranks above it, if that
 * one keeps up. */
export function preferBetterLeader(raft: Raft): void {
  if (raft.config.leaderPriority === undefined || raft.transferee !== NO_NODE) return;
  if (!raft.committedInTerm() || raft.pendingConfIndex > raft.log.applied) return;
  const { preference } = raft;
  if (preference.waiting > 0) {
    raft.preference = { ...preference, waiting: preference.waiting - 1 };
    return;
  }
  let best = raft.id;
  for (const id of raft.tracker.config.voters.incoming) {
    if (rank(raft, id) > rank(raft, best) && keepsUp(raft, id)) best = id;
  }
  if (best === raft.id) return;
  const pause = Math.min(preference.pause * 2, MAX_PREFERENCE_PAUSE);
  raft.preference = { waiting: pause, pause };
  raft.trace?.({ kind: "leader-preferred", id: raft.id, preferred: best });
  startTransfer(raft, best);
}

function keepsUp(raft: Raft, id: NodeId): boolean {
  const pr = raft.tracker.get(id);
  if (pr === undefined || pr.state !== "replicate" || !isHeard(raft, id)) return false;
  return pr.match >= raft.log.committed;
}
