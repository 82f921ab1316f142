// Carries out membership changes on a copy of the configuration and refuses those that would break
// its rules, so that the active configuration is never half changed (paper section 6; thesis
// section 4.3 for joint consensus).
//
//   (1 2 3)  --enterJoint v4 r1-->  (2 3 4)&&(1 2 3)  --leaveJoint-->  (2 3 4)
import { InvalidConfChangeError, invariant } from "../errors.ts";
import type { LogIndex, NodeId } from "../ids.ts";
import { logIndex } from "../ids.ts";
import { majorityOf } from "../quorum/majority.ts";
import { isJoint, jointIds } from "../quorum/joint.ts";
import { Progress } from "../tracker/progress.ts";
import type { ProgressMap, ProgressTracker, TrackerConfig } from "../tracker/tracker.ts";
import type { ConfChangeSingle } from "./types.ts";

/** A configuration with the Progress that belongs to it. */
export interface Membership {
  readonly config: TrackerConfig;
  readonly progress: ProgressMap;
}

/** What a change starts from. */
export interface ChangeBase extends Membership {
  readonly tracker: ProgressTracker;
  /** Last index of the leader's log: where a new follower is probed first. */
  readonly lastIndex: LogIndex;
}

/** A membership under construction. */
interface Draft {
  readonly incoming: Set<NodeId>;
  outgoing: Set<NodeId>;
  readonly learners: Set<NodeId>;
  readonly learnersNext: Set<NodeId>;
  readonly progress: Map<NodeId, Progress>;
  autoLeave: boolean;
  readonly base: ChangeBase;
}

function draftOf(base: ChangeBase): Draft {
  const { config } = base;
  checkInvariants(base);
  const progress = new Map<NodeId, Progress>();
  for (const [id, pr] of base.progress) progress.set(id, pr.clone());
  return {
    incoming: new Set(config.voters.incoming),
    outgoing: new Set(config.voters.outgoing),
    learners: new Set(config.learners),
    learnersNext: new Set(config.learnersNext),
    progress,
    autoLeave: config.autoLeave,
    base,
  };
}

function finish(draft: Draft): Membership {
  const result: Membership = {
    config: {
      voters: { incoming: majorityOf(draft.incoming), outgoing: majorityOf(draft.outgoing) },
      learners: majorityOf(draft.learners),
      learnersNext: majorityOf(draft.learnersNext),
      autoLeave: draft.autoLeave,
    },
    progress: draft.progress,
  };
  checkInvariants(result);
  return result;
}

/** Makes the configuration joint, then applies the changes to its incoming half. */
export function enterJoint(
  base: ChangeBase,
  autoLeave: boolean,
  changes: readonly ConfChangeSingle[],
): Membership {
  const draft = draftOf(base);
  if (draft.outgoing.size > 0)
    throw new InvalidConfChangeError("already-joint", "config is already joint");
  if (draft.incoming.size === 0) {
    throw new InvalidConfChangeError("no-voters", "can't make a zero-voter config joint");
  }
  draft.outgoing = new Set(draft.incoming);
  applyChanges(draft, changes);
  draft.autoLeave = autoLeave;
  return finish(draft);
}

/** Drops the outgoing half; staged learners become learners. */
export function leaveJoint(base: ChangeBase): Membership {
  const draft = draftOf(base);
  if (draft.outgoing.size === 0)
    throw new InvalidConfChangeError("not-joint", "can't leave a non-joint config");
  for (const id of draft.learnersNext) {
    draft.learners.add(id);
    const pr = draft.progress.get(id);
    invariant(pr !== undefined, "staged learner without progress", { id });
    pr.isLearner = true;
  }
  draft.learnersNext.clear();
  for (const id of draft.outgoing) {
    if (!draft.incoming.has(id) && !draft.learners.has(id)) draft.progress.delete(id);
  }
  draft.outgoing.clear();
  draft.autoLeave = false;
  return finish(draft);
}

