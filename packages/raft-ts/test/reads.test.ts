// Linearizable reads: thesis section 6.4 (read index) and 6.4.1 (leases).
import { describe, expect, it } from "vitest";
import { InvalidMessageError, makeMessage, nodeId, term } from "../src/index.ts";
import type { Message } from "../src/index.ts";
import { Cluster, bytes, text } from "./cluster.ts";

function answers(cluster: Cluster, id: number): [string, number][] {
  cluster.work(id);
  return cluster.peer(id).reads.map((r) => [text(r.context), r.index]);
}

describe("read index", () => {
  it("a leader answers after a round of heartbeats to a quorum", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    expect(cluster.node(1).readIndex(bytes("r"))).toEqual({ ok: true });
    expect(answers(cluster, 1)).toEqual([]);
    cluster.settle();
    expect(answers(cluster, 1)).toEqual([["r", 1]]);
  });

  it("reads taken between two Readys share one round", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    for (let i = 0; i < 100; i++) cluster.node(1).readIndex(bytes(`r${i}`));
    cluster.work(1);
    expect(cluster.types()).toEqual(["MsgHeartbeat", "MsgHeartbeat"]);
    cluster.settle();
    expect(answers(cluster, 1)).toHaveLength(100);
  });

  it("a leader without a quorum answers nothing", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    cluster.isolated.add(1);
    cluster.node(1).readIndex(bytes("r"));
    cluster.tick(1, 5);
    cluster.settle();
    expect(answers(cluster, 1)).toEqual([]);
  });

  it("a deposed leader that does not know it answers nothing", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    cluster.isolated.add(1);
    cluster.node(2).campaign();
    cluster.settle([2, 3]);
    cluster.propose(2, "new");
    cluster.settle([2, 3]);
    cluster.node(1).readIndex(bytes("r"));
    cluster.work(1);
    cluster.isolated.clear();
    cluster.settle();
    expect(answers(cluster, 1)).toEqual([]);
  });

  it("an answer to an older round does not confirm a newer read with the same context", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    cluster.node(1).readIndex(bytes("same"));
    cluster.work(1);
    const old = cluster.take({ type: "MsgHeartbeat", to: nodeId(2) });
    cluster.net = [];
    cluster.propose(1, "a");
    cluster.work(1);
    cluster.node(1).readIndex(bytes("same"));
    cluster.work(1);
    cluster.net = [];
    for (const m of old) cluster.step(m);
    cluster.work(2);
    for (const m of cluster.take({ to: nodeId(1) })) cluster.step(m);
    expect(answers(cluster, 1)).toHaveLength(1);
  });

  it("a lost round is repeated by the next heartbeat", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    cluster.node(1).readIndex(bytes("r"));
    cluster.work(1);
    cluster.net = [];
    cluster.tick(1);
    cluster.settle();
    expect(answers(cluster, 1)).toEqual([["r", 1]]);
  });

  it("before its first commit a new leader keeps reads waiting, and answers at that commit", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    cluster.propose(1, "a");
    cluster.settle();
    cluster.node(2).campaign();
    cluster.work(2);
    for (const m of cluster.take({ to: nodeId(3) })) cluster.step(m);
    cluster.work(3);
    for (const m of cluster.take({ to: nodeId(2) })) cluster.step(m);
    expect(cluster.peer(2).state).toBe("leader");
    cluster.node(2).readIndex(bytes("r"));
    cluster.work(2);
    expect(cluster.take({ type: "MsgHeartbeat" })).toEqual([]);
    cluster.settle();
    expect(answers(cluster, 2)).toEqual([["r", 3]]);
  });

  it("the only voter decides alone; a removed leader of one other voter does not", () => {
    const single = new Cluster([1]);
    single.elect(1);
    single.node(1).readIndex(bytes("r"));
    expect(answers(single, 1)).toEqual([["r", 1]]);

    const cluster = new Cluster([1, 2]);
    cluster.elect(1);
    const change = { type: "remove-node", nodeId: nodeId(1) } as const;
    cluster.node(1).proposeConfChange({ version: 1, ...change, context: bytes("") });
    cluster.settle();
    expect(cluster.node(1).status()).toMatchObject({ state: "leader", confState: { voters: [2] } });
    cluster.node(1).readIndex(bytes("r"));
    expect(answers(cluster, 1)).toEqual([]);
  });

  it("a read needs both majorities of a joint configuration", () => {
    const cluster = new Cluster([1, 2, 3]);
    for (const id of [4, 5]) cluster.add(id, cluster.peer(1).storage.confState);
    cluster.elect(1);
    cluster.node(1).proposeConfChange({
      version: 2,
      transition: "joint-explicit",
      changes: [2, 3].map((id) => ({ type: "remove-node" as const, nodeId: nodeId(id) })),
      context: bytes(""),
    });
    cluster.settle();
    expect(cluster.node(1).status().confState.votersOutgoing).toEqual([1, 2, 3]);
    cluster.isolated.add(2).add(3);
    cluster.node(1).readIndex(bytes("r"));
    cluster.settle();
    expect(answers(cluster, 1)).toEqual([]);
    cluster.isolated.delete(2);
    cluster.tick(1);
    cluster.settle();
    expect(answers(cluster, 1)).toHaveLength(1);
  });
});

