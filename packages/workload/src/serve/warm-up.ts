// Before the service says it is ready, every path has run often enough to be compiled: real requests
// over loopback, with window 0 and above, in bursts of 1 to 32, with and without cache. Otherwise the
// first minute of measurements would show the compiler. (Compute threads warm themselves.)
import { Agent, request } from "node:http";
import { WARM_UP_TIMEOUT_MS } from "../limits.ts";
import { DEFAULT_TUNABLES } from "../tunables.ts";
import type { Tunables } from "../tunables.ts";
import type { InferenceService } from "./service.ts";

const BURST_SIZES: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 24, 32];
const ROUNDS = 4;
const STAGES: readonly Partial<Tunables>[] = [
  { batchWindowMs: 0 },
  { batchWindowMs: 1, maxBatchSize: 8 },
  { batchWindowMs: 1, maxBatchSize: 32, cacheEntries: 100 },
];

/** Where the service listens and how it recognises the warm-up. */
export interface WarmUpTarget {
  readonly port: number;
  readonly token: string;
}

/** Warms the service and sets it ready. Rejects when a request fails or after WARM_UP_TIMEOUT_MS. */
export async function warmUp(service: InferenceService, target: WarmUpTarget): Promise<void> {
  const deadline = performance.now() + WARM_UP_TIMEOUT_MS;
  const agent = new Agent({ keepAlive: true });
  let texts = 0;
  try {
    for (const stage of STAGES) {
      service.configureForWarmUp({ ...DEFAULT_TUNABLES, ...stage });
      for (let round = 0; round < ROUNDS; round++) {
        for (const size of BURST_SIZES) {
          if (performance.now() > deadline) throw new Error("warm-up took too long");
          const burst = Array.from({ length: size }, () => `warm-up ${texts++ % 400} of the path`);
          await Promise.all(burst.map(async (text) => post(agent, target, text)));
        }
      }
    }
  } finally {
    agent.destroy();
  }
  service.finishWarmUp();
}

async function post(agent: Agent, target: WarmUpTarget, text: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const outgoing = request(
      {
        agent,
        host: "127.0.0.1",
        port: target.port,
        path: "/infer",
        method: "POST",
        headers: { "x-warm-up": target.token },
        timeout: WARM_UP_TIMEOUT_MS,
      },
      (response) => {
        response.resume();
        response.on("end", () => {
          if (response.statusCode === 200) resolve();
          else reject(new Error(`warm-up request answered ${response.statusCode ?? 0}`));
        });
      },
    );
    outgoing.on("error", reject);
    outgoing.on("timeout", () => outgoing.destroy(new Error("warm-up request timed out")));
    outgoing.end(JSON.stringify({ text }));
  });
}
