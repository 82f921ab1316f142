// An optional page on loopback: what runs, whether a server is at hand, the last events. It changes
// nothing and listens on 127.0.0.1 only.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Enrollment } from "./disk/keys.ts";
import type { Output } from "./output.ts";
import type { Runtime } from "./runtime.ts";

/** A listening page. */
export interface StatusServer {
  readonly port: number;
  close(): Promise<void>;
}

interface Sources {
  readonly runtime: Runtime;
  readonly output: Output;
  readonly enrollment: Enrollment;
}

/** Serves GET /status (JSON) and GET /metrics (Prometheus text). */
export async function startStatusServer(port: number, sources: Sources): Promise<StatusServer> {
  const server = createServer((request, response) => {
    const page = request.url === "/metrics" ? metricsPage(sources) : statusPage(sources);
    const known = request.url === "/metrics" || request.url === "/status";
    const type = request.url === "/metrics" ? "text/plain; version=0.0.4" : "application/json";
    response.writeHead(known && request.method === "GET" ? 200 : 404, { "content-type": type });
    response.end(known ? page : "{}");
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function statusPage({ runtime, output, enrollment }: Sources): string {
  const { node, clusterId } = enrollment;
  const { active, server } = runtime;
  return JSON.stringify({ node, clusterId, server, active, events: output.past });
}

function metricsPage({ runtime }: Sources): string {
  const lines = [
    "# HELP kingly_agent_connected Whether a server greeted the agent.",
    "# TYPE kingly_agent_connected gauge",
    `kingly_agent_connected ${runtime.server === "" ? 0 : 1}`,
    "# HELP kingly_agent_resident_bytes Resident memory of the agent.",
    "# TYPE kingly_agent_resident_bytes gauge",
    `kingly_agent_resident_bytes ${process.memoryUsage.rss()}`,
    "# HELP kingly_agent_active_version Version that is meant to run, by config and state.",
    "# TYPE kingly_agent_active_version gauge",
  ];
  for (const { config, state, version } of runtime.active) {
    lines.push(`kingly_agent_active_version{config="${config}",state="${state}"} ${version}`);
  }
  return `${lines.join("\n")}\n`;
}
