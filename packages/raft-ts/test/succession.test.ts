// A leader that hands over of its own accord: its disk stands still (the leader heartbeats but cannot
// append), or a preferred node is there.
import { describe, expect, it } from "vitest";
import { nodeId } from "../src/index.ts";
import { Cluster } from "./cluster.ts";
import type { Peer } from "./cluster.ts";

/** From now on the node's writes are taken and never finished. */
const stallDisk = (peer: Peer): void => {
  peer.write = () => {
    peer.appendWork = [];
    return [];
  };
};

const events = (cluster: Cluster, id: number): string[] =>
  cluster.peer(id).events.map((event) => event.kind);

describe("a leader whose disk stands still", () => {
  const start = (): Cluster => {
    const cluster = new Cluster([1, 2, 3], {
      diskStallTicks: 20,
      preVote: true,
      checkQuorum: true,
    });
    cluster.elect(1);
    stallDisk(cluster.peer(1));
    cluster.propose(1, "a");
    cluster.settle();
    return cluster;
  };
  const tick = (cluster: Cluster, count: number): void => {
    for (let i = 0; i < count; i++) {
      cluster.tick(1);
      cluster.settle();
    }
  };

  it("hands over to a voter that has everything", () => {
    const cluster = start();
    tick(cluster, 19);
    expect(cluster.peer(1).state).toBe("leader");
    tick(cluster, 3);
    expect(events(cluster, 1)).toContain("leader-disk-stalled");
    expect(cluster.peer(2).state).toBe("leader");
    expect(cluster.peer(2).appliedData()).toEqual(["a"]);
  });

  it("does not campaign before its disk has answered", () => {
    const cluster = start();
    tick(cluster, 22);
    cluster.isolated.add(2).add(3);
    tick(cluster, 100);
    expect(cluster.peer(1).state).toBe("follower");
  });

  it("steps down when handing over did not help", () => {
    const cluster = start();
    // The message that tells the successor to campaign is lost.
    for (let i = 0; i < 45 && cluster.peer(1).state === "leader"; i++) {
      cluster.tick(1);
      cluster.work(1);
      cluster.take({ type: "MsgTimeoutNow" });
      cluster.settle();
    }
    expect(cluster.peer(1).state).toBe("follower");
    expect(cluster.peer(1).events.at(-2)).toMatchObject({ steppingDown: true });
  });

  it("stays when nobody could take over, and when it is alone", () => {
    const cluster = new Cluster([1, 2, 3], { diskStallTicks: 20 });
    cluster.elect(1);
    stallDisk(cluster.peer(1));
    cluster.propose(1, "a");
    cluster.isolated.add(2).add(3);
    tick(cluster, 60);
    expect(events(cluster, 1)).toContain("leader-disk-stalled");
    expect(cluster.peer(1).state).toBe("leader");
    const alone = new Cluster([1], { diskStallTicks: 20 });
    alone.elect(1);
    stallDisk(alone.peer(1));
    alone.propose(1, "a");
    for (let i = 0; i < 30; i++) {
      alone.tick(1);
      alone.settle();
    }
    expect(alone.peer(1).state).toBe("leader");
  });

  it("a slow disk that goes on is none that stands still", () => {
    const cluster = new Cluster([1, 2, 3], { diskStallTicks: 20 });
    cluster.elect(1);
    for (let i = 0; i < 10; i++) {
      cluster.propose(1, `${i}`);
      cluster.tick(1, 15);
      cluster.settle();
    }
    expect(cluster.peer(1).state).toBe("leader");
  });
});

describe("priority of preferred leaders", () => {
  const leaderPriority = (id: number): number => (id === 3 ? 2 : id === 2 ? 1 : 0);
  const run = (cluster: Cluster, ticks: number): void => {
    for (let i = 0; i < ticks; i++) {
      for (const [id] of cluster.peers) if (!cluster.isolated.has(id)) cluster.tick(id);
      cluster.settle();
    }
  };
  const leaders = (cluster: Cluster): number[] =>
    [1, 2, 3].filter((id) => cluster.peer(id).state === "leader");

  it("a leader hands over to the best voter that keeps up, which keeps the office", () => {
    const cluster = new Cluster([1, 2, 3], { leaderPriority, checkQuorum: true });
    cluster.elect(1);
    cluster.propose(1, "a");
    run(cluster, 25);
    expect(leaders(cluster)).toEqual([3]);
    run(cluster, 100);
    expect(events(cluster, 3)).not.toContain("leader-preferred");
    expect(leaders(cluster)).toEqual([3]);
  });

  it("the next best leads while the best is away, until it is back", () => {
    const cluster = new Cluster([1, 2, 3], { leaderPriority, checkQuorum: true, preVote: true });
    cluster.elect(1);
    cluster.isolated.add(3);
    run(cluster, 40);
    expect(leaders(cluster)).toEqual([2]);
    cluster.isolated.delete(3);
    run(cluster, 60);
    expect(leaders(cluster)).toEqual([3]);
  });

  it("pauses longer after each try that failed", () => {
    const cluster = new Cluster([1, 2, 3], { leaderPriority });
    cluster.elect(1);
    for (let i = 0; i < 400; i++) {
      cluster.tick(1);
      cluster.work(1);
      cluster.take({ type: "MsgTimeoutNow" });
      cluster.settle();
    }
    const tries = events(cluster, 1).filter((kind) => kind === "leader-preferred").length;
    expect(tries).toBeGreaterThan(1);
    expect(tries).toBeLessThan(7);
  });
});

describe("leadership transfer says why it does not begin", () => {
  it("to a learner, a stranger, the leader itself, or without a leader", () => {
    const cluster = new Cluster([1, 2], {}, [3]);
    const ask = (at: number, target: number) => cluster.node(at).transferLeadership(nodeId(target));
    expect(ask(1, 2)).toEqual({ ok: false, reason: "no-leader" });
    cluster.elect(1);
    expect(ask(1, 3)).toEqual({ ok: false, reason: "transfer-to-learner" });
    expect(ask(1, 9)).toEqual({ ok: false, reason: "transfer-to-stranger" });
    expect(ask(1, 1)).toEqual({ ok: false, reason: "transfer-to-leader" });
    expect(ask(2, 2)).toEqual({ ok: true });
    cluster.settle();
    expect(cluster.peer(2).state).toBe("leader");
  });
});
