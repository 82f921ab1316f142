// The leader is killed with -9 in the middle of things. What was acknowledged stays, proposals reach
// their end, and no node is left on a version that it did not confirm.

import type { Proposal, Rollout } from "@kingly/resources";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cluster } from "../harness/cluster.ts";
import { config, FIRST, OBJECTIVE, policy, proposal, SCHEMA } from "../harness/manifests.ts";
import { startNodes, untilCalibrated, type TestNode } from "../harness/node.ts";
import { untilFinal, untilPhase, untilSettled, votersOf } from "../harness/settled.ts";
import { until } from "../harness/until.ts";
import { Writer } from "../harness/writer.ts";

let cluster: Cluster;
let nodes: readonly TestNode[] = [];

beforeAll(async () => {
  cluster = await Cluster.start();
  await cluster.create(SCHEMA, OBJECTIVE);
  await cluster.create(policy({ name: "quick", soakSeconds: 2 }));
  await cluster.create(config({ name: "work", policy: "quick" }));
  nodes = await startNodes(cluster, [{ name: "n1" }, { name: "n2" }, { name: "n3" }]);
  await untilCalibrated(cluster, nodes);
});

afterAll(async () => {
  await cluster?.dispose();
});

/** Kills the leader; the others must elect another one. */
async function killLeader(): Promise<number> {
  const leader = await cluster.leader();
  await cluster.endServer(leader, "SIGKILL");
  const next = await cluster.leader();
  expect(next).not.toBe(leader);
  return leader;
}

/** A proposal has ended well, or with a reason that a person can read. */
function expectEnded(ended: Proposal): void {
  const { phase, reason, message } = ended.status ?? {};
  expect(phase).toBeDefined();
  expect(reason, `${phase} without a reason`).toMatch(/\S/);
  expect(message, `${phase} without a message`).toMatch(/\S/);
}

describe("the leader is killed with -9", () => {
  it("loses nothing acknowledged during a trial, and the proposal reaches its end", async () => {
    const writer = new Writer(cluster, "trial");
    await cluster.create(
      proposal({ name: "during-trial", config: "work", patch: { rounds: 60, flavor: "b" } }),
    );
    await untilPhase(cluster, "during-trial", ["Trialing", "Voting"]);
    await Promise.all(nodes.map((node) => node.untilEvent("TrialStarted")));
    const killed = await killLeader();
    await writer.more(20);
    const ended = await untilFinal(cluster, "during-trial");
    expectEnded(ended);
    await writer.stop();
    expect(await writer.lost()).toEqual([]);
    const voters = await votersOf(cluster, "during-trial");
    expect(voters).toEqual([...new Set(voters)]);
    const versions = await untilSettled(cluster, nodes, "work");
    const { phase, committedVersion = 0 } = ended.status ?? {};
    if (phase === "Completed") expect(Object.values(versions)).toContain(committedVersion);
    else expect(Object.values(versions)).toEqual([1, 1, 1]);
    await cluster.startServer(killed);
    await cluster.untilServing();
  });

  it("loses nothing acknowledged during a rollout, and the rollout goes on", async () => {
    const writer = new Writer(cluster, "rollout");
    await cluster.create(
      proposal({ name: "during-rollout", config: "work", patch: { rounds: 30, flavor: "c" } }),
    );
    const moving = await untilPhase(cluster, "during-rollout", ["RollingOut"]);
    const version = moving.status?.committedVersion ?? 0;
    expect(version).toBeGreaterThan(1);
    await until("the first stage applied", async () => {
      const { status } = await cluster.get<Rollout>("Rollout", `work-v${version}`);
      return (status?.applied.length ?? 0) + (status?.confirmed.length ?? 0) > 0;
    });
    const killed = await killLeader();
    await writer.more(20);
    const ended = await untilFinal(cluster, "during-rollout");
    expectEnded(ended);
    expect(ended.status?.phase).toBe("Completed");
    await writer.stop();
    expect(await writer.lost()).toEqual([]);
    const versions = await untilSettled(cluster, nodes, "work");
    const { status } = await cluster.get<Rollout>("Rollout", `work-v${version}`);
    for (const [node, runs] of Object.entries(versions)) {
      expect(runs === version, `${node} runs ${runs}`).toBe(status?.confirmed.includes(node));
    }
    expect(status?.confirmed.length).toBeGreaterThan(0);
    await cluster.startServer(killed);
    const { appliedIndex } = await cluster.status(await cluster.leader());
    await until("the killed server caught up", async () => {
      return (await cluster.status(killed)).appliedIndex >= appliedIndex;
    });
    expect(
      (await cluster.get<{ spec: { data: unknown } }>("ConfigVersion", "work-v1")).spec.data,
    ).toEqual(FIRST);
  });
});
