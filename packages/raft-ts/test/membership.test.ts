// Membership changes (paper section 6), leadership transfer (thesis 3.10), snapshots (section 7) and
// the reasons for which proposals are dropped.
import { describe, expect, it } from "vitest";
import {
  InvalidConfChangeError,
  LEAVE_JOINT,
  logIndex,
  makeMessage,
  nodeId,
  term,
} from "../src/index.ts";
import type { ConfChange } from "../src/index.ts";
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

describe("reasons for dropped proposals", () => {
  const reasons = (cluster: Cluster, id: number, cc: ConfChange) =>
    cluster.node(id).proposeConfChange(cc);

  it("no-leader", () => {
    const cluster = new Cluster([1, 2, 3]);
    expect(cluster.node(1).propose(bytes("a"))).toEqual({ ok: false, reason: "no-leader" });
    cluster.node(1).campaign();
    expect(cluster.node(1).propose(bytes("a"))).toEqual({ ok: false, reason: "no-leader" });
  });

  it("forwarding-disabled", () => {
    const cluster = new Cluster([1, 2, 3], { disableProposalForwarding: true });
    cluster.elect(1);
    const result = cluster.node(2).propose(bytes("a"));
    expect(result).toEqual({ ok: false, reason: "forwarding-disabled" });
  });

  it("transfer-in-progress", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    cluster.node(1).transferLeadership(nodeId(2));
    const result = cluster.node(1).propose(bytes("a"));
    expect(result).toEqual({ ok: false, reason: "transfer-in-progress" });
  });

  it("not-a-member", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    cluster.node(1).proposeConfChange(one("remove-node", 1));
    cluster.settle();
    const result = cluster.node(1).propose(bytes("a"));
    expect(result).toEqual({ ok: false, reason: "not-a-member" });
  });

  it("conf-change-pending; an empty entry takes the place of the refused change", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    expect(reasons(cluster, 1, one("add-learner-node", 4))).toEqual({ ok: true });
    expect(reasons(cluster, 1, one("add-learner-node", 5))).toEqual({
      ok: false,
      reason: "conf-change-pending",
    });
    cluster.settle();
    expect(cluster.node(2).status().confState.learners).toEqual([4]);
    expect(cluster.node(1).status().lastIndex).toBe(3);
  });

  it("conf-change-pending until a new leader has applied all it found in its log", () => {
    const cluster = new Cluster([1]);
    cluster.node(1).campaign();
    const peer = cluster.peer(1);
    peer.ready();
    for (const m of peer.write()) cluster.step(m);
    expect(reasons(cluster, 1, one("add-node", 2))).toEqual({ ok: true });
    const other = new Cluster([1, 2, 3]);
    other.elect(1);
    other.isolated.add(2);
    other.propose(1, "a");
    other.settle();
    other.elect(3);
    expect(reasons(other, 3, one("add-node", 4))).toEqual({ ok: true });
  });

  it("conf-change-in-joint and conf-change-not-joint", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    expect(reasons(cluster, 1, LEAVE_JOINT)).toEqual({
      ok: false,
      reason: "conf-change-not-joint",
    });
    cluster.node(1).proposeConfChange(many("joint-explicit", ["remove-node", 3]));
    cluster.settle();
    expect(reasons(cluster, 1, one("add-node", 4))).toEqual({
      ok: false,
      reason: "conf-change-in-joint",
    });
  });

  it.each([
    ["removes all voters", many("auto", ["remove-node", 1], ["remove-node", 2])],
    [
      "demotes all voters",
      many("joint-explicit", ["add-learner-node", 1], ["add-learner-node", 2]),
    ],
  ])("conf-change-no-voters, for one that %s", (_, change) => {
    const cluster = new Cluster([1, 2]);
    cluster.elect(1);
    expect(reasons(cluster, 1, change)).toEqual({ ok: false, reason: "conf-change-no-voters" });
    cluster.settle();
    expect(cluster.node(2).status().confState).toEqual(confState([1, 2]));
  });

  it("conf-change-malformed, for a forwarded proposal that does not decode", () => {
    const cluster = new Cluster([1, 2]);
    cluster.elect(1);
    const entry = {
      term: term(0),
      index: logIndex(0),
      type: "conf-change",
      data: bytes("?"),
    } as const;
    const at = { from: nodeId(2), to: nodeId(1) };
    expect(cluster.node(1).step(makeMessage({ type: "MsgProp", ...at, entries: [entry] }))).toEqual(
      {
        ok: false,
        reason: "conf-change-malformed",
      },
    );
    expect(cluster.node(1).status().lastIndex).toBe(1);
  });

  it("every drop is traced with its reason", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.node(1).propose(bytes("a"));
    expect(cluster.peer(1).events.at(-1)).toMatchObject({
      kind: "proposal-dropped",
      reason: "no-leader",
    });
  });
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

