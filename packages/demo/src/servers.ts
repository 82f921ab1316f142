// Creates a cluster once and starts its servers as real processes. Also used by the end-to-end tests and
// the benchmark, so that all of them run what an operator would run.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadContext } from "@kingly/client";
import { initCluster, loadConfig, writeKubeconfig } from "@kingly/server";
import type { CompactionConfig } from "@kingly/server";
import type { Child, Supervisor } from "./supervisor.ts";

/** Entry point of kinglyd. */
export const SERVER_MAIN: string = fileURLToPath(import.meta.resolve("@kingly/server")).replace(
  /index\.(js|ts)$/,
  "main.js",
);

/** A cluster on disk. */
export interface ClusterFiles {
  readonly clusterId: string;
  /** Configuration file per member, in order. */
  readonly configs: readonly string[];
  readonly memberIds: readonly string[];
  /** kubeconfig-compatible file of the administrator. */
  readonly kubeconfig: string;
  /** REST base URL per member. */
  readonly restUrls: readonly string[];
  /** Public gRPC address per member. */
  readonly grpcAddresses: readonly string[];
}

/** What a new cluster is like. */
export interface ClusterOptions {
  readonly dir: string;
  readonly servers: number;
  readonly logLevel?: string;
  readonly compaction?: Partial<CompactionConfig>;
}

function describe(dir: string, configs: readonly string[]): ClusterFiles {
  const parsed = configs.map((path) => loadConfig(path));
  return {
    clusterId: parsed[0]?.clusterId ?? "",
    configs,
    memberIds: parsed.map((config) => config.memberId),
    kubeconfig: join(dir, "kubeconfig"),
    restUrls: parsed.map((config) => `https://${config.listen.rest}`),
    grpcAddresses: parsed.map((config) => config.listen.grpc),
  };
}

/**
 * Writes the context file of an earlier start anew: its token and CA stay, the servers are those of
 * the configuration files, whose ports may have been edited since.
 */
function refreshContext(files: ClusterFiles): void {
  const { authority = "", token = "", namespace } = loadContext(files.kubeconfig);
  writeKubeconfig(files.kubeconfig, {
    clusterId: files.clusterId,
    servers: files.memberIds.map((memberId, at) => ({
      memberId,
      address: new URL(files.restUrls[at] ?? "").host,
    })),
    authorityPem: authority,
    user: "admin",
    token,
    namespace,
  });
}

/** Creates the cluster's directories, or finds those of an earlier start. */
export async function prepareCluster(options: ClusterOptions): Promise<ClusterFiles> {
  const folder = join(options.dir, "servers");
  const index = join(options.dir, "cluster.json");
  if (existsSync(index)) {
    const { configs } = JSON.parse(readFileSync(index, "utf8")) as { readonly configs: string[] };
    const files = describe(options.dir, configs);
    refreshContext(files);
    return files;
  }
  mkdirSync(folder, { recursive: true });
  const result = await initCluster({
    dir: folder,
    clusterId: `kingly-${Date.now().toString(36)}`,
    members: Array.from({ length: options.servers }, (_, at) => ({ id: `server-${at + 1}` })),
    nowMs: Date.now(),
    logLevel: options.logLevel ?? "warn",
    kubeconfig: join(options.dir, "kubeconfig"),
    ...(options.compaction === undefined ? {} : { compaction: options.compaction }),
  });
  const files = describe(options.dir, result.configs);
  // Written last: its presence says that everything above is complete.
  writeFileSync(index, JSON.stringify({ configs: result.configs }));
  return files;
}

/** Starts one server and resolves when it listens. */
export function startServer(
  supervisor: Supervisor,
  files: ClusterFiles,
  member: number,
): Promise<Child> {
  return supervisor.start({
    name: files.memberIds[member] ?? `server-${member + 1}`,
    args: [SERVER_MAIN, "--config", files.configs[member] ?? ""],
    readyKey: "ready",
  });
}
