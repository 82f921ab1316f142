// The servers drive decisions forward by themselves: nodes enrol, a Config is committed, nodes report
// to whichever server they talk to, and the leader's controller takes the rollout to its end.
import { toBase64, toHex, utf8Encode } from "@kingly/base";
import type { JsonObject } from "@kingly/base";
import { renderAssignments } from "@kingly/decision";
import type { CommandType } from "@kingly/decision";
import { generateSigningKey, nodeCrypto } from "@kingly/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PENDING_READS_MAX } from "../src/limits.ts";
import type { RunningServer } from "../src/server.ts";
import { ACTOR, createCluster, eventually, write } from "./cluster.ts";
import type { Cluster } from "./cluster.ts";

const NODES = ["node-1", "node-2", "node-3"];
const RULE = { type: "integer", tunable: false, hot: true, settleSeconds: 1, secret: false };

let cluster: Cluster;

function submit(server: RunningServer, command: CommandType, body: JsonObject): Promise<unknown> {
  const bytes = utf8Encode(JSON.stringify(body));
  return server.replica.submit({ command, body: bytes }, ACTOR, { deadlineMs: 20_000 });
}

function create(server: RunningServer, kind: string, name: string, spec: JsonObject) {
  const object = {
    apiVersion: "kingly.dev/v1",
    kind,
    metadata: { name, namespace: "default" },
    spec,
  };
  return submit(server, "write", { op: "create", kind, namespace: "default", name, object });
}

async function enroll(server: RunningServer, node: string): Promise<void> {
  const tokenHash = toHex(nodeCrypto.sha256(utf8Encode(`token of ${node}`)));
  await submit(server, "join-token", {
    tokenHash,
    expiresAtMs: Date.now() + 60_000,
    class: "gpu",
    ownerGroup: "ops",
    pool: "main",
    interferenceGroup: "",
    labels: {},
    node: "",
  });
  await submit(server, "enroll-node", {
    node,
    publicKey: toBase64(generateSigningKey().publicKey),
    tokenHash,
    targets: ["inference/main"],
    signals: ["latencyMean"],
    agentVersion: "0.1.0",
  });
}

/** What an agent's session does: heartbeat, and confirm what is assigned. */
function report(server: RunningServer, node: string): void {
  const { soft, state } = server.replica;
  const rest = { agentVersion: "0.1.0", targets: [], signals: [], active: [] };
  soft.reportHeartbeat({ node, incarnation: 1, ...rest });
  for (const { config, version } of renderAssignments(state, node).assignments) {
    if (version === 0) continue;
    for (const step of ["received", "applied", "confirmed"] as const) {
      soft.reportAck({ configUid: config.uid, version, state: step, node });
    }
  }
}

beforeAll(async () => {
  cluster = await createCluster(3);
  for (const position of [0, 1, 2]) await cluster.start(position);
});

afterAll(async () => {
  await cluster.close();
});

describe("three servers and a fleet", () => {
  it("take a rollout to its end from what nodes report to any of them", async () => {
    const leader = await cluster.leader();
    const follower = cluster.servers.find((server) => server !== leader);
    if (follower === undefined) throw new Error("three servers run");
    for (const node of NODES) await enroll(follower, node);
    await write(follower, "create", "speed");
    await create(follower, "Policy", "quick", {
      rollout: { stages: [0, 1], soakSeconds: 1, confirmedShare: 1 },
    });
    await create(follower, "ConfigSchema", "rules", { schema: {}, keys: { threads: RULE } });
    for (const node of NODES) report(follower, node);
    await create(follower, "Config", "web", {
      data: { threads: 4 },
      target: "inference/main",
      schemaRef: "rules",
      selector: { matchLabels: {} },
      policyRef: "quick",
      objectiveRefs: ["speed"],
    });
    await eventually("the end of the rollout", () => {
      for (const node of NODES) report(follower, node);
      const rollout = follower.replica.state.object("Rollout", "default", "web-v1");
      return rollout?.status?.phase === "Completed";
    });
    const rollout = follower.replica.state.object("Rollout", "default", "web-v1");
    expect(rollout?.status?.stages.length).toBe(2);
    expect([...(rollout?.status?.confirmed ?? [])].sort()).toEqual(NODES);
    expect(await leader.metrics.registry.metrics()).toMatch(
      /kingly_controller_commands_total\{type="advance-rollout",result="ok"\} [1-9]/,
    );
  });

  it("refuse reads beyond their bound instead of queueing without end", async () => {
    const leader = await cluster.leader();
    const reads = Array.from({ length: PENDING_READS_MAX + 10 }, () =>
      leader.replica.readBarrier(20_000).then(
        () => "ok",
        (error: { code: string }) => error.code,
      ),
    );
    const outcomes = await Promise.all(reads);
    expect(outcomes.filter((outcome) => outcome === "Overloaded")).toHaveLength(10);
    expect(outcomes.filter((outcome) => outcome === "ok")).toHaveLength(PENDING_READS_MAX);
  });
});
