// Replication and commitment: paper sections 5.3 and 5.4, flow control, quotas.
import { describe, expect, it } from "vitest";
import { InvalidMessageError, logIndex, makeMessage, nodeId, term } from "../src/index.ts";
import type { Entry } from "../src/index.ts";
import { Cluster, bytes, pos } from "./cluster.ts";

const entry = (t: number, i: number, data = ""): Entry => ({
  term: term(t),
  index: logIndex(i),
  type: "normal",
  data: bytes(data),
});

describe("log replication (5.3)", () => {
  it("an entry is committed by a majority and applied everywhere", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    cluster.propose(1, "a");
    cluster.propose(1, "b");
    cluster.settle();
    for (const id of [1, 2, 3]) expect(cluster.peer(id).appliedData()).toEqual(["a", "b"]);
  });

  it("a proposal on a follower is forwarded to the leader", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    cluster.propose(3, "a");
    cluster.settle();
    expect(cluster.peer(2).appliedData()).toEqual(["a"]);
  });

  it("a follower acknowledges only what is durable", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    cluster.propose(1, "a");
    cluster.work(1);
    for (const m of cluster.take({ to: nodeId(2) })) cluster.step(m);
    expect(cluster.peer(2).ready()).toEqual([]);
    expect(cluster.peer(2).write()).toContainEqual(
      expect.objectContaining({ type: "MsgAppResp", to: 1, index: 2 }),
    );
  });

  it("a leader's own copy counts only when it is durable", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    cluster.propose(1, "a");
    cluster.net.push(...cluster.peer(1).ready());
    for (const m of cluster.take({ to: nodeId(2) })) cluster.step(m);
    cluster.work(2);
    for (const m of cluster.take({ to: nodeId(1) })) cluster.step(m);
    expect(cluster.node(1).basicStatus().commit).toBe(1);
    for (const m of cluster.peer(1).write()) cluster.step(m);
    expect(cluster.node(1).basicStatus().commit).toBe(2);
  });

  it("followers may commit what the leader has not stored; the leader does not apply it before", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    cluster.propose(1, "a");
    cluster.net.push(...cluster.peer(1).ready());
    cluster.settle([2, 3]);
    for (const m of cluster.take({ to: nodeId(1) })) cluster.step(m);
    expect(cluster.node(1).basicStatus().commit).toBe(2);
    cluster.peer(1).ready();
    expect(cluster.peer(1).applyWork).toEqual([]);
    while (cluster.peer(1).appendWork.length > 0) {
      for (const m of cluster.peer(1).write()) cluster.step(m);
    }
    cluster.peer(1).ready();
    expect(cluster.peer(1).applyWork).toHaveLength(1);
  });

  it("a single node commits only after its own write (no acknowledgement before the disk)", () => {
    const cluster = new Cluster([1]);
    cluster.elect(1);
    cluster.propose(1, "a");
    cluster.peer(1).ready();
    expect(cluster.node(1).basicStatus().commit).toBe(1);
    for (const m of cluster.peer(1).write()) cluster.step(m);
    expect(cluster.node(1).basicStatus().commit).toBe(2);
  });

  it("a conflicting tail is replaced", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    cluster.isolated.add(1);
    cluster.propose(1, "lost");
    cluster.propose(1, "lost too");
    cluster.work(1);
    cluster.node(2).campaign();
    cluster.settle();
    cluster.propose(2, "kept");
    cluster.settle();
    cluster.isolated.clear();
    cluster.tick(2);
    cluster.settle();
    cluster.tick(2);
    cluster.settle();
    expect(cluster.peer(1).log()).toEqual(cluster.peer(2).log());
    expect(cluster.peer(1).appliedData()).toEqual(["kept"]);
  });

  it("a delayed append does not truncate what came after it", () => {
    const cluster = new Cluster([1, 2]);
    cluster.elect(1);
    cluster.propose(1, "a");
    cluster.work(1);
    const early = cluster.net.filter((m) => m.type === "MsgApp");
    cluster.propose(1, "b");
    cluster.work(1);
    for (const m of cluster.take({ type: "MsgApp" })) cluster.step(m);
    cluster.work(2);
    // Nothing of it is committed yet, so only the comparison of entries protects it.
    expect(cluster.node(2).basicStatus().commit).toBe(1);
    for (const m of early) cluster.step(m);
    cluster.work(2);
    expect(cluster.peer(2).log()).toEqual(["1/1", "1/2a", "1/3b"]);
  });

  it.each([
    ["a gap in the indexes", [entry(1, 2), entry(1, 4)]],
    ["a wrong first index", [entry(1, 3)]],
    ["falling terms", [entry(2, 2), entry(1, 3)]],
    ["a term above the sender's", [entry(9, 2)]],
  ])("an append with %s is refused as malformed", (_, entries) => {
    const cluster = new Cluster([1, 2]);
    const at = { from: nodeId(2), to: nodeId(1), term: term(3), ...pos(1, 1) };
    const send = () => cluster.node(1).step(makeMessage({ type: "MsgApp", ...at, entries }));
    expect(send).toThrow(InvalidMessageError);
    expect(cluster.peer(1).log()).toEqual([]);
  });
});

