// Nodes without any server. A version that is not confirmed yet, or confirmed but still in probation,
// turns out to be harmful: each node finds out by itself, goes back by itself, and the veto that it
// wrote meanwhile arrives exactly once when a server is there again.

import type { JsonObject } from "@kingly/base";
import type { NodeConfig, Rollout, Veto } from "@kingly/resources";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cluster } from "../harness/cluster.ts";
import { config, FIRST, OBJECTIVE, policy, proposal, SCHEMA } from "../harness/manifests.ts";
import { startNodes, untilCalibrated, type TestNode } from "../harness/node.ts";
import { until } from "../harness/until.ts";

let cluster: Cluster;
let nodes: readonly TestNode[] = [];

/** Rounds that the harmful flavor costs once a test says so: ten times the work. */
const PENALTY: JsonObject = { penalty: { flavor: "b", rounds: 900 } };

/** The first version is rolled out and confirmed at once. */
const QUICK = { direct: true, stages: [1], soakSeconds: 1 };

beforeAll(async () => {
  cluster = await Cluster.start();
  await cluster.create(SCHEMA, OBJECTIVE);
  await cluster.create(
    policy({ name: "soaking", ...QUICK }),
    policy({ name: "probing", ...QUICK, probationSeconds: 600 }),
  );
  await cluster.create(
    config({ name: "soaking", policy: "soaking", role: "soaking" }),
    config({ name: "probing", policy: "probing", role: "probing" }),
  );
  nodes = await startNodes(cluster, [
    { name: "soaks", role: "soaking" },
    { name: "probes", role: "probing" },
    { name: "trips", role: "probing", applier: "file" },
  ]);
});

afterAll(async () => {
  await cluster?.dispose();
});

async function vetoesOf(name: string): Promise<readonly Veto[]> {
  return (await cluster.list<Veto>("Veto")).filter((veto) => veto.spec.node === name);
}

describe("a node that is cut off from all servers", () => {
  it("goes back by itself from a harmful version, confirmed or not", async () => {
    const [soaks, probes, trips] = nodes as [TestNode, TestNode, TestNode];
    await untilCalibrated(cluster, nodes);
    // From now on a version soaks for longer than this test takes.
    const long = { ...QUICK, soakSeconds: 600, confirmDeadlineSeconds: 900 };
    const scope = { kind: "Policy", namespace: "default", name: "soaking" };
    await cluster.ask((client) => client.replace(scope, policy({ name: "soaking", ...long })));
    for (const name of ["soaking", "probing"]) {
      await cluster.create(proposal({ name: `${name}-b`, config: name, patch: { flavor: "b" } }));
    }
    await soaks.untilEvent("Applied", 2);
    await Promise.all([probes, trips].map((node) => node.untilEvent("Confirmed", 2)));
    for (const node of nodes) expect((await node.running()).flavor, node.name).toBe("b");
    await Promise.all(cluster.members.map((member) => cluster.endServer(member, "SIGKILL")));
    expect(soaks.events("Confirmed").some((line) => line["version"] === 2)).toBe(false);
    await Promise.all([soaks.control(PENALTY), probes.control(PENALTY)]);
    await trips.control({ sick: "b" });
    await Promise.all(
      nodes.map((node) =>
        until(`${node.name} goes back`, async () => {
          const vetoed = node.events("Vetoed").length > 0;
          return vetoed && (await node.running()).flavor === FIRST.flavor;
        }),
      ),
    );
    for (const node of nodes) {
      expect(await node.running(), node.name).toEqual(FIRST);
      expect(node.events("DocumentDelivered").some((line) => line["kind"] === "Veto")).toBe(false);
    }
  });

  it("stays there when servers return, and its veto arrives exactly once", async () => {
    const [soaks, probes, trips] = nodes as [TestNode, TestNode, TestNode];
    await cluster.startServers();
    await cluster.untilServing();
    for (const node of nodes) {
      await until(`the veto of ${node.name}`, async () => (await vetoesOf(node.name)).length > 0);
      await until("it is delivered", () =>
        node.events("DocumentDelivered").some((line) => line["kind"] === "Veto"),
      );
      const vetoes = await vetoesOf(node.name);
      expect(vetoes.map(({ spec }) => spec.version)).toEqual([2]);
      expect(vetoes[0]?.spec.runsVersion).toBe(1);
    }
    expect((await vetoesOf("soaks"))[0]?.spec.cause).toBe("Regression");
    expect((await vetoesOf("probes"))[0]?.spec.cause).toBe("Regression");
    expect((await vetoesOf("trips"))[0]?.spec.cause).toBe("Tripwire");
    for (const [node, name] of [
      [soaks, "soaking"],
      [probes, "probing"],
      [trips, "probing"],
    ] as const) {
      await until(`the servers know what ${node.name} runs`, async () => {
        const { status } = await cluster.get<NodeConfig>(
          "NodeConfig",
          `${node.name}.default.${name}`,
        );
        return status?.active === 1;
      });
      expect(await node.running()).toEqual(FIRST);
    }
    const rollout = await cluster.get<Rollout>("Rollout", "probing-v2");
    expect(rollout.status?.vetoed).toEqual(["probes", "trips"]);
  });
});
