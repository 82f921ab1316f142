// Flow control by what the follower says it can take, and how much log is kept for slow followers.
import { describe, expect, it } from "vitest";
import { InvalidConfigError, NO_LIMIT, logIndex, nodeId } from "../src/index.ts";
import type { Message } from "../src/index.ts";
import { Cluster, bytes } from "./cluster.ts";

const payload = (messages: readonly Message[]): number =>
  messages.flatMap((m) => m.entries).reduce((sum, e) => sum + e.data.length, 0);

const window = (cluster: Cluster, id: number): number =>
  cluster
    .node(1)
    .status()
    .progress.find((p) => p.id === id)?.receiveWindow ?? -1;

describe("receive window of a follower", () => {
  const start = (): Cluster => {
    const cluster = new Cluster([1, 2, 3], { maxMessageBytes: 0 });
    cluster.elect(1);
    return cluster;
  };
  /** Everything the leader has to say, without the answers. */
  const send = (cluster: Cluster): Message[] => {
    cluster.work(1);
    return cluster.take({ type: "MsgApp", to: nodeId(2) });
  };

  it("bounds the bytes in flight to that follower, and to no other", () => {
    const cluster = start();
    cluster.node(2).setReceiveWindow(30);
    cluster.propose(1, "first");
    cluster.settle();
    expect(window(cluster, 2)).toBe(30);
    expect(window(cluster, 3)).toBe(NO_LIMIT);
    for (let i = 0; i < 20; i++) cluster.propose(1, "0123456789");
    cluster.work(1);
    expect(payload(cluster.net.filter((m) => m.to === 2))).toBe(30);
    expect(payload(cluster.net.filter((m) => m.to === 3))).toBe(200);
    cluster.settle();
    expect(cluster.peer(2).appliedData()).toHaveLength(21);
  });

  it("of 0 lets the commit index through and nothing else, until it opens", () => {
    const cluster = start();
    cluster.node(2).setReceiveWindow(0);
    cluster.propose(1, "a");
    cluster.settle();
    cluster.propose(1, "b");
    cluster.settle();
    cluster.tick(1);
    cluster.settle();
    expect(cluster.peer(1).appliedData()).toEqual(["a", "b"]);
    expect(cluster.peer(2).appliedData()).toEqual(["a"]);
    // Opening is announced at once, without a heartbeat.
    cluster.node(2).setReceiveWindow(NO_LIMIT);
    cluster.settle();
    expect(cluster.peer(2).appliedData()).toEqual(["a", "b"]);
  });

  it("an announcement that was lost is made up for by the next heartbeat", () => {
    const cluster = start();
    cluster.node(2).setReceiveWindow(0);
    cluster.propose(1, "a");
    cluster.settle();
    cluster.propose(1, "b");
    cluster.settle();
    cluster.node(2).setReceiveWindow(1000);
    cluster.work(2);
    expect(cluster.take({ type: "MsgAppResp" })).toHaveLength(1);
    cluster.tick(1);
    cluster.settle();
    expect(cluster.peer(2).appliedData()).toEqual(["a", "b"]);
  });

  it("a follower that restarted and says nothing has no window", () => {
    const cluster = start();
    cluster.node(2).setReceiveWindow(0);
    cluster.propose(1, "a");
    cluster.settle();
    cluster.restart(2);
    cluster.tick(1);
    cluster.settle();
    cluster.propose(1, "b");
    cluster.settle();
    expect(window(cluster, 2)).toBe(NO_LIMIT);
    expect(cluster.peer(2).appliedData()).toContain("b");
  });

  it("holds while probing as well", () => {
    const cluster = start();
    cluster.node(2).setReceiveWindow(0);
    cluster.propose(1, "a");
    cluster.settle();
    cluster.node(1).reportUnreachable(nodeId(2));
    cluster.propose(1, "b");
    cluster.tick(1);
    expect(payload(send(cluster))).toBe(0);
  });

  it("out of range is refused by name", () => {
    const set = (value: number) => () => start().node(2).setReceiveWindow(value);
    expect(set(-1)).toThrow(InvalidConfigError);
    expect(set(0.5)).toThrow(
      "receiveWindow must be an integer from 0 to 9007199254740991, got 0.5",
    );
  });
});

describe("how far the log may be compacted", () => {
  const start = (): Cluster => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    for (let i = 0; i < 9; i++) cluster.propose(1, `${i}`);
    cluster.settle();
    return cluster;
  };
  const bound = (cluster: Cluster, id: number, keepEntries = 2, keepEntriesMost = 8) =>
    cluster.node(id).compactionBound({ keepEntries, keepEntriesMost });

  it("keeps the entries it is told to behind what is applied", () => {
    const cluster = start();
    expect(cluster.node(1).basicStatus().applied).toBe(10);
    expect([1, 2, 3].map((id) => bound(cluster, id))).toEqual([8, 8, 8]);
    expect(bound(cluster, 1, 100, 100)).toBe(0);
  });

  it("a leader keeps more for a member that is slow, up to a limit, and nothing for one that is away", () => {
    const cluster = start();
    cluster.node(2).setReceiveWindow(0);
    cluster.propose(1, "slow");
    cluster.settle();
    const { match } = cluster.node(1).status().progress[1] ?? { match: 0 };
    for (let i = 0; i < 5; i++) cluster.propose(1, "x");
    cluster.settle();
    cluster.tick(1);
    cluster.settle();
    expect(bound(cluster, 1)).toBe(Math.max(match, 8));
    expect(bound(cluster, 1, 2, 100)).toBe(match);
    expect(bound(cluster, 1, 2, 3)).toBe(13);
    cluster.isolated.add(2);
    for (let i = 0; i < 11; i++) {
      cluster.tick(1);
      cluster.settle();
    }
    expect(bound(cluster, 1, 2, 100)).toBe(14);
  });

  it("out of range is refused by name", () => {
    expect(() => bound(start(), 1, -1)).toThrow("keepEntries must be");
    expect(() => bound(start(), 1, 5, 4)).toThrow(
      "keepEntriesMost must be an integer of at least keepEntries (5), got 4",
    );
  });
});

it("a batch of commands is taken in order or not at all", () => {
  const cluster = new Cluster([1, 2, 3], { maxUncommittedBytes: 4 });
  cluster.elect(1);
  const batch = (...commands: string[]) => cluster.node(1).proposeBatch(commands.map(bytes));
  expect(batch("a", "b", "c")).toEqual({ ok: true });
  expect(batch("d", "e")).toEqual({ ok: false, reason: "uncommitted-limit" });
  cluster.settle();
  expect(cluster.peer(3).appliedData()).toEqual(["a", "b", "c"]);
  expect(cluster.node(1).status().lastIndex).toBe(logIndex(4));
});
