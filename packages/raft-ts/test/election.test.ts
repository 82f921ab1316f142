// Elections: paper section 5.2 (terms, timeouts, votes), 5.4.1 (election restriction), thesis 9.6
// (pre-vote) and section 6 (leader lease of voters).
import { describe, expect, it } from "vitest";
import {
  NO_NODE,
  RaftInvariantError,
  RawNode,
  logIndex,
  makeMessage,
  nodeId,
  term,
} from "../src/index.ts";
import { Cluster, TestStorage, bytes, confState, pos } from "./cluster.ts";

describe("timeouts (5.2)", () => {
  it.each([0, 4, 9])("a follower campaigns after electionTicks plus the drawn %i ticks", (draw) => {
    const cluster = new Cluster([1, 2, 3], { random: () => draw });
    cluster.tick(1, 9 + draw);
    expect(cluster.peer(1).state).toBe("follower");
    cluster.tick(1);
    expect(cluster.peer(1).state).toBe("candidate");
    expect(cluster.node(1).basicStatus()).toMatchObject({ term: 1, vote: 1 });
  });

  it("a message of the leader restarts the timeout", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    cluster.tick(2, 9);
    cluster.tick(1);
    cluster.settle();
    cluster.tick(2, 9);
    expect(cluster.peer(2).state).toBe("follower");
  });

  it("a candidate that wins nothing starts again in the next term", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.tick(1, 20);
    expect(cluster.node(1).basicStatus()).toMatchObject({ term: 2, state: "candidate" });
  });

  it("a leader sends heartbeats every heartbeatTicks", () => {
    const cluster = new Cluster([1, 2, 3], { heartbeatTicks: 3 });
    cluster.elect(1);
    cluster.tick(1, 2);
    cluster.work(1);
    expect(cluster.types()).toEqual([]);
    cluster.tick(1);
    cluster.work(1);
    expect(cluster.types()).toEqual(["MsgHeartbeat", "MsgHeartbeat"]);
  });
});

describe("votes (5.2)", () => {
  it("the candidate's own vote counts only when it is durable", () => {
    const cluster = new Cluster([1]);
    const peer = cluster.peer(1);
    peer.node.campaign();
    peer.ready();
    expect(peer.state).toBe("candidate");
    for (const m of peer.write()) peer.node.step(m);
    expect(peer.state).toBe("leader");
  });

  it("a granted vote leaves only when it is durable", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.node(1).campaign();
    cluster.work(1);
    for (const m of cluster.take({ to: nodeId(2) })) cluster.step(m);
    expect(cluster.peer(2).ready()).toEqual([]);
    expect(
      cluster
        .peer(2)
        .write()
        .map((m) => m.type),
    ).toEqual(["MsgVoteResp"]);
  });

  it("a node votes once per term, first come first served", () => {
    const cluster = new Cluster([1, 2, 3]);
    const ask = (from: number) =>
      makeMessage({ type: "MsgVote", from: nodeId(from), to: nodeId(3), term: term(5) });
    cluster.step(ask(1));
    cluster.step(ask(2));
    cluster.step(ask(1));
    cluster.work(3);
    expect(cluster.net.map((m) => [m.to, m.reject])).toEqual([
      [1, false],
      [2, true],
      [1, false],
    ]);
  });

  it("a vote binds across a restart", () => {
    const cluster = new Cluster([1, 2, 3]);
    const ask = (from: number) =>
      makeMessage({ type: "MsgVote", from: nodeId(from), to: nodeId(3), term: term(5) });
    cluster.step(ask(1));
    cluster.work(3);
    cluster.restart(3);
    cluster.net = [];
    cluster.step(ask(2));
    cluster.work(3);
    expect(cluster.net[0]).toMatchObject({ to: 2, reject: true });
  });

  it("a majority of rejections ends the candidacy", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.node(1).campaign();
    cluster.work(1);
    for (const from of [2, 3]) {
      const at = { from: nodeId(from), to: nodeId(1), term: term(1) };
      cluster.step(makeMessage({ type: "MsgVoteResp", ...at, reject: true }));
    }
    expect(cluster.node(1).basicStatus()).toMatchObject({ state: "follower", term: 1 });
  });

  it("repeated answers of one node count once", () => {
    const cluster = new Cluster([1, 2, 3, 4, 5]);
    cluster.node(1).campaign();
    cluster.work(1);
    const yes = makeMessage({ type: "MsgVoteResp", from: nodeId(2), to: nodeId(1), term: term(1) });
    for (let i = 0; i < 5; i++) cluster.step(yes);
    expect(cluster.peer(1).state).toBe("candidate");
  });

  it("a candidate gives way to a leader of its term", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.node(1).campaign();
    const at = { from: nodeId(2), to: nodeId(1), term: term(1) };
    cluster.step(makeMessage({ type: "MsgHeartbeat", ...at }));
    expect(cluster.node(1).basicStatus()).toMatchObject({ state: "follower", lead: 2, term: 1 });
  });

  it.each([
    ["a later last term", 3, 1, true],
    ["the same last entry", 2, 2, true],
    ["a longer log of the same term", 2, 3, true],
    ["a shorter log of the same term", 2, 1, false],
    ["an earlier last term, however long", 1, 9, false],
  ])("a voter judges a candidate with %s (5.4.1)", (_, lastTerm, lastIndex, granted) => {
    const storage = new TestStorage(confState([1, 2]));
    storage.append([
      { term: term(1), index: logIndex(1), type: "normal", data: bytes("a") },
      { term: term(2), index: logIndex(2), type: "normal", data: bytes("b") },
    ]);
    storage.setHardState({ term: term(2), vote: NO_NODE, commit: logIndex(0) });
    const node = new RawNode({
      id: nodeId(1),
      storage,
      electionTicks: 10,
      heartbeatTicks: 1,
      random: () => 0,
    });
    const ends = pos(lastTerm, lastIndex);
    node.step(
      makeMessage({ type: "MsgVote", from: nodeId(2), to: nodeId(1), term: term(9), ...ends }),
    );
    expect(node.ready().messages[0]?.reject).toBe(!granted);
  });
});

