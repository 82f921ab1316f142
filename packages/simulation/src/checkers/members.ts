// Who is a member, as the observer computes it: from the initial members and the committed changes,
// by its own reading of paper section 6, never by asking the code under test. A decision needs a
// majority of the voters, in a joint configuration also one of the outgoing voters.

import type { ConfChange, ConfState } from "raft-ts";
import { Violation } from "../engine/violation.ts";

/** One configuration; all lists ascend. */
export interface Members {
  readonly voters: readonly number[];
  /** Voters of the outgoing half; empty outside a joint configuration. */
  readonly outgoing: readonly number[];
  readonly learners: readonly number[];
  /** Outgoing voters that become learners when the joint configuration is left. */
  readonly staged: readonly number[];
  readonly autoLeave: boolean;
}

/** Nobody. */
export const NO_MEMBERS: Members = {
  voters: [],
  outgoing: [],
  learners: [],
  staged: [],
  autoLeave: false,
};

/** A configuration in which these vote. */
export function votersOnly(voters: readonly number[]): Members {
  return { ...NO_MEMBERS, voters };
}

/** Reads what a server says. */
export function membersOf(state: ConfState): Members {
  const { voters, votersOutgoing, learners, learnersNext, autoLeave } = state;
  return { voters, outgoing: votersOutgoing, learners, staged: learnersNext, autoLeave };
}

/** Everybody in it. */
export function everybody(members: Members): readonly number[] {
  const { voters, outgoing, learners, staged } = members;
  return sorted([...voters, ...outgoing, ...learners, ...staged]);
}

/** Is this set of servers a quorum? */
export function isQuorum(members: Members, has: (id: number) => boolean): boolean {
  const isMajority = (ids: readonly number[]): boolean =>
    ids.length === 0 || ids.filter(has).length > ids.length / 2;
  return isMajority(members.voters) && isMajority(members.outgoing);
}

function sorted(ids: Iterable<number>): number[] {
  return [...new Set(ids)].sort((a, b) => a - b);
}

/** The configuration after a committed change. */
export function afterChange(members: Members, change: ConfChange): Members {
  if (change.version === 2 && change.transition === "auto" && change.changes.length === 0) {
    const { voters, learners, staged } = members;
    return { ...votersOnly(voters), learners: sorted([...learners, ...staged]) };
  }
  const changes = change.version === 1 ? [change] : change.changes;
  const isJoint = change.version === 2 && (change.transition !== "auto" || changes.length > 1);
  const outgoing = isJoint ? members.voters : members.outgoing;
  const voters = new Set(members.voters);
  const learners = new Set(members.learners);
  const staged = new Set(members.staged);
  for (const { type, nodeId } of changes) {
    if (type === "update-node") continue;
    voters.delete(nodeId);
    learners.delete(nodeId);
    staged.delete(nodeId);
    if (type === "add-node") voters.add(nodeId);
    // A voter of the outgoing half cannot be a learner before that half is gone.
    else if (type === "add-learner-node") {
      (outgoing.includes(nodeId) ? staged : learners).add(nodeId);
    }
  }
  const autoLeave = isJoint ? change.transition !== "joint-explicit" : members.autoLeave;
  return {
    voters: sorted(voters),
    outgoing,
    learners: sorted(learners),
    staged: sorted(staged),
    autoLeave,
  };
}

/** "1 2 3 joint 1 2 learners 4". */
export function membersText(members: Members): string {
  const { voters, outgoing, learners, staged, autoLeave } = members;
  const parts = [voters.join(" ")];
  if (outgoing.length > 0) parts.push(`joint ${outgoing.join(" ")}`);
  if (learners.length > 0) parts.push(`learners ${learners.join(" ")}`);
  if (staged.length > 0) parts.push(`staged ${staged.join(" ")}`);
  if (autoLeave) parts.push("autoleave");
  return parts.join(", ");
}

/** The committed configurations of one cluster in the order of the log. */
export class MemberHistory {
  readonly #known: { readonly index: number; readonly members: Members }[];

  constructor(initial: readonly number[]) {
    this.#known = [{ index: 0, members: votersOnly(initial) }];
  }

  /** Changes so far. */
  get changes(): number {
    return this.#known.length - 1;
  }

  /** The configuration when everything up to `index` is applied. */
  at(index: number): Members {
    const found = this.#known.findLast((one) => one.index <= index);
    return found === undefined ? NO_MEMBERS : found.members;
  }

  /** A server applied the change at `index` and says what came of it. */
  changed(id: number, index: number, change: ConfChange, said: Members): void {
    const last = this.#known.at(-1);
    if (last === undefined || last.index < index) {
      this.#known.push({ index, members: afterChange(this.at(index), change) });
    }
    this.check(id, index, said);
  }

  /** A server says what configuration it has at an applied index. */
  check(id: number, index: number, said: Members): void {
    const expected = membersText(this.at(index));
    const found = membersText(said);
    // A member that joins knows nobody until its first snapshot.
    if (found === expected || (index === 0 && found === "")) return;
    const text = `server ${id} at index ${index} counts members (${found}), not (${expected})`;
    throw new Violation("membership", text);
  }
}
