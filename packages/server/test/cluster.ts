// A cluster of real servers in one process: real gRPC on loopback, real LevelDB in a temporary
// directory. Peer listeners take the ports that `initCluster` chose.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { noLogger, utf8Encode } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import { loadConfig } from "../src/config.ts";
import type { CompactionConfig, ServerConfig } from "../src/config.ts";
import { initCluster } from "../src/init.ts";
import { createLogger } from "../src/observe/logger.ts";
import type { Actor, SubmitResult } from "../src/replica/replica.ts";
import { startServer } from "../src/server.ts";
import type { RunningServer, StartOptions } from "../src/server.ts";

/** Who writes in tests. */
export const ACTOR: Actor = { name: "test", method: "token", server: "m1" };

/** Fast, but far from what a busy machine stumbles over. */
const TIMING = { tickMs: 40, electionTicks: 12 };

export interface Cluster {
  readonly dir: string;
  readonly configs: readonly ServerConfig[];
  /** By position; undefined = not running. */
  readonly servers: (RunningServer | undefined)[];
  start(at: number, options?: Partial<StartOptions>): Promise<RunningServer>;
  /** The running server that leads, once there is one. */
  leader(): Promise<RunningServer>;
  close(): Promise<void>;
}

/** Waits until `condition` gives something; fails after 30 s with `what`. */
export async function eventually<T>(
  what: string,
  condition: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Creates a cluster's directories; nothing runs yet. */
export async function createCluster(
  size: number,
  compaction?: Partial<CompactionConfig>,
): Promise<Cluster> {
  const dir = await mkdtemp(join(tmpdir(), "kingly-server-"));
  const created = await initCluster({
    dir,
    clusterId: "test-cluster",
    members: Array.from({ length: size }, (_, at) => ({ id: `m${at + 1}` })),
    nowMs: Date.now(),
    timing: TIMING,
    ...(compaction === undefined ? {} : { compaction }),
  });
  const configs = created.configs.map(loadConfig);
  const servers: (RunningServer | undefined)[] = configs.map(() => undefined);
  const level = process.env["KINGLY_TEST_LOG"];
  return {
    dir,
    configs,
    servers,
    async start(at, options = {}) {
      const config = configs[at];
      if (config === undefined) throw new Error(`no member ${at}`);
      const logger = level === undefined ? noLogger : createLogger(level, { m: config.memberId });
      const server = await startServer({ config, logger, ...options });
      servers[at] = server;
      return server;
    },
    async leader() {
      return eventually("a leader", () => {
        return servers.find((server) => server?.replica.status().role === "leader");
      });
    },
    async close() {
      for (const server of servers) await server?.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Spec of a namespaced object that has no references: an Objective. */
export function objective(name: string, weight: number): JsonObject {
  return {
    apiVersion: "kingly.dev/v1",
    kind: "Objective",
    metadata: { name, namespace: "default" },
    spec: { signal: "latencyMean", direction: "lower", role: "primary", weight, unit: "ms" },
  };
}

/** Body of a write of an Objective. */
export function writeBody(op: string, name: string, weight = 1): Uint8Array {
  const where = { op, kind: "Objective", namespace: "default", name };
  const body = op === "delete" ? where : { ...where, object: objective(name, weight) };
  return utf8Encode(JSON.stringify(body));
}

/** Writes an Objective. */
export function write(
  server: RunningServer,
  op: string,
  name: string,
  options: { readonly weight?: number; readonly key?: string; readonly deadlineMs?: number } = {},
): Promise<SubmitResult> {
  return server.replica.submit(
    {
      command: "write",
      body: writeBody(op, name, options.weight),
      ...(options.key === undefined ? {} : { idempotencyKey: options.key }),
    },
    ACTOR,
    { deadlineMs: options.deadlineMs ?? 20_000 },
  );
}

/** The weight of a stored Objective; undefined when it does not exist. */
export function weightOf(server: RunningServer, name: string): number | undefined {
  return server.replica.state.object("Objective", "default", name)?.spec.weight;
}

/** A value at a path of an object. */
export function at(value: JsonValue, ...path: readonly string[]): JsonValue | undefined {
  let here: JsonValue | undefined = value;
  for (const part of path) here = (here as JsonObject | undefined)?.[part];
  return here;
}
