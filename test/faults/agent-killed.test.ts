// An agent is killed with -9 at every instant of applying a version, and right after it has written a
// document. The first content after its return is one that it knew to be good, and each document
// arrives exactly once.

import type { Proposal, Veto, Vote } from "@kingly/resources";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cluster } from "../harness/cluster.ts";
import { config, OBJECTIVE, policy, proposal, SCHEMA, schema } from "../harness/manifests.ts";
import { startNodes, untilCalibrated, type TestNode } from "../harness/node.ts";
import { untilFinal, untilSettled } from "../harness/settled.ts";
import { until } from "../harness/until.ts";

let cluster: Cluster;
let byHttp: TestNode;
let byFile: TestNode;
let tuning: TestNode;

const DIRECT = { direct: true, stages: [1], soakSeconds: 0.5 };

beforeAll(async () => {
  cluster = await Cluster.start({ servers: 1 });
  await cluster.create(
    SCHEMA,
    // One step halves the work: an improvement that shows on a busy machine, too.
    schema("steps", 50),
    OBJECTIVE,
    policy({ name: "direct", ...DIRECT }),
    policy({ name: "tuned", agentsMayPropose: true, maxPairs: 12 }),
  );
  await cluster.create(
    config({ name: "work", policy: "direct" }),
    config({ name: "tuned", policy: "tuned", role: "tuned", schema: "steps" }),
  );
  const tuner = {
    enabled: true,
    targets: ["work/main"],
    keys: ["rounds"],
    minIntervalSeconds: 3_600,
  };
  const nodes = await startNodes(cluster, [
    { name: "by-http" },
    { name: "by-file", applier: "file" },
    { name: "tuning", role: "tuned", binding: { tuner } },
  ]);
  [byHttp, byFile, tuning] = nodes as [TestNode, TestNode, TestNode];
});

afterAll(async () => {
  await cluster?.dispose();
});

/** An instant of applying a version, as somebody outside can see it. */
interface Instant {
  readonly name: string;
  readonly reached: (node: TestNode, flavor: string) => Promise<boolean>;
}

/** The agent took the version on; nothing has happened to the target. */
const RECEIVED: Instant = {
  name: "the agent took it on",
  reached: async (node) => node.events("VersionReceived").length > 0,
};

const INSTANTS: readonly Instant[] = [
  {
    name: "the target was asked to take it",
    reached: async (node) => (await node.history()).applying > 0,
  },
  {
    name: "the target runs it",
    reached: async (node, flavor) => (await node.running()).flavor === flavor,
  },
  {
    name: "the agent knows that the target runs it",
    reached: async (node) => node.events("Applied").length > 0,
  },
];

/** Kills the agent at an instant of applying `flavor`, starts it again, and returns what ran first. */
async function killedAt(node: TestNode, instant: Instant, flavor: string): Promise<string> {
  await until(`${node.name}: ${instant.name}`, () => instant.reached(node, flavor));
  await node.endAgent("SIGKILL");
  expect(node.events("Confirmed")).toEqual([]);
  // What the target took before the agent died still happens; that is not the next agent's doing.
  await until("the target is at rest", async () => (await node.history()).applying === 0);
  const before = (await node.history()).ran.length;
  await node.startAgent();
  const first = await until("the first content after the return", async () => {
    return (await node.history()).ran[before];
  });
  return first.config.flavor;
}

/** A direct change, with the nodes' agents killed at an instant of it. */
async function expectBeginsOnGood(
  nodes: readonly TestNode[],
  instant: Instant,
  flavor: string,
): Promise<void> {
  await untilSettled(cluster, nodes, "work");
  const good = await Promise.all(nodes.map(async (node) => (await node.running()).flavor));
  for (const node of nodes) {
    await node.control({ applyDelayMs: 150 });
    // A fresh agent has no events of earlier versions.
    await node.endAgent("SIGKILL");
    await node.startAgent();
  }
  await cluster.create(proposal({ name: flavor, config: "work", patch: { flavor } }));
  const firsts = await Promise.all(nodes.map((node) => killedAt(node, instant, flavor)));
  expect(firsts, `${instant.name}: first contents after the return`).toEqual(good);
  // Then the version gets its next chance and is confirmed.
  expect((await untilFinal(cluster, flavor)).status?.phase).toBe("Completed");
  await untilSettled(cluster, nodes, "work");
  for (const node of nodes) {
    expect((await node.running()).flavor, node.name).toBe(flavor);
    await node.control({ applyDelayMs: 0 });
  }
}

