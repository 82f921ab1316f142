// Membership changes on condition of the configuration in force (compare and set), so that two
// operators who look at the same members cannot both change them, and a repeated request does nothing.
import { describe, expect, it } from "vitest";
import { logIndex, makeMessage, nodeId } from "../src/index.ts";
import type { ConfChange, Entry } from "../src/index.ts";
import { many, one, onlyIf } from "./changes.ts";
import { Cluster, bytes, confState } from "./cluster.ts";

const configId = (cluster: Cluster, id: number): number =>
  cluster.node(id).status().confState.configId ?? 0;

const change = (cluster: Cluster, id: number, cc: ConfChange) => {
  const result = cluster.node(id).proposeConfChange(cc);
  cluster.settle();
  return result;
};

describe("the id of a configuration", () => {
  it("is 0 at first, then the index of the change that made it, on every node alike", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    expect(configId(cluster, 1)).toBe(0);
    cluster.propose(1, "a");
    change(cluster, 1, one("add-learner-node", 4));
    expect([1, 2, 3].map((id) => configId(cluster, id))).toEqual([3, 3, 3]);
    change(cluster, 1, many("joint-implicit", ["remove-node", 4]));
    // Entered at 4, left at 5.
    expect([1, 2, 3].map((id) => configId(cluster, id))).toEqual([5, 5, 5]);
  });

  it("survives a restart and travels in snapshots", () => {
    const cluster = new Cluster([1]);
    cluster.elect(1);
    change(cluster, 1, one("add-learner-node", 2));
    cluster.restart(1);
    expect(configId(cluster, 1)).toBe(2);
    cluster.elect(1);
    const { storage } = cluster.peer(1);
    const { applied } = cluster.node(1).basicStatus();
    storage.createSnapshot(applied, storage.confState, bytes("s"));
    storage.compact(applied);
    cluster.add(2, confState([]));
    cluster.tick(1);
    cluster.settle();
    expect(cluster.peer(2).events.map((e) => e.kind)).toContain("restore-done");
    expect(configId(cluster, 2)).toBe(2);
  });

  it("a change that is applied again, as after a snapshot, changes nothing", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    change(cluster, 1, one("add-learner-node", 4));
    change(cluster, 1, one("remove-node", 4));
    const before = cluster.node(2).status().confState;
    expect(cluster.node(2).applyConfChange(one("add-learner-node", 4), logIndex(2))).toEqual(
      before,
    );
    expect(cluster.node(2).status().confState).toEqual(before);
  });
});

describe("a conditional change", () => {
  it("is taken while its configuration is in force, and refused as conf-change-stale after", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    const add = onlyIf(0, many("auto", ["add-learner-node", 4]));
    expect(change(cluster, 1, add)).toEqual({ ok: true });
    // The answer was lost, and the operator sends it again.
    expect(change(cluster, 1, add)).toEqual({ ok: false, reason: "conf-change-stale" });
    const remove = onlyIf(configId(cluster, 1), many("auto", ["remove-node", 4]));
    expect(change(cluster, 1, remove)).toEqual({ ok: true });
    expect(cluster.node(3).status().confState).toMatchObject(confState([1, 2, 3]));
  });

  it("is refused although the members are the same again (A-B-A)", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    change(cluster, 1, one("add-learner-node", 4));
    const seen = configId(cluster, 1);
    change(cluster, 1, one("remove-node", 4));
    change(cluster, 1, one("add-learner-node", 4));
    const remove = onlyIf(seen, many("auto", ["remove-node", 4]));
    expect(change(cluster, 1, remove)).toEqual({ ok: false, reason: "conf-change-stale" });
    expect(cluster.node(2).status().confState.learners).toEqual([4]);
  });

  it("of two operators one wins; the other is told that a change is under way, then that it is late", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    const node = cluster.node(1);
    const first = onlyIf(0, many("auto", ["remove-node", 2]));
    const second = onlyIf(0, many("auto", ["remove-node", 3]));
    expect(node.proposeConfChange(first)).toEqual({ ok: true });
    expect(node.proposeConfChange(second)).toEqual({ ok: false, reason: "conf-change-pending" });
    cluster.settle();
    expect(node.proposeConfChange(second)).toEqual({ ok: false, reason: "conf-change-stale" });
    expect(node.status().confState.voters).toEqual([1, 3]);
  });

  it("keeps its condition on the way from a follower to the leader", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    cluster.node(2).proposeConfChange(onlyIf(7, many("auto", ["remove-node", 3])));
    cluster.work(2);
    const [forwarded] = cluster.take({ type: "MsgProp" });
    expect(forwarded).toBeDefined();
    if (forwarded === undefined) return;
    expect(cluster.node(1).step(forwarded)).toEqual({ ok: false, reason: "conf-change-stale" });
    cluster.settle();
    expect(cluster.node(1).status().confState).toEqual(confState([1, 2, 3]));
  });

  it("can leave a joint configuration", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    change(cluster, 1, many("joint-explicit", ["remove-node", 3]));
    const joint = configId(cluster, 1);
    expect(change(cluster, 1, onlyIf(joint - 1, many("auto")))).toMatchObject({
      reason: "conf-change-stale",
    });
    expect(change(cluster, 1, onlyIf(joint, many("auto")))).toEqual({ ok: true });
    expect(cluster.node(2).status().confState).toMatchObject(confState([1, 2]));
  });
});

it("a proposal is forwarded once: two nodes that each take the other for the leader do not pass it to and fro", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  const entry = { term: 0, index: 0, type: "normal", data: bytes("x") } as unknown as Entry;
  const at = { from: nodeId(3), to: nodeId(2) };
  const forwarded = makeMessage({ type: "MsgProp", ...at, entries: [entry] });
  const refused = { ok: false, reason: "forwarded-already" };
  expect(cluster.node(2).step(forwarded)).toEqual(refused);
  expect(cluster.node(2).step(makeMessage({ type: "MsgTransferLeader", ...at }))).toEqual(refused);
  expect(cluster.node(2).hasReady()).toBe(false);
});
