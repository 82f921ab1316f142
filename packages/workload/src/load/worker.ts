// The load thread: real HTTP requests over keep-alive connections to the service, as scheduled.
import { Agent, request } from "node:http";
import { parentPort, workerData } from "node:worker_threads";
import { systemClock } from "../clock.ts";
import { LOAD_TIMEOUT_MS, OUTSTANDING_MAX } from "../limits.ts";
import { LoadGenerator } from "./generator.ts";
import type { Send } from "./generator.ts";
import { PROFILES } from "./profiles.ts";
import type { ProfileName } from "./profiles.ts";
import { Schedule } from "./schedule.ts";
import { LoadStats } from "./stats.ts";
import { threadCpuNanos } from "./thread-cpu.ts";

/** What the starter hands to the load thread. */
export interface LoadInput {
  readonly profile: ProfileName;
  readonly seed: number;
  /** Base URL of the service, http only. */
  readonly target: string;
  readonly stats: SharedArrayBuffer;
}

function httpSender(target: string): Send {
  const agent = new Agent({ keepAlive: true, maxSockets: OUTSTANDING_MAX, noDelay: true });
  const url = new URL("/infer", target);
  return (text, done) => {
    let settled = false;
    const settle = (ok: boolean): void => {
      if (settled) return;
      settled = true;
      done(ok);
    };
    const body = Buffer.from(JSON.stringify({ text }));
    const headers = { "content-type": "application/json", "content-length": body.length };
    const outgoing = request(url, { method: "POST", agent, headers });
    outgoing.on("response", (response) => {
      response.resume();
      response.on("end", () => settle(response.statusCode === 200));
      response.on("close", () => settle(false));
    });
    outgoing.on("error", () => settle(false));
    outgoing.setTimeout(LOAD_TIMEOUT_MS, () => outgoing.destroy());
    outgoing.end(body);
  };
}

if (parentPort !== null) {
  const input = workerData as LoadInput;
  const stats = new LoadStats(input.stats);
  const schedule = new Schedule(PROFILES[input.profile], input.seed);
  const reportCpu = (): void => {
    const nanos = threadCpuNanos();
    if (nanos !== undefined) stats.set("cpuNanos", nanos);
  };
  const http = httpSender(input.target);
  const send: Send = (text, done) => {
    http(text, (ok) => {
      done(ok);
      if (generator.outstanding === 0) reportCpu();
    });
  };
  const generator = new LoadGenerator(systemClock, schedule, send, stats);
  generator.start();
}
