// Three servers in one process over real gRPC with mutual TLS: election, forwarding, loss of the
// leader, restart, lagging members, soft state.
import { KinglyError } from "@kingly/base";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningServer } from "../src/server.ts";
import { createCluster, eventually, weightOf, write } from "./cluster.ts";
import type { Cluster } from "./cluster.ts";

let cluster: Cluster;

function followerOf(leader: RunningServer): RunningServer {
  const found = cluster.servers.find((server) => server !== undefined && server !== leader);
  if (found === undefined) throw new Error("no follower runs");
  return found;
}

function indexOf(server: RunningServer): number {
  return cluster.servers.indexOf(server);
}

beforeAll(async () => {
  cluster = await createCluster(3, { everyEntries: 100, keepEntries: 20 });
  await Promise.all([0, 1, 2].map((at) => cluster.start(at)));
});

afterAll(async () => {
  await cluster.close();
});

describe("a cluster of three servers", () => {
  it("elects one leader that all agree on", async () => {
    const leader = await cluster.leader();
    await eventually("agreement", () => {
      return cluster.servers.every((server) => {
        return server?.replica.status().leaderId === leader.replica.memberId;
      });
    });
    const roles = cluster.servers.map((server) => server?.replica.status().role);
    expect(roles.filter((role) => role === "leader")).toHaveLength(1);
  });

  it("takes a write at a follower and shows it everywhere", async () => {
    const follower = followerOf(await cluster.leader());
    const { revision } = await write(follower, "create", "forwarded", { weight: 3 });
    for (const server of cluster.servers) {
      await server?.replica.waitForRevision(revision, 10_000);
      expect(server && weightOf(server, "forwarded")).toBe(3);
    }
  });

  it("passes the leader's refusals through a follower unchanged", async () => {
    const follower = followerOf(await cluster.leader());
    await expect(write(follower, "create", "forwarded")).rejects.toMatchObject({
      code: "AlreadyExists",
    });
    await expect(write(follower, "create", "Bad Name")).rejects.toMatchObject({
      code: "InvalidField",
      details: { field: "metadata.name" },
    });
  });

  it("reads at a follower what was just written at the leader", async () => {
    const leader = await cluster.leader();
    for (let round = 0; round < 20; round += 1) {
      await write(leader, "create", `read-${round}`);
      const follower = followerOf(leader);
      await follower.replica.readBarrier(10_000);
      expect(weightOf(follower, `read-${round}`)).toBe(1);
    }
  });

  it("shares heartbeats of nodes between servers", async () => {
    const [first, second] = cluster.servers;
    first?.replica.soft.reportHeartbeat({
      node: "node-1",
      incarnation: 1,
      agentVersion: "1",
      targets: [],
      signals: [],
      active: [],
    });
    await eventually("the digest", () => second?.replica.soft.reachableNodes.has("node-1"));
    expect(second?.replica.soft.heartbeat("node-1")?.server).toBe("m1");
  });

  it("goes on without its leader, loses nothing, and takes it back", async () => {
    const leader = await cluster.leader();
    const lost = indexOf(leader);
    const written: string[] = [];
    let stop = false;
    const survivor = followerOf(leader);
    const writing = (async () => {
      for (let i = 0; !stop; i += 1) {
        const name = `failover-${i}`;
        await write(survivor, "create", name, { key: name });
        written.push(name);
      }
    })();
    await eventually("some writes", () => written.length > 20);
    await leader.kill();
    cluster.servers[lost] = undefined;
    const before = written.length;
    await eventually("writes under a new leader", () => written.length > before + 20);
    stop = true;
    await writing;
    const back = await cluster.start(lost);
    await back.replica.readBarrier(20_000);
    for (const server of cluster.servers) {
      await server?.replica.readBarrier(20_000);
      for (const name of written) expect(server && weightOf(server, name)).toBe(1);
    }
    const hashes = cluster.servers.map((server) => server?.replica.state.stateHash());
    expect(new Set(hashes).size).toBe(1);
  });

  it("sends a snapshot to a server that was away for longer than the log reaches back", async () => {
    const leader = await cluster.leader();
    const away = indexOf(followerOf(leader));
    await cluster.servers[away]?.kill();
    cluster.servers[away] = undefined;
    for (let round = 0; round < 6; round += 1) {
      await Promise.all(
        Array.from({ length: 50 }, (_, i) => write(leader, "create", `away-${round}-${i}`)),
      );
    }
    const back = await cluster.start(away);
    await back.replica.readBarrier(20_000);
    expect(weightOf(back, "away-5-49")).toBe(1);
    expect(await back.metrics.registry.metrics()).toContain("kingly_snapshots_installed_total 1");
    await eventually("equal states", () => {
      return back.replica.state.stateHash() === leader.replica.state.stateHash();
    });
    const { revision } = await write(back, "create", "after-snapshot");
    await leader.replica.waitForRevision(revision, 10_000);
  });

  it("answers Indeterminate with the key, never failure, when the outcome is unknown", async () => {
    const leader = await cluster.leader();
    const others = cluster.servers.filter((server) => server !== leader);
    for (const other of others) {
      if (other === undefined) continue;
      const position = indexOf(other);
      await other.kill();
      cluster.servers[position] = undefined;
    }
    const error = await write(leader, "create", "unknown", { key: "key-u", deadlineMs: 100 }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(KinglyError);
    expect(error).toMatchObject({ code: "Indeterminate", details: { idempotencyKey: "key-u" } });
    await eventually("the leader steps down", () => leader.replica.status().role !== "leader");
    await expect(write(leader, "create", "no", { deadlineMs: 50 })).rejects.toMatchObject({
      code: "NoLeader",
    });
    await expect(leader.replica.readBarrier(50)).rejects.toMatchObject({ code: "NoLeader" });
    for (const position of [0, 1, 2]) {
      if (cluster.servers[position] === undefined) await cluster.start(position);
    }
    const again = await write(await cluster.leader(), "create", "unknown", { key: "key-u" });
    expect(again.revision).toBeGreaterThan(0);
    await expect(
      write(await cluster.leader(), "create", "unknown", { key: "key-v" }),
    ).rejects.toMatchObject({ code: "AlreadyExists" });
  });

  it("hands leadership over when the leader is closed in good order", async () => {
    const leader = await cluster.leader();
    const position = indexOf(leader);
    const follower = followerOf(leader);
    const { term } = leader.replica.status();
    await leader.close();
    cluster.servers[position] = undefined;
    await eventually("the next leader", () => {
      return cluster.servers.some((server) => server?.replica.status().role === "leader");
    });
    await write(follower, "create", "after-handover");
    // It stopped as a follower of a later term: it gave leadership away and did not just vanish.
    expect(leader.replica.status()).toMatchObject({ role: "follower" });
    expect(leader.replica.status().term).toBeGreaterThan(term);
    await cluster.start(position);
  });
});