/** Applies changes that together alter at most one voter, without a joint configuration. */
export function simpleChange(base: ChangeBase, changes: readonly ConfChangeSingle[]): Membership {
  const draft = draftOf(base);
  if (draft.outgoing.size > 0) {
    throw new InvalidConfChangeError(
      "already-joint",
      "can't apply simple config change in joint config",
    );
  }
  applyChanges(draft, changes);
  const before = new Set(base.config.voters.incoming);
  let differing = 0;
  for (const id of draft.incoming) if (!before.has(id)) differing++;
  for (const id of before) if (!draft.incoming.has(id)) differing++;
  if (differing > 1) {
    throw new InvalidConfChangeError(
      "several-voters",
      "more than one voter changed without entering joint config",
    );
  }
  return finish(draft);
}

function applyChanges(draft: Draft, changes: readonly ConfChangeSingle[]): void {
  for (const change of changes) {
    if (change.nodeId === 0) continue;
    switch (change.type) {
      case "add-node":
        makeVoter(draft, change.nodeId);
        break;
      case "add-learner-node":
        makeLearner(draft, change.nodeId);
        break;
      case "remove-node":
        remove(draft, change.nodeId);
        break;
      case "update-node":
        break;
    }
  }
  if (draft.incoming.size === 0)
    throw new InvalidConfChangeError("no-voters", "removed all voters");
}

function makeVoter(draft: Draft, id: NodeId): void {
  const pr = draft.progress.get(id);
  if (pr === undefined) {
    draft.incoming.add(id);
    track(draft, id, false);
    return;
  }
  pr.isLearner = false;
  draft.learners.delete(id);
  draft.learnersNext.delete(id);
  draft.incoming.add(id);
}

function makeLearner(draft: Draft, id: NodeId): void {
  const pr = draft.progress.get(id);
  if (pr === undefined) {
    draft.learners.add(id);
    track(draft, id, true);
    return;
  }
  if (pr.isLearner) return;
  remove(draft, id);
  draft.progress.set(id, pr);
  // A voter of the outgoing half cannot be a learner at the same time: stage it until we leave.
  if (draft.outgoing.has(id)) {
    draft.learnersNext.add(id);
  } else {
    pr.isLearner = true;
    draft.learners.add(id);
  }
}

function remove(draft: Draft, id: NodeId): void {
  if (!draft.progress.has(id)) return;
  draft.incoming.delete(id);
  draft.learners.delete(id);
  draft.learnersNext.delete(id);
  if (!draft.outgoing.has(id)) draft.progress.delete(id);
}

function track(draft: Draft, id: NodeId, isLearner: boolean): void {
  const pr = new Progress({
    match: 0 as LogIndex,
    next: logIndex(Math.max(draft.base.lastIndex, 1)),
    isLearner,
    // Counts as heard of, or the next quorum check would depose the leader before the new member
    // had a chance to answer.
    recentActive: true,
    inflights: draft.base.tracker.newInflights(),
    catchUp: draft.base.tracker.newCatchUp(),
  });
  draft.progress.set(id, pr);
}

function checkInvariants(membership: Membership): void {
  const { config, progress } = membership;
  const { incoming, outgoing } = config.voters;
  for (const id of [...jointIds(config.voters), ...config.learners, ...config.learnersNext]) {
    invariant(progress.has(id), "member without progress", { id });
  }
  for (const id of config.learnersNext) {
    invariant(outgoing.includes(id), "staged learner is not an outgoing voter", { id });
    invariant(progress.get(id)?.isLearner === false, "staged learner is a learner", { id });
  }
  for (const id of config.learners) {
    invariant(!outgoing.includes(id) && !incoming.includes(id), "learner is a voter", { id });
    invariant(progress.get(id)?.isLearner === true, "learner is not marked as such", { id });
  }
  if (!isJoint(config.voters)) {
    invariant(config.learnersNext.length === 0, "staged learners outside a joint config");
    invariant(!config.autoLeave, "autoLeave outside a joint config");
  }
}
