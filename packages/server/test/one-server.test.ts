// A cluster of one, with real storage: writes, reads, watches, refusals, restart.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { WatchEvent } from "../src/replica/replica.ts";
import type { RunningServer } from "../src/server.ts";
import { ACTOR, at, createCluster, eventually, weightOf, write, writeBody } from "./cluster.ts";
import type { Cluster } from "./cluster.ts";

let cluster: Cluster;
let server: RunningServer;

beforeAll(async () => {
  cluster = await createCluster(1);
  server = await cluster.start(0);
});

afterAll(async () => {
  await cluster.close();
});

describe("a cluster of one server", () => {
  it("initialises itself and answers a write with the object as applied", async () => {
    const { value, revision } = await write(server, "create", "first", { weight: 2 });
    expect(at(value, "object", "spec", "weight")).toBe(2);
    expect(at(value, "object", "metadata", "resourceVersion")).toBe(String(revision));
    expect(server.replica.state.meta().clusterId).toBe("test-cluster");
  });

  it("serves a linearizable read that covers every finished write", async () => {
    const { revision } = await write(server, "create", "second");
    expect(await server.replica.readBarrier(5_000)).toBeGreaterThanOrEqual(revision);
    expect(weightOf(server, "second")).toBe(1);
  });

  it("says what is wrong with a write before it reaches the log", async () => {
    const before = server.replica.status().commitIndex;
    await expect(write(server, "create", "Bad Name")).rejects.toMatchObject({
      code: "InvalidField",
      details: { field: "metadata.name" },
    });
    await expect(
      server.replica.submit({ command: "write", body: new Uint8Array([1]) }, ACTOR, {
        deadlineMs: 1_000,
      }),
    ).rejects.toMatchObject({ code: "MalformedJson" });
    expect(server.replica.status().commitIndex).toBe(before);
  });

  it("passes on what apply refuses", async () => {
    await write(server, "create", "twice");
    await expect(write(server, "create", "twice")).rejects.toMatchObject({ code: "AlreadyExists" });
    await expect(write(server, "delete", "absent")).rejects.toMatchObject({ code: "NotFound" });
  });

  it("applies a write with an idempotency key once and gives its first result again", async () => {
    const first = await write(server, "create", "once", { key: "key-1" });
    const second = await write(server, "create", "once", { key: "key-1" });
    expect(at(second.value, "object", "metadata", "uid")).toBe(
      at(first.value, "object", "metadata", "uid"),
    );
  });

  it("admits a dry run and writes nothing", async () => {
    const { value } = await server.replica.submit(
      { command: "write", body: writeBody("create", "dry"), dryRun: true },
      ACTOR,
      { deadlineMs: 1_000 },
    );
    expect(at(value, "kind")).toBe("Objective");
    expect(weightOf(server, "dry")).toBeUndefined();
  });

  it("commits many concurrent writes, each once", async () => {
    const names = Array.from({ length: 300 }, (_, i) => `many-${i}`);
    const results = await Promise.all(names.map((name) => write(server, "create", name)));
    expect(new Set(results.map((result) => at(result.value, "key"))).size).toBe(300);
    for (const name of names) expect(weightOf(server, name)).toBe(1);
  });

  it("delivers changes to a watch in revision order, from a past revision on", async () => {
    const from = (await write(server, "create", "watched")).revision;
    await write(server, "replace", "watched", { weight: 5 });
    const events: WatchEvent[] = [];
    const subscription = server.replica.watch(
      { keyPrefix: "objectives/default/watched", fromRevision: from },
      { deliver: (batch) => (events.push(...batch), true), closed: () => {} },
    );
    await write(server, "delete", "watched");
    await eventually("both events", () => events.length === 2);
    subscription.close();
    expect(events.map((event) => event.type)).toEqual(["MODIFIED", "DELETED"]);
    expect(at(JSON.parse(new TextDecoder().decode(events[0]?.json)), "spec", "weight")).toBe(5);
  });

  it("closes a watch that does not drain and keeps serving the others", async () => {
    let closed = "";
    server.replica.watch(
      { keyPrefix: "objectives/", fromRevision: 0 },
      { deliver: () => false, closed: (error) => (closed = error.code) },
    );
    for (let round = 0; round < 12 && closed === ""; round += 1) {
      await Promise.all(
        Array.from({ length: 400 }, (_, i) => write(server, "create", `slow-${round}-${i}`)),
      );
    }
    expect(closed).toBe("Overloaded");
  });

  it("loses nothing over a restart", async () => {
    const { revision } = await write(server, "create", "durable", { weight: 9 });
    const hash = server.replica.state.stateHash();
    await server.close();
    server = await cluster.start(0);
    await server.replica.readBarrier(10_000);
    expect(weightOf(server, "durable")).toBe(9);
    expect(server.replica.state.meta().revision).toBe(revision);
    expect(server.replica.state.stateHash()).toBe(hash);
  });

  it("resumes a watch over the restart from stored history", async () => {
    const events: WatchEvent[] = [];
    server.replica.watch(
      { keyPrefix: "objectives/", fromRevision: 1 },
      { deliver: (batch) => (events.push(...batch), true), closed: () => {} },
    );
    await eventually("the last write", () => {
      return events.some((event) => event.key === "objectives/default/durable");
    });
    const revisions = events.map((event) => event.revision);
    expect(revisions).toEqual([...revisions].sort((a, b) => a - b));
    expect(events[0]?.type).toBe("ADDED");
  });

  it("waits for a revision to come and says when it does not", async () => {
    const { revision } = server.replica.state.meta();
    const waiting = server.replica.waitForRevision(revision + 1, 10_000);
    await write(server, "create", "next");
    await waiting;
    await expect(server.replica.waitForRevision(10 ** 9, 20)).rejects.toMatchObject({
      code: "RevisionTooLarge",
    });
  });

  it("reports itself as the leader of one voter", async () => {
    const status = server.replica.status();
    expect(status).toMatchObject({ role: "leader", leaderId: "m1", clusterId: "test-cluster" });
    expect(status.members).toHaveLength(1);
    expect(await server.metrics.registry.metrics()).toContain("kingly_raft_is_leader 1");
  });
});