describe("commit index", () => {
  it("a heartbeat never commits beyond what the follower is known to have", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    cluster.isolated.add(3);
    cluster.propose(1, "a");
    cluster.settle();
    cluster.tick(1);
    cluster.work(1);
    const beat = cluster.take({ type: "MsgHeartbeat", to: nodeId(3) });
    expect(beat[0]?.commit).toBe(1);
  });

  it("a commit index beyond an append's end is cut to it", () => {
    const cluster = new Cluster([1, 2]);
    const at = { from: nodeId(2), to: nodeId(1), term: term(1), ...pos(0, 0) };
    const entries = [entry(1, 1, "a")];
    cluster.step(makeMessage({ type: "MsgApp", ...at, entries, commit: logIndex(9) }));
    expect(cluster.node(1).basicStatus().commit).toBe(1);
  });

  it("acknowledgements never lower match or commit", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    cluster.propose(1, "a");
    cluster.settle();
    const at = { from: nodeId(2), to: nodeId(1), term: term(1) };
    cluster.step(makeMessage({ type: "MsgAppResp", ...at, index: logIndex(1) }));
    const status = cluster.node(1).status();
    expect(status.commit).toBe(2);
    expect(status.progress[1]).toMatchObject({ id: 2, match: 2 });
  });
});

describe("flow control", () => {
  it("the window is limited in messages", () => {
    const cluster = new Cluster([1, 2], { maxInflightMessages: 2 });
    cluster.elect(1);
    for (const data of ["a", "b", "c", "d"]) cluster.propose(1, data);
    cluster.work(1);
    expect(cluster.take({ type: "MsgApp" })).toHaveLength(2);
    expect(cluster.node(1).status().progress[1]).toMatchObject({
      paused: true,
      inflightMessages: 2,
    });
  });

  it("the window is limited in bytes", () => {
    const cluster = new Cluster([1, 2], { maxMessageBytes: 100, maxInflightBytes: 150 });
    cluster.elect(1);
    for (let i = 0; i < 5; i++) cluster.propose(1, "x".repeat(90));
    cluster.work(1);
    expect(cluster.take({ type: "MsgApp" })).toHaveLength(2);
    expect(cluster.node(1).status().progress[1]).toMatchObject({
      paused: true,
      inflightBytes: 180,
    });
  });

  it("all messages of a full window lost: a heartbeat round finds out and heals", () => {
    const cluster = new Cluster([1, 2], { maxInflightMessages: 2 });
    cluster.elect(1);
    for (const data of ["a", "b", "c"]) cluster.propose(1, data);
    cluster.work(1);
    cluster.net = [];
    cluster.tick(1);
    cluster.settle();
    expect(cluster.peer(2).appliedData()).toEqual(["a", "b", "c"]);
  });

  it("messages are cut at maxMessageBytes, but one entry always fits", () => {
    const cluster = new Cluster([1, 2], { maxMessageBytes: 60 });
    cluster.elect(1);
    cluster.node(1).reportUnreachable(nodeId(2));
    for (const data of ["a", "b".repeat(500), "c", "d"]) cluster.propose(1, data);
    cluster.settle();
    expect(cluster.peer(2).appliedData()).toHaveLength(4);
  });

  it("an unreachable peer is probed with one message per heartbeat", () => {
    const cluster = new Cluster([1, 2]);
    cluster.elect(1);
    cluster.node(1).reportUnreachable(nodeId(2));
    for (const data of ["a", "b", "c"]) cluster.propose(1, data);
    cluster.work(1);
    expect(cluster.types()).toEqual(["MsgApp"]);
  });
});

