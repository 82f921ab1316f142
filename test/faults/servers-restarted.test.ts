// All servers go away at once and come back, by force and in order: every acknowledged write is there,
// agents find their way back, and what was under way continues or ends with a reason.

import type { Proposal } from "@kingly/resources";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cluster } from "../harness/cluster.ts";
import { config, OBJECTIVE, policy, proposal, SCHEMA } from "../harness/manifests.ts";
import { startNodes, untilCalibrated, untilReachable, type TestNode } from "../harness/node.ts";
import { untilFinal, untilPhase, untilSettled, votersOf } from "../harness/settled.ts";
import { until } from "../harness/until.ts";
import { Writer } from "../harness/writer.ts";

let cluster: Cluster;
let nodes: readonly TestNode[] = [];

beforeAll(async () => {
  cluster = await Cluster.start();
  await cluster.create(SCHEMA, OBJECTIVE, policy({ name: "quick" }));
  await cluster.create(config({ name: "work", policy: "quick" }));
  nodes = await startNodes(cluster, [{ name: "n1" }, { name: "n2" }]);
  await untilCalibrated(cluster, nodes);
});

afterAll(async () => {
  await cluster?.dispose();
});

/** Waits until every agent is greeted by a server once more than before. */
async function untilReconnected(before: readonly number[]): Promise<void> {
  await until("agents are back", () =>
    nodes.every((node, at) => greetings(node) > (before[at] ?? 0)),
  );
}

function greetings(node: TestNode): number {
  return node.events("Session").filter((line) => line["message"] === "connected").length;
}

describe("all servers at once", () => {
  it("are killed with -9 in a trial and keep every acknowledged write and the trial", async () => {
    const writer = new Writer(cluster, "killed");
    await cluster.create(
      proposal({ name: "over-a-crash", config: "work", patch: { rounds: 60, flavor: "b" } }),
    );
    await Promise.all(nodes.map((node) => node.untilEvent("TrialStarted")));
    await writer.more(20);
    const before = nodes.map(greetings);
    const termBefore = (await cluster.status(await cluster.leader())).term;
    await Promise.all(cluster.members.map((member) => cluster.endServer(member, "SIGKILL")));
    await writer.stop();
    await cluster.startServers();
    await cluster.untilServing();
    expect(await writer.lost()).toEqual([]);
    for (const member of cluster.members) {
      expect((await cluster.status(member)).term).toBeGreaterThan(termBefore);
    }
    await untilReconnected(before);
    const ended = await untilFinal(cluster, "over-a-crash");
    expect(ended.status?.reason).toMatch(/\S/);
    expect(ended.status?.message).toMatch(/\S/);
    // The nodes went on measuring on their own: both votes are counted, each once.
    expect(await votersOf(cluster, "over-a-crash")).toEqual(["n1", "n2"]);
    const versions = await untilSettled(cluster, nodes, "work");
    const version = ended.status?.committedVersion || 1;
    expect(versions).toEqual({ n1: version, n2: version });
  });

  it("are stopped in order one after the other and lose nothing acknowledged", async () => {
    const writer = new Writer(cluster, "stopped");
    await writer.more(10);
    for (const member of cluster.members) {
      const exit = await cluster.endServer(member, "SIGTERM");
      expect(exit, cluster.server(member).lastWords).toEqual({ code: 0, signal: null });
      await writer.more(10);
      await cluster.startServer(member);
      await until("it leads or follows", async () => {
        const { role, leaderId } = await cluster.status(member);
        return leaderId !== "" && (role === "leader" || role === "follower");
      });
    }
    await writer.stop();
    expect(await writer.lost()).toEqual([]);
  });
});

describe("an agent", () => {
  it("that is stopped in order leaves a confirmed content and votes after its return", async () => {
    const [first, second] = nodes as [TestNode, TestNode];
    await cluster.create(
      proposal({ name: "while-away", config: "work", patch: { rounds: 80, flavor: "d" } }),
    );
    await Promise.all([first.untilEvent("TrialStarted", 2), second.untilEvent("TrialStarted", 2)]);
    const exit = await first.endAgent("SIGTERM");
    expect(exit, first.agent.lastWords).toEqual({ code: 0, signal: null });
    const { status } = await cluster.get<Proposal>("Proposal", "while-away");
    expect(status?.phase).toMatch(/Trialing|Voting/);
    expect((await first.running()).flavor).not.toBe("d");
    await first.startAgent();
    const ended = await untilFinal(cluster, "while-away");
    expect(ended.status?.reason).toMatch(/\S/);
    expect(await votersOf(cluster, "while-away")).toEqual(["n1", "n2"]);
    await untilSettled(cluster, nodes, "work");
  });

  it("is told what was decided while it was away", async () => {
    const [first, second] = nodes as [TestNode, TestNode];
    expect((await first.endAgent("SIGTERM")).code).toBe(0);
    await untilReachable(cluster, ["n1"], false);
    await cluster.create(
      proposal({ name: "decided-without", config: "work", patch: { rounds: 40, flavor: "e" } }),
    );
    const committed = await untilPhase(cluster, "decided-without", [
      "RollingOut",
      "Completed",
      "Rejected",
      "Inconclusive",
    ]);
    expect(await votersOf(cluster, "decided-without")).not.toContain("n1");
    await first.startAgent();
    await untilFinal(cluster, "decided-without");
    const versions = await untilSettled(cluster, [first, second], "work");
    if ((committed.status?.committedVersion ?? 0) > 0) {
      expect(versions["n1"]).toBe(committed.status?.committedVersion);
    }
  });
});