describe("snapshots (section 7)", () => {
  const withSnapshot = (): Cluster => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    cluster.isolated.add(3);
    cluster.settle();
    for (const data of ["a", "b", "c"]) cluster.propose(1, data);
    cluster.settle();
    const { storage } = cluster.peer(1);
    storage.createSnapshot(logIndex(4), storage.confState, bytes("abc"));
    storage.compact(logIndex(3));
    return cluster;
  };

  it("a follower behind the compacted log gets one, then entries again", () => {
    const cluster = withSnapshot();
    const { storage } = cluster.peer(1);
    storage.compact(logIndex(4));
    cluster.isolated.clear();
    cluster.tick(1);
    cluster.settle();
    cluster.propose(1, "d");
    cluster.settle();
    expect(cluster.peer(3).appliedData()).toEqual(["snapshot", "d"]);
    expect(cluster.node(1).status().progress[2]).toMatchObject({ state: "replicate", match: 5 });
  });

  it("no entries are applied before a pending snapshot, and none are acknowledged before it is stored", () => {
    const cluster = withSnapshot();
    cluster.peer(1).storage.compact(logIndex(4));
    cluster.isolated.clear();
    cluster.tick(1);
    const three = cluster.peer(3);
    while (three.appendWork.every((m) => m.snapshot === undefined)) {
      for (const id of [1, 2]) cluster.work(id);
      cluster.net.push(...three.ready());
      if (three.appendWork[0]?.snapshot === undefined) {
        for (const m of three.write()) {
          if (m.to === three.id) cluster.step(m);
          else cluster.net.push(m);
        }
      }
      for (const m of cluster.net.splice(0)) cluster.step(m);
      cluster.net.push(...three.ready());
    }
    expect(three.applyWork).toEqual([]);
    expect(cluster.take({ from: nodeId(3), type: "MsgAppResp", reject: false })).toEqual([]);
    expect(three.write().map((m) => [m.type, m.to])).toContainEqual(["MsgAppResp", 1]);
  });

  const snap = (index: number, voters: number[], at: number) =>
    makeMessage({
      type: "MsgSnap",
      from: nodeId(1),
      to: nodeId(3),
      term: term(1),
      snapshot: {
        data: bytes("s"),
        metadata: { index: logIndex(index), term: term(at), confState: confState(voters) },
      },
    });

  it("one that lacks the receiver in its configuration is refused", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.step(snap(5, [1, 2], 1));
    cluster.work(3);
    expect(cluster.node(3).status()).toMatchObject({ commit: 0, lastIndex: 0 });
    expect(cluster.take({ type: "MsgAppResp" })).toMatchObject([{ index: 0 }]);
  });

  it("one that the log already covers only advances commit", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    cluster.propose(1, "a");
    cluster.work(1);
    for (const m of cluster.take({ to: nodeId(3) })) cluster.step(m);
    expect(cluster.node(3).status()).toMatchObject({ commit: 1, lastIndex: 2 });
    cluster.step(snap(2, [1, 2, 3], 1));
    expect(cluster.node(3).status()).toMatchObject({ commit: 2, lastIndex: 2 });
    cluster.settle();
    expect(cluster.peer(3).appliedData()).toEqual(["a"]);
  });

  it("one that does not know the new member yet is not sent to it", () => {
    const cluster = new Cluster([1]);
    cluster.elect(1);
    cluster.propose(1, "a");
    cluster.settle();
    const { storage } = cluster.peer(1);
    storage.createSnapshot(logIndex(2), storage.confState, bytes("a"));
    storage.compact(logIndex(2));
    cluster.add(2, confState([]));
    cluster.node(1).proposeConfChange(one("add-learner-node", 2));
    cluster.settle();
    cluster.tick(1);
    cluster.settle();
    expect(cluster.peer(2).log()).toEqual([]);
    expect(cluster.node(1).status().progress[1]?.state).toBe("probe");
    storage.createSnapshot(logIndex(3), storage.confState, bytes("a"));
    cluster.tick(1);
    cluster.settle();
    expect(cluster.node(2).status()).toMatchObject({ commit: 3, confState: { learners: [2] } });
  });

  it("an outdated one changes nothing", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    cluster.propose(1, "a");
    cluster.settle();
    cluster.step(snap(1, [1, 2, 3], 1));
    cluster.work(3);
    expect(cluster.take({ type: "MsgAppResp" })).toMatchObject([{ index: 2, reject: false }]);
  });

  it("a reported failure makes the leader try again after a heartbeat", () => {
    const cluster = withSnapshot();
    cluster.peer(1).storage.compact(logIndex(4));
    cluster.isolated.clear();
    cluster.tick(1);
    let sent = 0;
    for (let i = 0; i < 50 && sent === 0; i++) {
      for (const id of [1, 2, 3]) cluster.work(id);
      sent += cluster.take({ type: "MsgSnap" }).length;
      for (const m of cluster.net.splice(0)) cluster.step(m);
    }
    expect(sent).toBe(1);
    expect(cluster.node(1).status().progress[2]).toMatchObject({ state: "snapshot" });
    cluster.node(1).reportSnapshot(nodeId(3), "failure");
    cluster.tick(1);
    cluster.settle();
    expect(cluster.peer(3).appliedData()).toEqual(["snapshot"]);
  });
});
