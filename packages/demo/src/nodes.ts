// Starts the nodes: for each a workload with its own traffic, and an agent with the binding file that its
// owner would write. Two processes a node.

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { JsonObject } from "@kingly/base";
import type { RestClient } from "@kingly/client";
import { DEFAULT_TUNABLES } from "@kingly/workload";
import type { NodePlan } from "./fleet.ts";
import { JOIN_TOKEN_SECONDS } from "./limits.ts";
import type { ChildLine, Supervisor } from "./supervisor.ts";

const WORKLOAD_MAIN = mainOf("@kingly/workload");
const AGENT_MAIN = mainOf("@kingly/agent");

function mainOf(name: string): string {
  return fileURLToPath(import.meta.resolve(name)).replace(/index\.(js|ts)$/, "main.js");
}

/** What the nodes need of the cluster. */
export interface NodesOptions {
  readonly dir: string;
  readonly supervisor: Supervisor;
  readonly client: RestClient;
  /** gRPC addresses of the servers. */
  readonly servers: readonly string[];
  /** May the nodes' agents explore where their owners allow it? */
  readonly tuner: boolean;
  /** Every JSON line of every agent. */
  readonly onAgentLine: (node: string, line: ChildLine) => void;
}

/** Metrics of the workload by the fleet's logical signals. */
function signals(base: string): JsonObject {
  const url = `${base}/metrics`;
  const prometheus = (fields: JsonObject): JsonObject => ({
    probe: { prometheus: { url, ...fields } },
  });
  return {
    latencyMean: prometheus({ kind: "histogram-mean", metric: "inference_request_seconds" }),
    successRatio: prometheus({
      kind: "counter-ratio",
      metric: "inference_request_seconds_count",
      per: "inference_requests_total",
    }),
  };
}

function agentFile(
  plan: NodePlan,
  options: NodesOptions,
  where: { readonly folder: string; readonly port: number; readonly joinTokenFile: string },
): JsonObject {
  const base = `http://127.0.0.1:${where.port}`;
  const tuner = plan.tuner && options.tuner;
  return {
    node: plan.name,
    servers: options.servers,
    stateDir: join(where.folder, "state"),
    joinTokenFile: where.joinTokenFile,
    binding: {
      targets: {
        "inference/main": {
          applier: {
            file: {
              path: join(where.folder, "tunables.json"),
              reload: { http: { url: `${base}/reload` } },
            },
          },
        },
      },
      signals: signals(base),
      tripwires: {
        health: {
          target: "inference/main",
          http: { url: `${base}/healthz` },
          intervalMs: 1000,
          failures: 3,
        },
      },
      tuner: {
        enabled: tuner,
        targets: ["inference/main"],
        keys: ["batchWindowMs"],
        // The owner's own bound for what the agent may explore: two milliseconds of waiting.
        limits: { batchWindowMs: { maximum: 2 } },
        minIntervalSeconds: 600,
      },
    },
  };
}

async function joinToken(client: RestClient, plan: NodePlan): Promise<string> {
  const answer = await client.raw({
    method: "POST",
    path: "/apis/kingly.dev/v1/jointokens",
    body: {
      class: "edge",
      ownerGroup: plan.name,
      pool: "default",
      node: plan.name,
      labels: { role: "inference" },
      ttlSeconds: JOIN_TOKEN_SECONDS,
    },
  });
  return (JSON.parse(answer.text) as { readonly token: string }).token;
}

async function startWorkload(plan: NodePlan, options: NodesOptions): Promise<number> {
  const folder = join(options.dir, "nodes", plan.name);
  mkdirSync(folder, { recursive: true });
  const tunables = join(folder, "tunables.json");
  if (!existsSync(tunables)) writeFileSync(tunables, JSON.stringify(DEFAULT_TUNABLES));
  const workload = await options.supervisor.start({
    name: `${plan.name}-workload`,
    args: [
      WORKLOAD_MAIN,
      `--config=${tunables}`,
      `--profile=${plan.profile}`,
      `--seed=${plan.seed}`,
      "--exit-with-parent",
    ],
    readyKey: "listening",
  });
  return Number(workload.ready["listening"]);
}

async function startAgent(plan: NodePlan, options: NodesOptions, port: number): Promise<void> {
  const folder = join(options.dir, "nodes", plan.name);
  const joinTokenFile = join(folder, "join-token");
  if (!existsSync(join(folder, "state"))) {
    const token = await joinToken(options.client, plan);
    writeFileSync(joinTokenFile, token, { mode: 0o600 });
  }
  const config = join(folder, "agent.json");
  const file = agentFile(plan, options, { folder, port, joinTokenFile });
  writeFileSync(config, JSON.stringify(file, undefined, 2));
  await options.supervisor.start({
    name: plan.name,
    args: [AGENT_MAIN, "--config", config],
    readyKey: "ready",
    onLine: (line) => options.onAgentLine(plan.name, line),
  });
}

/**
 * Starts all nodes; resolves when every agent runs. All workloads first: a node should not measure its
 * own noise while its neighbours on the same two cores are still warming up.
 */
export async function startNodes(plans: readonly NodePlan[], options: NodesOptions): Promise<void> {
  const ports = await Promise.all(plans.map((plan) => startWorkload(plan, options)));
  await Promise.all(plans.map((plan, at) => startAgent(plan, options, ports[at] ?? 0)));
}