describe("terms (5.1)", () => {
  it.each(["follower", "candidate", "leader"])("a %s follows a message of a later term", (role) => {
    const cluster = new Cluster([1, 2, 3]);
    if (role === "leader") cluster.elect(1);
    if (role === "candidate") cluster.node(1).campaign();
    const at = { from: nodeId(2), to: nodeId(1), term: term(7) };
    cluster.step(makeMessage({ type: "MsgHeartbeat", ...at }));
    expect(cluster.node(1).basicStatus()).toMatchObject({ state: "follower", term: 7, lead: 2 });
  });

  it("messages of an earlier term are ignored", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    cluster.elect(2);
    const at = { from: nodeId(3), to: nodeId(2), term: term(1) };
    cluster.step(makeMessage({ type: "MsgAppResp", ...at, index: logIndex(1) }));
    cluster.work(2);
    expect(cluster.net).toEqual([]);
    expect(cluster.node(2).basicStatus()).toMatchObject({ state: "leader", term: 2 });
  });

  it("a stale leader learns of the new term by the answer to its append when leases keep votes away", () => {
    const cluster = new Cluster([1, 2, 3], { checkQuorum: true });
    cluster.elect(1);
    cluster.node(2).campaign();
    cluster.work(2);
    cluster.net = [];
    cluster.propose(1, "x");
    cluster.settle([1, 2]);
    expect(cluster.node(1).basicStatus()).toMatchObject({ state: "follower", term: 2 });
  });
});

describe("pre-vote (thesis 9.6)", () => {
  it("an isolated node does not raise its term, so it does not disturb when it comes back", () => {
    const cluster = new Cluster([1, 2, 3], { preVote: true, checkQuorum: true });
    cluster.elect(1);
    cluster.isolated.add(3);
    cluster.tick(3, 100);
    cluster.settle();
    expect(cluster.node(3).basicStatus()).toMatchObject({ state: "pre-candidate", term: 1 });
    cluster.isolated.clear();
    cluster.tick(1);
    cluster.settle();
    expect(cluster.node(1).basicStatus()).toMatchObject({ state: "leader", term: 1 });
    expect(cluster.peer(3).state).toBe("follower");
  });

  it("a rejected pre-vote brings the voter's later term along", () => {
    const cluster = new Cluster([1, 2, 3], { preVote: true });
    const at = { to: nodeId(2), from: nodeId(3), term: term(9) };
    cluster.step(makeMessage({ type: "MsgHeartbeat", ...at }));
    cluster.work(2);
    cluster.net = [];
    cluster.node(1).campaign();
    cluster.settle([1, 2]);
    expect(cluster.node(1).basicStatus()).toMatchObject({ state: "follower", term: 9 });
  });

  it("answers to the pre-candidacy do not count in the candidacy", () => {
    const cluster = new Cluster([1, 2, 3, 4, 5], { preVote: true });
    cluster.node(1).campaign();
    cluster.work(1);
    const pre = (from: number) =>
      makeMessage({ type: "MsgPreVoteResp", from: nodeId(from), to: nodeId(1), term: term(1) });
    cluster.step(pre(2));
    cluster.step(pre(3));
    expect(cluster.peer(1).state).toBe("candidate");
    cluster.step(pre(4));
    cluster.step(pre(5));
    cluster.work(1);
    expect(cluster.peer(1).state).toBe("candidate");
  });
});

