// Pauses between attempts: exponential with equal jitter, so that clients that failed together do
// not come back together.

import { BACKOFF_MS, BACKOFF_MS_MAX } from "./limits.ts";

/** Milliseconds before attempt number `attempt` (1 = first retry). `unit` is uniform in [0, 1). */
export function backoffMs(attempt: number, unit: number): number {
  const full = Math.min(BACKOFF_MS * 2 ** (attempt - 1), BACKOFF_MS_MAX);
  return full / 2 + (full / 2) * unit;
}
