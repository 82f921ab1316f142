// Starting an agent: state and keys from disk, enrolment where there was none, then the loop. A node
// that is enrolled starts and protects itself with no server reachable.

import { randomBytes } from "node:crypto";
import { KinglyError, toKinglyError } from "@kingly/base";
import type { AgentConfig } from "./config/types.ts";
import { loadEnrollment, loadKeys, saveEnrollment } from "./disk/keys.ts";
import type { Enrollment, NodeKeys } from "./disk/keys.ts";
import { loadState } from "./disk/state-store.ts";
import { RECONNECT_MAX_MS, RECONNECT_MS } from "./limits.ts";
import type { Output } from "./output.ts";
import { Runtime } from "./runtime.ts";
import { enroll } from "./session/enroll.ts";
import { startStatusServer, type StatusServer } from "./status-server.ts";
import { AGENT_VERSION } from "./version.ts";

/** A started agent. */
export interface Agent {
  readonly runtime: Runtime;
  readonly enrollment: Enrollment;
  /** Port of the status page; 0 = none. */
  readonly statusPort: number;
  /** Graceful stop; leaves the configuration as it is. */
  stop(): Promise<void>;
}

/** Starts an agent; resolves once the node is on its way, connected or not. */
export async function startAgent(config: AgentConfig, output: Output): Promise<Agent> {
  const { record, problems } = await loadState(config.stateDir);
  for (const problem of problems) output.logger("StateDamaged").error(problem);
  const keys = await loadKeys(config.stateDir);
  const enrollment = (await loadEnrollment(config.stateDir)) ?? (await join(config, keys, output));
  if (enrollment.node !== config.node) {
    throw new KinglyError("WrongNode", `the state folder belongs to node ${enrollment.node}`, {
      field: "node",
      limit: enrollment.node,
      value: config.node,
    });
  }
  const seed = randomBytes(16).toString("hex");
  const runtime = new Runtime({ config, enrollment, keys, record, seed, output });
  let status: StatusServer | null = null;
  if (config.statusPort !== undefined) {
    status = await startStatusServer(config.statusPort, { runtime, output, enrollment });
  }
  await runtime.start();
  return {
    runtime,
    enrollment,
    statusPort: status?.port ?? 0,
    stop: async () => {
      await runtime.stop();
      await status?.close();
    },
  };
}

/** Enrols, as often as it takes while servers are merely away. */
async function join(config: AgentConfig, keys: NodeKeys, output: Output): Promise<Enrollment> {
  const { joinToken: token, node, servers, binding, stateDir } = config;
  if (token === undefined) {
    throw new KinglyError("Usage", "the node is not enrolled and the file has no joinToken", {
      field: "joinToken",
      help: "make one with kinglyctl and put it into the agent's file",
    });
  }
  const request = {
    token,
    node,
    keys,
    targets: Object.keys(binding.targets).sort(),
    signals: Object.keys(binding.signals).sort(),
    agentVersion: AGENT_VERSION,
  };
  for (let waitMs = RECONNECT_MS; ; waitMs = Math.min(RECONNECT_MAX_MS, waitMs * 2)) {
    try {
      const enrollment = await enroll(servers, request);
      await saveEnrollment(stateDir, enrollment);
      output.logger("Enrolled").info(`joined cluster ${enrollment.clusterId}`, { node });
      return enrollment;
    } catch (error) {
      const problem = toKinglyError(error);
      if (!MAY_PASS.has(problem.code)) throw problem;
      output.logger("Enrolling").warn(problem.message, { retryMs: waitMs });
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }
}

/** Codes that say "not now" rather than "not you". */
const MAY_PASS: ReadonlySet<string> = new Set([
  "Unavailable",
  "NoLeader",
  "NotLeader",
  "DeadlineExceeded",
  "Overloaded",
  "Indeterminate",
  "Recovering",
  "Retry",
]);
