// Membership changes (paper section 6) and leadership transfer (thesis 3.10).
import { describe, expect, it } from "vitest";
import {
  InvalidConfChangeError,
  LEAVE_JOINT,
  logIndex,
  makeMessage,
  nodeId,
  term,
} from "../src/index.ts";
import { many, one } from "./changes.ts";
import { Cluster, bytes, confState } from "./cluster.ts";

describe("changes of one member", () => {
  it("a voter is added, caught up and counted", () => {
    const cluster = new Cluster([1]);
    cluster.elect(1);
    cluster.propose(1, "a");
    cluster.add(2, confState([1]));
    expect(cluster.node(1).proposeConfChange(one("add-node", 2))).toEqual({ ok: true });
    cluster.settle();
    expect(cluster.peer(2).appliedData()).toEqual(["a"]);
    expect(cluster.node(2).status().confState.voters).toEqual([1, 2]);
    cluster.isolated.add(2);
    cluster.propose(1, "b");
    cluster.settle();
    expect(cluster.peer(1).appliedData()).toEqual(["a"]);
  });

  it("a learner gets everything and counts for nothing", () => {
    const cluster = new Cluster([1], {}, []);
    cluster.elect(1);
    cluster.add(2, confState([1]));
    cluster.node(1).proposeConfChange(one("add-learner-node", 2));
    cluster.settle();
    cluster.isolated.add(2);
    cluster.propose(1, "a");
    cluster.settle();
    expect(cluster.peer(1).appliedData()).toEqual(["a"]);
    cluster.isolated.clear();
    cluster.tick(1);
    cluster.settle();
    expect(cluster.peer(2).appliedData()).toEqual(["a"]);
  });

  it("a removed leader with stepDownOnRemoval leads no more", () => {
    const cluster = new Cluster([1, 2, 3], { stepDownOnRemoval: true });
    cluster.elect(1);
    cluster.node(1).proposeConfChange(one("remove-node", 1));
    cluster.settle();
    expect(cluster.node(1).basicStatus()).toMatchObject({ state: "follower", lead: 0 });
    cluster.tick(1, 50);
    expect(cluster.peer(1).state).toBe("follower");
    cluster.elect(2);
  });

  it("1 to 2 to 1 members and back works", () => {
    const cluster = new Cluster([1]);
    cluster.elect(1);
    cluster.add(2, confState([1]));
    cluster.node(1).proposeConfChange(one("add-node", 2));
    cluster.settle();
    cluster.node(1).proposeConfChange(one("remove-node", 2));
    cluster.settle();
    cluster.isolated.add(2);
    cluster.propose(1, "alone");
    cluster.settle();
    expect(cluster.peer(1).appliedData()).toEqual(["alone"]);
  });

  it("a change that cannot be applied throws and leaves the configuration as it was", () => {
    const cluster = new Cluster([1]);
    const remove = () => cluster.node(1).applyConfChange(one("remove-node", 1), logIndex(9));
    expect(remove).toThrow(InvalidConfChangeError);
    expect(remove).toThrow("removed all voters");
    expect(cluster.node(1).status().confState).toEqual(confState([1]));
  });
});

describe("joint changes", () => {
  it("several changes at once go through a joint configuration that is left automatically", () => {
    const cluster = new Cluster([1, 2, 3]);
    for (const id of [4, 5]) cluster.add(id, confState([1, 2, 3]));
    cluster.elect(1);
    const change = many(
      "auto",
      ["add-node", 4],
      ["add-node", 5],
      ["remove-node", 2],
      ["remove-node", 3],
    );
    cluster.node(1).proposeConfChange(change);
    cluster.settle();
    for (const id of [1, 4, 5]) {
      expect(cluster.node(id).status().confState).toMatchObject(confState([1, 4, 5]));
    }
  });

  it("in between, both majorities must agree", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.add(4, confState([1, 2, 3]));
    cluster.elect(1);
    cluster.node(1).proposeConfChange(many("joint-explicit", ["add-node", 4], ["remove-node", 3]));
    cluster.settle();
    const joint = cluster.node(1).status().confState;
    expect(joint).toMatchObject({ voters: [1, 2, 4], votersOutgoing: [1, 2, 3] });
    cluster.isolated.add(2).add(3);
    cluster.propose(1, "a");
    cluster.settle();
    expect(cluster.peer(1).appliedData()).toEqual([]);
    cluster.isolated.delete(3);
    cluster.tick(1);
    cluster.settle();
    expect(cluster.peer(1).appliedData()).toEqual(["a"]);
    expect(cluster.node(1).proposeConfChange(LEAVE_JOINT)).toEqual({ ok: true });
    cluster.settle();
    expect(cluster.node(1).status().confState).toMatchObject(confState([1, 2, 4]));
  });

  it("a demoted voter becomes a learner when the joint configuration is left", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    cluster.node(1).proposeConfChange(many("joint-explicit", ["add-learner-node", 3]));
    cluster.settle();
    expect(cluster.node(1).status().confState.learnersNext).toEqual([3]);
    cluster.node(1).proposeConfChange(LEAVE_JOINT);
    cluster.settle();
    expect(cluster.node(3).status().confState).toMatchObject(confState([1, 2], [3]));
  });

  it("a new leader leaves the joint configuration that its predecessor entered", () => {
    const cluster = new Cluster([1, 2, 3, 4]);
    cluster.elect(1);
    cluster.node(1).proposeConfChange(many("joint-implicit", ["remove-node", 4]));
    // The leader falls silent as soon as it has applied the change.
    while (cluster.node(1).status().confState.votersOutgoing.length === 0) {
      for (const id of [1, 2, 3, 4]) cluster.work(id);
      for (const m of cluster.net.splice(0)) cluster.step(m);
    }
    cluster.isolated.add(1);
    cluster.settle([2, 3, 4]);
    cluster.elect(2);
    expect(cluster.node(2).status().confState).toMatchObject(confState([1, 2, 3]));
  });
});

