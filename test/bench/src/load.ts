// A closed loop of clients in this one process: every client sends its next call when the last one was
// answered. Throughput and latency percentiles of one system under one load.

/** What one load measured. */
export interface LoadResult {
  readonly calls: number;
  readonly errors: number;
  readonly seconds: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** One kind of call; `sequence` is unique in the run. */
export type Call = (client: number, sequence: number) => Promise<void>;

function percentile(sorted: Float64Array, share: number): number {
  if (sorted.length === 0) return Number.NaN;
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Runs `clients` loops for `seconds`, after an unmeasured warm-up of a fifth of it. */
export async function runLoad(
  call: Call,
  options: { readonly clients: number; readonly seconds: number },
): Promise<LoadResult> {
  const warmUpMs = options.seconds * 200;
  const start = performance.now() + warmUpMs;
  const end = start + options.seconds * 1000;
  const latencies: number[] = [];
  let errors = 0;
  let sequence = 0;
  const loop = async (client: number): Promise<void> => {
    for (;;) {
      const begun = performance.now();
      if (begun >= end) return;
      try {
        await call(client, (sequence += 1));
        const done = performance.now();
        if (begun >= start && done <= end) latencies.push(done - begun);
      } catch (error) {
        errors += 1;
        if (errors === 1) process.stderr.write(`first error: ${String(error)}\n`);
      }
    }
  };
  await Promise.all(Array.from({ length: options.clients }, (_, client) => loop(client)));
  const sorted = Float64Array.from(latencies).sort();
  return {
    calls: sorted.length,
    errors,
    seconds: options.seconds,
    perSecond: sorted.length / options.seconds,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
  };
}
