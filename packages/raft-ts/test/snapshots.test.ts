// Snapshots (paper section 7): sent to who needs one, installed whole or not at all.
import { describe, expect, it } from "vitest";
import { logIndex, makeMessage, nodeId, term } from "../src/index.ts";
import { one } from "./changes.ts";
import { Cluster, bytes, confState } from "./cluster.ts";

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
