// The reasons for which proposals are dropped, one by one.
import { describe, expect, it } from "vitest";
import { LEAVE_JOINT, logIndex, makeMessage, nodeId, term } from "../src/index.ts";
import type { ConfChange } from "../src/index.ts";
import { many, one } from "./changes.ts";
import { Cluster, bytes, confState } from "./cluster.ts";

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