it("a group stranded by a leader that removed itself frees itself by the hint in a refused vote", () => {
  for (const commitHints of [true, false]) {
    const cluster = new Cluster([1, 2], { stepDownOnRemoval: true, commitHints });
    cluster.elect(1);
    cluster.node(1).proposeConfChange(one("remove-node", 1));
    cluster.propose(1, "longer");
    cluster.work(1);
    const appends = cluster.take({ type: "MsgApp" });
    for (const m of appends.slice(0, 1)) cluster.step(m);
    cluster.work(2);
    for (const m of cluster.net.splice(0)) cluster.step(m);
    cluster.work(1);
    // Node 1 has applied its removal; that it was committed is lost on the way to node 2.
    expect(cluster.node(1).basicStatus()).toMatchObject({ state: "follower", commit: 2 });
    cluster.net = [];
    cluster.tick(2, 30);
    cluster.settle();
    cluster.tick(2, 30);
    cluster.settle();
    expect(cluster.peer(2).state).toBe(commitHints ? "leader" : "follower");
  }
});

it("a commit index in a refused vote counts only if the candidate has that very entry", () => {
  for (const [hintTerm, commit] of [
    [1, 2],
    [2, 1],
  ] as const) {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    cluster.isolated.add(1);
    cluster.propose(1, "a");
    cluster.work(1);
    expect(cluster.node(1).status()).toMatchObject({ commit: 1, lastIndex: 2 });
    cluster.restart(1);
    cluster.node(1).campaign();
    const context = Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, hintTerm, 0, 0, 0, 0, 0, 0, 0);
    const at = { from: nodeId(2), to: nodeId(1), term: term(2), reject: true };
    cluster.node(1).step(makeMessage({ type: "MsgVoteResp", ...at, context }));
    expect(cluster.node(1).basicStatus().commit).toBe(commit);
  }
});

describe("leadership transfer (thesis 3.10)", () => {
  it("goes to a caught-up follower at once, past leases and pre-vote", () => {
    const cluster = new Cluster([1, 2, 3], { preVote: true, checkQuorum: true });
    cluster.elect(1);
    cluster.node(1).transferLeadership(nodeId(2));
    cluster.settle();
    expect(cluster.node(2).basicStatus()).toMatchObject({ state: "leader", term: 2 });
    expect(cluster.node(1).basicStatus()).toMatchObject({ state: "follower", lead: 2 });
  });

  it("can be asked of a follower, which forwards it", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    cluster.node(3).transferLeadership(nodeId(2));
    cluster.settle();
    expect(cluster.peer(2).state).toBe("leader");
  });

  it("is given up after an election timeout", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    cluster.isolated.add(2);
    cluster.node(1).transferLeadership(nodeId(2));
    cluster.tick(1, 9);
    expect(cluster.node(1).basicStatus().leadTransferee).toBe(2);
    cluster.tick(1);
    expect(cluster.node(1).basicStatus().leadTransferee).toBe(0);
    expect(cluster.node(1).propose(bytes("a"))).toEqual({ ok: true });
  });

  it("is not made to learners, strangers or oneself, and ends when the target is removed", () => {
    const cluster = new Cluster([1, 2], {}, [3]);
    cluster.elect(1);
    for (const id of [3, 9, 1]) cluster.node(1).transferLeadership(nodeId(id));
    expect(cluster.node(1).basicStatus().leadTransferee).toBe(0);
    cluster.node(1).proposeConfChange(one("remove-node", 2));
    cluster.isolated.add(3);
    while (cluster.node(1).basicStatus().commit < 2) {
      for (const id of [1, 2]) cluster.work(id);
      for (const m of cluster.net.splice(0)) cluster.step(m);
      if (cluster.node(1).basicStatus().commit < 2) cluster.node(1).transferLeadership(nodeId(9));
    }
    cluster.work(1);
    expect(cluster.node(1).basicStatus().leadTransferee).toBe(0);
  });

  it("a stale TimeoutNow does nothing", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    cluster.elect(2);
    const stale = { from: nodeId(1), to: nodeId(3), term: term(1) };
    cluster.step(makeMessage({ type: "MsgTimeoutNow", ...stale }));
    expect(cluster.peer(3).state).toBe("follower");
  });
});