describe("quotas", () => {
  it("proposals beyond maxUncommittedBytes are dropped with a reason, until entries are applied", () => {
    const cluster = new Cluster([1, 2], { maxUncommittedBytes: 10 });
    cluster.elect(1);
    expect(cluster.node(1).propose(bytes("x".repeat(50)))).toEqual({ ok: true });
    expect(cluster.node(1).propose(bytes("y"))).toEqual({ ok: false, reason: "uncommitted-limit" });
    expect(cluster.node(1).propose(bytes(""))).toEqual({ ok: true });
    cluster.settle();
    expect(cluster.node(1).propose(bytes("y"))).toEqual({ ok: true });
  });

  it("committed entries are handed out within maxCommittedBytesPerReady over all Readys", () => {
    const cluster = new Cluster([1], { maxCommittedBytesPerReady: 60 });
    cluster.elect(1);
    for (let i = 0; i < 6; i++) cluster.propose(1, "x".repeat(6));
    const peer = cluster.peer(1);
    peer.ready();
    for (const m of peer.write()) cluster.step(m);
    peer.ready();
    peer.ready();
    expect(peer.applyWork.flatMap((m) => m.entries)).toHaveLength(2);
    for (const m of peer.apply()) cluster.step(m);
    peer.ready();
    expect(peer.applyWork.flatMap((m) => m.entries)).toHaveLength(2);
    cluster.settle();
    expect(peer.appliedData()).toHaveLength(6);
  });
});

describe("a follower that lost its log", () => {
  it("is caught up after the leader was told, and the commit index stays", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    cluster.propose(1, "a");
    cluster.settle();
    const two = cluster.peer(2);
    two.storage.append([{ ...entry(1, 1), data: bytes("") }]);
    two.applied = [];
    two.storage.setHardState({ term: term(1), vote: nodeId(1), commit: logIndex(1) });
    cluster.restart(2, { recoveryMark: { term: term(1), index: logIndex(2) } });
    cluster.node(1).reportRestarted(nodeId(2), two.storage.lastIndex());
    expect(cluster.node(1).status()).toMatchObject({ commit: 2 });
    expect(cluster.node(1).status().progress[1]).toMatchObject({ match: 0, state: "probe" });
    cluster.tick(1);
    cluster.settle();
    expect(two.log()).toEqual(["1/1", "1/2a"]);
    expect(cluster.node(2).basicStatus()).toMatchObject({ recovering: false, commit: 2 });
  });

  it("does not campaign, judges candidates by its mark, and clamps commit while recovering", () => {
    const cluster = new Cluster([1, 2, 3]);
    const mark = { term: term(2), index: logIndex(5) };
    cluster.restart(1, { recoveryMark: mark });
    cluster.tick(1, 100);
    expect(cluster.peer(1).state).toBe("follower");
    const vote = (t: number, last: ReturnType<typeof pos>) =>
      makeMessage({ type: "MsgVote", from: nodeId(2), to: nodeId(1), term: term(t), ...last });
    cluster.step(vote(3, pos(2, 4)));
    cluster.step(vote(4, pos(1, 9)));
    cluster.step(vote(5, pos(2, 5)));
    cluster.work(1);
    expect(cluster.net.map((m) => m.reject)).toEqual([true, true, false]);
    const at = { from: nodeId(2), to: nodeId(1), term: term(5) };
    cluster.step(makeMessage({ type: "MsgHeartbeat", ...at, commit: logIndex(5) }));
    expect(cluster.node(1).basicStatus()).toMatchObject({ commit: 0, recovering: true });
  });

  it("does not commit what is left of its log on a heartbeat or from its stored commit index", () => {
    // The lost batches held a truncation: index 1 of term 1 had been replaced by one of term 2 and
    // that one committed, but the old entry is what the disk still has.
    const cluster = new Cluster([1, 2, 3]);
    const one = cluster.peer(1);
    one.storage.append([{ ...entry(1, 1), data: bytes("stale") }]);
    one.storage.setHardState({ term: term(2), vote: nodeId(2), commit: logIndex(1) });
    cluster.restart(1, { recoveryMark: { term: term(2), index: logIndex(1) } });
    expect(cluster.node(1).basicStatus()).toMatchObject({ commit: 0 });
    const at = { from: nodeId(2), to: nodeId(1), term: term(2) };
    cluster.step(makeMessage({ type: "MsgHeartbeat", ...at, commit: logIndex(1) }));
    expect(cluster.node(1).basicStatus()).toMatchObject({ commit: 0, recovering: true });
  });
});
