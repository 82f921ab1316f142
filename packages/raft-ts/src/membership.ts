// Putting a configuration into force: after a configuration change was applied, or from a snapshot.
// Configurations act when applied, not when appended; election.ts guards against campaigning with an
// older one. Paper section 6.
import { enterJoint, leaveJoint, simpleChange } from "./confchange/changer.ts";
import type { Membership } from "./confchange/changer.ts";
import { entersJoint, leavesJoint } from "./confchange/types.ts";
import type { ConfChangeV2 } from "./confchange/types.ts";
import type { LogIndex } from "./ids.ts";
import { NO_NODE } from "./ids.ts";
import { jointIds } from "./quorum/joint.ts";
import type { Raft } from "./raft.ts";
import { maybeCommit } from "./commit.ts";
import { broadcastAppend, broadcastMissing } from "./replicate.ts";
import type { ConfState } from "./types.ts";

/**
 * Applies the committed change at `index`, once: a change that the configuration in force includes
 * already (from a snapshot, or applied before) has no further effect. Throws InvalidConfChangeError
 * and changes nothing if it cannot.
 */
export function applyConfChange(raft: Raft, cc: ConfChangeV2, index: LogIndex): ConfState {
  if (index <= raft.tracker.configId) return raft.tracker.confState();
  return switchToConfig(raft, nextMembership(raft, cc), index);
}

/** What the change would make of the active configuration. Throws InvalidConfChangeError. */
export function nextMembership(raft: Raft, cc: ConfChangeV2): Membership {
  const { tracker } = raft;
  const base = {
    config: tracker.config,
    progress: tracker.progressMap,
    tracker,
    lastIndex: raft.log.lastIndex(),
  };
  if (leavesJoint(cc)) return leaveJoint(base);
  const joint = entersJoint(cc);
  return joint === undefined
    ? simpleChange(base, cc.changes)
    : enterJoint(base, joint.autoLeave, cc.changes);
}

/**
 * Puts a configuration into force, which the change at `configId` made (0 = unknown), and draws the
 * leader's consequences.
 */
export function switchToConfig(raft: Raft, next: Membership, configId: LogIndex): ConfState {
  const { tracker } = raft;
  tracker.install(next.config, next.progress, configId);
  const confState = tracker.confState();
  raft.trace?.({ kind: "config-switched", id: raft.id, config: confState });
  const own = tracker.get(raft.id);
  raft.isLearner = own?.isLearner ?? false;
  if (raft.state !== "leader") return confState;
  if (own === undefined || own.isLearner) {
    // Removed or demoted. Without stepDownOnRemoval it keeps leading, without counting itself.
    if (raft.config.stepDownOnRemoval) raft.becomeFollower(raft.term, NO_NODE);
    return confState;
  }
  if (confState.voters.length === 0) return confState;
  if (maybeCommit(raft)) {
    // A smaller quorum may have committed more: tell everybody.
    broadcastAppend(raft);
  } else {
    // New members should not wait for a heartbeat or the next proposal.
    broadcastMissing(raft);
  }
  if (raft.transferee !== NO_NODE && !jointIds(next.config.voters).includes(raft.transferee)) {
    raft.transferee = NO_NODE;
  }
  return confState;
}
