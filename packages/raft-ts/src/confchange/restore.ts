// Rebuilds a membership from the ConfState of a snapshot by replaying the changes that lead to it:
// first the outgoing voters one by one, then one joint step to the incoming ones.
import { invariant } from "../errors.ts";
import type { LogIndex, NodeId } from "../ids.ts";
import { majorityOf } from "../quorum/majority.ts";
import { EMPTY_CONFIG } from "../tracker/tracker.ts";
import type { ProgressTracker } from "../tracker/tracker.ts";
import type { ConfState } from "../types.ts";
import { enterJoint, simpleChange } from "./changer.ts";
import type { Membership } from "./changer.ts";
import type { ConfChangeSingle, ConfChangeType } from "./types.ts";

function each(type: ConfChangeType, ids: readonly NodeId[]): ConfChangeSingle[] {
  return ids.map((nodeId) => ({ type, nodeId }));
}

/** The membership a ConfState describes, with fresh Progress for everybody in it. */
export function restoreMembership(
  tracker: ProgressTracker,
  lastIndex: LogIndex,
  state: ConfState,
): Membership {
  const arriving = [
    ...each("add-node", state.voters),
    ...each("add-learner-node", state.learners),
    ...each("add-learner-node", state.learnersNext),
  ];
  const joint = state.votersOutgoing.length > 0;
  const oneByOne = joint ? each("add-node", state.votersOutgoing) : arriving;
  let current: Membership = { config: EMPTY_CONFIG, progress: new Map() };
  for (const change of oneByOne) {
    current = simpleChange({ ...current, tracker, lastIndex }, [change]);
  }
  if (!joint) return current;
  const leaving = each("remove-node", state.votersOutgoing);
  return enterJoint({ ...current, tracker, lastIndex }, state.autoLeave, [...leaving, ...arriving]);
}

/** Throws RaftInvariantError unless two ConfStates describe the same membership. */
export function assertSameConfState(a: ConfState, b: ConfState): void {
  const key = (s: ConfState): string =>
    [s.voters, s.learners, s.votersOutgoing, s.learnersNext]
      .map((ids) => majorityOf(ids).join(","))
      .join("|") + String(s.autoLeave);
  invariant(key(a) === key(b), "restored configuration differs from the stored one", { a, b });
}
