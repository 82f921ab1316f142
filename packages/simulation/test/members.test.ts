// The observer's own reading of membership changes, beside raft-ts's on random sequences of changes;
// and the checks that rest on it.
import { describe, expect, it } from "vitest";
import { createPrng } from "@kingly/base";
import { MemoryLogStorage, RawNode } from "raft-ts";
import type { ConfChangeV2, ConfState, LogIndex, NodeId, Term } from "raft-ts";
import {
  MemberHistory,
  afterChange,
  isQuorum,
  membersOf,
  membersText,
  votersOnly,
} from "../src/checkers/members.ts";
import type { Members } from "../src/checkers/members.ts";

const JOINT: Members = { ...votersOnly([3, 4, 5]), outgoing: [1, 2, 3] };

function nodeWith(voters: readonly number[]): RawNode {
  const storage = new MemoryLogStorage();
  const confState: ConfState = {
    voters: voters as readonly NodeId[],
    learners: [],
    votersOutgoing: [],
    learnersNext: [],
    autoLeave: false,
  };
  const metadata = { confState, index: 1 as LogIndex, term: 1 as Term };
  storage.applySnapshot({ data: new Uint8Array(0), metadata });
  return new RawNode({
    id: 1 as NodeId,
    electionTicks: 10,
    heartbeatTicks: 1,
    storage,
    applied: 1 as LogIndex,
    asyncStorageWrites: true,
    random: () => 0,
  });
}

function randomChange(prng: ReturnType<typeof createPrng>): ConfChangeV2 {
  const types = ["add-node", "remove-node", "add-learner-node", "update-node"] as const;
  const changes = Array.from({ length: prng.below(4) }, () => ({
    type: prng.pick(types),
    nodeId: (1 + prng.below(6)) as NodeId,
  }));
  const transition =
    changes.length === 0
      ? "auto"
      : prng.pick(["auto", "joint-implicit", "joint-explicit"] as const);
  return { version: 2, transition, changes, context: new Uint8Array(0) };
}

describe("the observer's membership", () => {
  it("agrees with raft-ts on 3,000 random changes, wherever raft-ts takes the change", () => {
    const prng = createPrng("members");
    let taken = 0;
    let node = nodeWith([1, 2, 3]);
    let members = votersOnly([1, 2, 3]);
    for (let round = 0; round < 3_000; round += 1) {
      if (round % 30 === 0) {
        node = nodeWith([1, 2, 3]);
        members = votersOnly([1, 2, 3]);
      }
      const change = randomChange(prng);
      let said: ConfState;
      try {
        said = node.applyConfChange(change, (round + 1) as LogIndex);
      } catch {
        continue;
      }
      members = afterChange(members, change);
      taken += 1;
      expect(membersText(membersOf(said)), `round ${round}`).toBe(membersText(members));
    }
    expect(taken).toBeGreaterThan(800);
  });

  it("wants a majority of both halves of a joint configuration", () => {
    const has = (ids: readonly number[]) => (id: number) => ids.includes(id);
    expect(isQuorum(JOINT, has([3, 4, 2]))).toBe(true);
    expect(isQuorum(JOINT, has([4, 5]))).toBe(false);
    expect(isQuorum(JOINT, has([1, 2, 3]))).toBe(false);
    expect(isQuorum(votersOnly([1, 2, 3, 4]), has([1, 2]))).toBe(false);
    expect(isQuorum(votersOnly([1, 2, 3, 4]), has([1, 2, 4]))).toBe(true);
  });

  it("contradicts a server that has other members at the same index", () => {
    const history = new MemberHistory([1, 2, 3]);
    const add: ConfChangeV2 = {
      version: 2,
      transition: "auto",
      changes: [{ type: "add-node", nodeId: 4 as NodeId }],
      context: new Uint8Array(0),
    };
    history.changed(1, 7, add, votersOnly([1, 2, 3, 4]));
    expect(() => history.check(2, 7, votersOnly([1, 2, 3, 4]))).not.toThrow();
    expect(() => history.check(2, 6, votersOnly([1, 2, 3]))).not.toThrow();
    expect(() => history.check(2, 8, votersOnly([1, 2, 3]))).toThrow(/counts members \(1 2 3\)/);
    expect(() => history.changed(3, 9, add, votersOnly([1]))).toThrow(/at index 9/);
  });
});
