// Before the service says it is ready, every path has run often enough to be compiled: real requests
// over loopback, with window 0 and above, in bursts of 1 to 32, with and without cache. Otherwise the
// first minute of measurements would show the compiler. (Compute threads warm themselves as well.)
import { DEFAULT_TUNABLES } from "../tunables.ts";
import type { Tunables } from "../tunables.ts";
import type { InferenceService } from "./service.ts";

const BURST_SIZES: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 8, 8, 8, 10, 12, 16, 24, 32];

const STAGES: readonly { readonly tunables: Partial<Tunables>; readonly rounds: number }[] = [
  { tunables: { batchWindowMs: 0 }, rounds: 4 },
  { tunables: { batchWindowMs: 1, maxBatchSize: 8 }, rounds: 8 },
  { tunables: { batchWindowMs: 1, maxBatchSize: 32, cacheEntries: 100 }, rounds: 4 },
];

/** Sends bursts of these sizes to the service over HTTP; resolves with the number of failures. */
export type BurstDriver = (sizes: readonly number[]) => Promise<number>;

/** Warms the service and sets it ready. Rejects when a request failed. */
export async function warmUp(service: InferenceService, drive: BurstDriver): Promise<void> {
  for (const { tunables, rounds } of STAGES) {
    service.configureForWarmUp({ ...DEFAULT_TUNABLES, ...tunables });
    const sizes = Array.from({ length: rounds }, () => BURST_SIZES).flat();
    const failures = await drive(sizes);
    if (failures > 0) throw new Error(`warm-up failed: ${failures} requests got no answer`);
  }
  service.finishWarmUp();
}