/** Whether changes of Config work skip the trial. */
async function setDirect(direct: boolean): Promise<void> {
  const scope = { kind: "Policy", namespace: "default", name: "direct" };
  const changed = policy({ name: "direct", ...DIRECT, direct });
  await cluster.ask((client) => client.replace(scope, changed));
}

describe("an agent that is killed with -9 while it applies a version", () => {
  for (const [at, instant] of INSTANTS.entries()) {
    it(`begins again on its last known good content: ${instant.name}`, async () => {
      await expectBeginsOnGood([byHttp, byFile], instant, `kill-${at}`);
      expect(await cluster.list<Veto>("Veto")).toEqual([]);
    });
  }
});

describe("an agent that is killed with -9 when it has just written a document", () => {
  /** Kills the agent at an event, again when it is greeted after its return, and lets it live. */
  async function killedAfter(node: TestNode, event: string): Promise<void> {
    await node.untilEvent(event);
    await node.endAgent("SIGKILL");
    await node.startAgent();
    await until("a greeting", () =>
      node.events("Session").some((line) => line["message"] === "connected"),
    );
    await node.endAgent("SIGKILL");
    await node.startAgent();
  }

  it("delivers its vote exactly once", async () => {
    await untilCalibrated(cluster, [byHttp, byFile]);
    await setDirect(false);
    await cluster.create(
      proposal({ name: "voted", config: "work", patch: { flavor: "voted", rounds: 50 } }),
    );
    await Promise.all([killedAfter(byHttp, "Voted"), killedAfter(byFile, "Voted")]);
    await untilFinal(cluster, "voted");
    const votes = (await cluster.list<Vote>("Vote")).filter(
      (vote) => vote.spec.proposal === "voted",
    );
    expect(votes.map((vote) => vote.spec.node).sort()).toEqual(["by-file", "by-http"]);
    await untilSettled(cluster, [byHttp, byFile], "work");
  });

  it("delivers its veto exactly once", async () => {
    const { flavor } = await byHttp.running();
    expect(flavor).toBe("voted");
    await byHttp.control({ sick: "voted" });
    await killedAfter(byHttp, "Vetoed");
    await until("the veto", async () => (await cluster.list<Veto>("Veto")).length > 0);
    await byHttp.untilEvent("Session");
    expect((await byHttp.running()).flavor).not.toBe("voted");
    const vetoes = await cluster.list<Veto>("Veto");
    expect(vetoes.map(({ spec }) => [spec.node, spec.cause])).toEqual([["by-http", "Tripwire"]]);
  });

  it("delivers its proposal exactly once", async () => {
    await until("a proposal", () => tuning.events("TunerProposes").length > 0);
    await killedAfter(tuning, "TunerProposes");
    const proposals = await until("the agent's proposal", async () => {
      const all = await cluster.list<Proposal>("Proposal");
      const own = all.filter((one) => one.spec.source.type === "agent");
      return own.length > 0 ? own : false;
    });
    expect(proposals.map((one) => one.spec.source.name)).toEqual(["tuning"]);
    await untilFinal(cluster, proposals[0]?.metadata.name ?? "");
    const again = (await cluster.list<Proposal>("Proposal")).filter(
      (one) => one.spec.source.type === "agent",
    );
    expect(again).toHaveLength(1);
  });
});

describe("an agent that is killed with -9 before it touched the target", () => {
  it("takes the version on again", async () => {
    await byHttp.control({ sick: "" });
    await setDirect(true);
    await expectBeginsOnGood([byFile], RECEIVED, "kill-early");
  });
});
