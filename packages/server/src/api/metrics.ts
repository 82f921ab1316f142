// Metrics of the API layer, registered where the server's own metrics are.

import { Counter, Gauge, Histogram } from "prom-client";
import type { Registry } from "prom-client";

const SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10];

/** What the API layer counts. */
export class ApiMetrics {
  readonly registry: Registry;
  readonly requestSeconds: Histogram<"interface" | "method" | "code">;
  readonly watches: Gauge<"interface">;
  readonly watchEvents: Counter<"interface">;
  readonly sessions: Gauge;
  readonly pushes: Counter<"result">;
  readonly submissions: Counter<"kind" | "code">;
  readonly refusedConnections: Counter<"interface">;

  constructor(registry: Registry) {
    this.registry = registry;
    const registers = [registry];
    this.requestSeconds = new Histogram({
      name: "kingly_api_request_seconds",
      help: "Time of one call, watches and sessions left out",
      labelNames: ["interface", "method", "code"],
      buckets: SECONDS,
      registers,
    });
    this.watches = new Gauge({
      name: "kingly_api_watches",
      help: "Open watches of clients",
      labelNames: ["interface"],
      registers,
    });
    this.watchEvents = new Counter({
      name: "kingly_api_watch_events_total",
      help: "Events sent to clients",
      labelNames: ["interface"],
      registers,
    });
    this.sessions = new Gauge({
      name: "kingly_agent_sessions",
      help: "Connected agents",
      registers,
    });
    this.pushes = new Counter({
      name: "kingly_agent_pushes_total",
      help: "Desired states sent to agents (push) and what they answered (ack, nack)",
      labelNames: ["result"],
      registers,
    });
    this.submissions = new Counter({
      name: "kingly_agent_submissions_total",
      help: "Signed documents from agents; code is empty when accepted",
      labelNames: ["kind", "code"],
      registers,
    });
    this.refusedConnections = new Counter({
      name: "kingly_api_refused_connections_total",
      help: "Connections that did not speak the protocol",
      labelNames: ["interface"],
      registers,
    });
  }
}