describe("check-quorum (section 6)", () => {
  it("a voter that hears a leader ignores candidates until its timeout", () => {
    const cluster = new Cluster([1, 2, 3], { checkQuorum: true });
    cluster.elect(1);
    const ask = makeMessage({
      type: "MsgVote",
      from: nodeId(2),
      to: nodeId(3),
      term: term(5),
      ...pos(9, 9),
    });
    cluster.step(ask);
    cluster.work(3);
    expect(cluster.net).toEqual([]);
    expect(cluster.node(3).basicStatus().term).toBe(1);
    cluster.peer(3).node.setRandomizedElectionTicks(1000);
    cluster.tick(3, 10);
    cluster.step(ask);
    cluster.work(3);
    expect(cluster.net[0]).toMatchObject({ type: "MsgVoteResp", reject: false });
  });

  it("a leader that hears no quorum for an election timeout steps down", () => {
    const cluster = new Cluster([1, 2, 3], { checkQuorum: true });
    cluster.elect(1);
    cluster.isolated.add(1);
    cluster.tick(1, 20);
    expect(cluster.node(1).basicStatus()).toMatchObject({ state: "follower", lead: 0 });
  });

  it("a leader that hears a quorum stays", () => {
    const cluster = new Cluster([1, 2, 3], { checkQuorum: true });
    cluster.elect(1);
    cluster.isolated.add(3);
    for (let i = 0; i < 50; i++) {
      cluster.tick(1);
      cluster.settle([1, 2]);
    }
    expect(cluster.peer(1).state).toBe("leader");
  });
});

describe("who may campaign", () => {
  it("a learner does not, but votes when asked", () => {
    const cluster = new Cluster([1, 2], {}, [3]);
    cluster.tick(3, 50);
    cluster.node(3).campaign();
    expect(cluster.peer(3).state).toBe("follower");
    cluster.step(
      makeMessage({ type: "MsgVote", from: nodeId(1), to: nodeId(3), term: term(2), ...pos(1, 1) }),
    );
    cluster.work(3);
    expect(cluster.net[0]).toMatchObject({ type: "MsgVoteResp", reject: false });
  });

  it("a node with a committed change of members to apply does not", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    const change = { type: "add-learner-node", nodeId: nodeId(4) } as const;
    cluster.node(1).proposeConfChange({ version: 1, ...change, context: bytes("") });
    cluster.settle([1, 2]);
    const two = cluster.peer(2);
    two.applied.pop();
    two.storage.confState = confState([1, 2, 3]);
    cluster.restart(2);
    cluster.node(2).campaign();
    expect(two.state).toBe("follower");
    cluster.work(2);
    cluster.node(2).campaign();
    expect(two.state).toBe("candidate");
  });

  it("a node with an unstored snapshot does not", () => {
    const cluster = new Cluster([1, 2, 3]);
    const snapshot = {
      data: bytes("s"),
      metadata: { index: logIndex(5), term: term(1), confState: confState([1, 2, 3]) },
    };
    const at = { from: nodeId(2), to: nodeId(1), term: term(1) };
    cluster.step(makeMessage({ type: "MsgSnap", ...at, snapshot }));
    cluster.node(1).campaign();
    expect(cluster.peer(1).state).toBe("follower");
    cluster.work(1);
    cluster.node(1).campaign();
    expect(cluster.peer(1).state).toBe("candidate");
  });
});

it("a stored commit index beyond the stored log is refused at the start", () => {
  const storage = new TestStorage(confState([1]));
  storage.setHardState({ term: term(1), vote: NO_NODE, commit: logIndex(5) });
  const start = () =>
    new RawNode({ id: nodeId(1), storage, electionTicks: 10, heartbeatTicks: 1, random: () => 0 });
  expect(start).toThrow(RaftInvariantError);
});

describe("a candidate whose own disk is slow (figure 2: term and vote are stable first)", () => {
  it("does not lead on the votes of others until its own term and vote are durable", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.tick(1, 10);
    const one = cluster.peer(1);
    one.ready();
    for (const from of [2, 3]) {
      const to = { from: nodeId(from), to: nodeId(1), term: term(1) };
      cluster.step(makeMessage({ type: "MsgVoteResp", ...to }));
    }
    expect(one.state).toBe("candidate");
    for (const m of one.write()) if (m.to === nodeId(1)) cluster.step(m);
    expect(one.state).toBe("leader");
  });
});
