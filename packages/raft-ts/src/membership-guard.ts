// What the leader refuses although it could be applied: membership changes after which the group might
// stand still. A majority of the new voters must be alive, and a new voter must be a learner that keeps
// up, or the group would wait for it (thesis sections 4.2.1 and 4.4). Leaving a joint configuration is
// always allowed: staying in it needs more.
import type { ConfChangeV2 } from "./confchange/types.ts";
import { leavesJoint } from "./confchange/types.ts";
import type { NodeId } from "./ids.ts";
import type { Membership } from "./confchange/changer.ts";
import { jointIds, jointVote } from "./quorum/joint.ts";
import type { Raft } from "./raft.ts";
import type { DropReason } from "./types.ts";

/** The reason to refuse a change that would lead to `next`; undefined if there is none. */
export function guardMembership(
  raft: Raft,
  cc: ConfChangeV2,
  next: Membership,
): DropReason | undefined {
  if (!raft.config.membershipGuard || leavesJoint(cc)) return undefined;
  const voted = jointIds(raft.tracker.config.voters);
  for (const id of next.config.voters.incoming) {
    if (!voted.includes(id) && !isFitToVote(raft, id)) return "conf-change-voter-behind";
  }
  const heard = new Map<NodeId, boolean>();
  for (const id of jointIds(next.config.voters)) heard.set(id, isHeard(raft, id));
  return jointVote(next.config.voters, heard) === "won" ? undefined : "conf-change-loses-quorum";
}

/** True if this leader heard of a member within an election timeout; it hears itself. */
export function isHeard(raft: Raft, id: NodeId): boolean {
  const { electionTicks } = raft.config;
  return (
    id === raft.id || raft.tracker.get(id)?.heardWithin(electionTicks, raft.tickCount) === true
  );
}

/** True for a learner that has caught up and keeps up. */
export function isFitToVote(raft: Raft, id: NodeId): boolean {
  const pr = raft.tracker.get(id);
  return pr !== undefined && pr.isLearner && pr.catchUp.isReady(raft.tickCount);
}