describe("reads on followers", () => {
  it("are answered through the leader with the caller's context", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    cluster.node(2).readIndex(bytes("r"));
    cluster.settle();
    expect(answers(cluster, 2)).toEqual([["r", 1]]);
  });

  it("without a leader are refused with a reason", () => {
    const cluster = new Cluster([1, 2, 3]);
    expect(cluster.node(2).readIndex(bytes("r"))).toEqual({ ok: false, reason: "no-leader" });
  });

  it("a repeated or foreign answer is not delivered", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    cluster.node(2).readIndex(bytes("r"));
    cluster.work(2);
    const [ask] = cluster.take({ type: "MsgReadIndex" });
    const at = { from: nodeId(1), to: nodeId(2), term: term(1) };
    const reply = makeMessage({ type: "MsgReadIndexResp", ...at, entries: ask?.entries ?? [] });
    cluster.step(reply);
    cluster.step(reply);
    expect(answers(cluster, 2)).toHaveLength(1);
  });

  it("an answer meant for the node before its restart is not delivered", () => {
    const draws = [0, 0, 0, 7, 0, 0, 0];
    const cluster = new Cluster([1, 2, 3], { random: (bound) => (draws.shift() ?? 0) % bound });
    const two = cluster.peer(2);
    cluster.elect(1);
    two.node.readIndex(bytes("old"));
    const [ask] = two.ready().filter((m) => m.type === "MsgReadIndex");
    const random = (bound: number): number => 12_345 % bound;
    cluster.restart(2, { random });
    const beat = { from: nodeId(1), to: nodeId(2), term: term(1) };
    cluster.step(makeMessage({ type: "MsgHeartbeat", ...beat }));
    two.node.readIndex(bytes("new"));
    cluster.step(
      makeMessage({ type: "MsgReadIndexResp", ...beat, entries: (ask as Message).entries }),
    );
    expect(answers(cluster, 2)).toEqual([]);
  });

  it("are passed on once: a node that follows by now does not pass them on again", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    cluster.node(2).readIndex(bytes("r"));
    cluster.work(2);
    const asks = cluster.take({ type: "MsgReadIndex" });
    cluster.elect(2);
    expect(asks).toHaveLength(1);
    for (const m of asks) {
      const refused = { ok: false, reason: "forwarded-already" };
      expect(cluster.node(1).step(m)).toEqual(refused);
    }
    cluster.settle();
    expect(answers(cluster, 2)).toEqual([]);
  });

  it("a heartbeat answer with a token that was never issued is refused", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    const at = { from: nodeId(2), to: nodeId(1), term: term(1) };
    const context = Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0);
    const send = () =>
      cluster.node(1).step(makeMessage({ type: "MsgHeartbeatResp", ...at, context }));
    expect(send).toThrow(InvalidMessageError);
  });
});

describe("leases", () => {
  const options = { checkQuorum: true, readOnlyOption: "lease-based", leaseDriftTicks: 2 } as const;
  const renewed = (): Cluster => {
    const cluster = new Cluster([1, 2, 3], options);
    cluster.elect(1);
    cluster.tick(1);
    cluster.settle();
    return cluster;
  };

  it("a read within the lease needs no round", () => {
    const cluster = renewed();
    cluster.isolated.add(1);
    cluster.tick(1, 7);
    cluster.node(1).readIndex(bytes("r"));
    expect(answers(cluster, 1)).toHaveLength(1);
  });

  it("the lease ends leaseDriftTicks before voters would elect somebody else", () => {
    const cluster = renewed();
    cluster.isolated.add(1);
    cluster.tick(1, 8);
    cluster.node(1).readIndex(bytes("r"));
    expect(answers(cluster, 1)).toEqual([]);
  });

  it("a transfer ends the lease for the rest of the term", () => {
    const cluster = renewed();
    cluster.isolated.add(2);
    cluster.node(1).transferLeadership(nodeId(2));
    cluster.tick(1, 10);
    cluster.settle();
    expect(cluster.node(1).basicStatus()).toMatchObject({ state: "leader", leadTransferee: 0 });
    cluster.isolated.add(3);
    cluster.node(1).readIndex(bytes("r"));
    expect(answers(cluster, 1)).toEqual([]);
  });

  it("a restarted voter helps nobody to depose its leader for an election timeout", () => {
    const cluster = renewed();
    cluster.restart(3);
    const ask = makeMessage({ type: "MsgVote", from: nodeId(2), to: nodeId(3), term: term(9) });
    cluster.step(ask);
    expect(cluster.node(3).basicStatus().term).toBe(1);
    cluster.tick(3, 10);
    cluster.step(ask);
    expect(cluster.node(3).basicStatus().term).toBe(9);
  });
});
