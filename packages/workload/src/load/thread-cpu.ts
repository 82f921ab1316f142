// CPU time of the calling thread alone, so that the load generator's own work can be taken out of the
// process's CPU time. Newer Node versions tell it; on Linux the scheduler's file does; elsewhere it
// is unknown and the process total stands.
import { readFileSync } from "node:fs";

interface WithThreadCpu {
  threadCpuUsage?: () => { readonly user: number; readonly system: number };
}

/** CPU nanoseconds the calling thread has used since it started, or undefined where unknown. */
export function threadCpuNanos(): number | undefined {
  const direct = (process as WithThreadCpu).threadCpuUsage;
  if (direct !== undefined) {
    const { user, system } = direct.call(process);
    return (user + system) * 1_000;
  }
  try {
    const [used] = readFileSync("/proc/thread-self/schedstat", "latin1").split(" ");
    const nanos = Number(used);
    return Number.isSafeInteger(nanos) ? nanos : undefined;
  } catch {
    return undefined;
  }
}
