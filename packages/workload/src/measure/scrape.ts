// Reads a workload's metrics over HTTP and turns two readings into the effect of a block between them.
import { METRIC_NAMES } from "../serve/metrics.ts";

/** The counters of one moment. */
export interface Reading {
  readonly count: number;
  readonly sumSeconds: number;
  readonly cpuSeconds: number;
  readonly loadCpuSeconds: number;
  readonly dropped: number;
  /** Cumulative counts by upper bound in seconds. */
  readonly buckets: ReadonlyMap<number, number>;
}

/** Parses a text exposition; missing metrics count as 0. */
export function parseReading(text: string): Reading {
  const values = new Map<string, number>();
  const buckets = new Map<number, number>();
  const bucket = new RegExp(`^${METRIC_NAMES.requestSeconds}_bucket\\{le="([^"]+)"\\}$`);
  for (const line of text.split("\n")) {
    const space = line.lastIndexOf(" ");
    if (line.startsWith("#") || space < 0) continue;
    const name = line.slice(0, space);
    const value = Number(line.slice(space + 1));
    const bound = bucket.exec(name)?.[1];
    if (bound === undefined) values.set(name, value);
    else buckets.set(bound === "+Inf" ? Infinity : Number(bound), value);
  }
  const get = (name: string): number => values.get(name) ?? 0;
  return {
    count: get(`${METRIC_NAMES.requestSeconds}_count`),
    sumSeconds: get(`${METRIC_NAMES.requestSeconds}_sum`),
    cpuSeconds: get(METRIC_NAMES.cpuSeconds),
    loadCpuSeconds: get(METRIC_NAMES.loadCpuSeconds),
    dropped: get(METRIC_NAMES.loadDropped),
    buckets,
  };
}

/** What happened between two readings. */
export interface Block {
  readonly count: number;
  /** Mean latency in seconds; NaN in an empty block. */
  readonly mean: number;
  /** CPU seconds per request; NaN in an empty block. */
  readonly cpuPerRequest: number;
  /** Requests per bucket, not cumulative. */
  readonly buckets: ReadonlyMap<number, number>;
}

/** The difference of two readings. */
export function blockBetween(before: Reading, after: Reading): Block {
  const count = after.count - before.count;
  const buckets = new Map<number, number>();
  let below = 0;
  for (const [bound, cumulative] of after.buckets) {
    const inside = cumulative - (before.buckets.get(bound) ?? 0);
    buckets.set(bound, inside - below);
    below = inside;
  }
  return {
    count,
    mean: (after.sumSeconds - before.sumSeconds) / count,
    cpuPerRequest: (after.cpuSeconds - before.cpuSeconds) / count,
    buckets,
  };
}

/** The upper bound of the bucket that holds the quantile of several blocks together, in seconds. */
export function pooledQuantile(blocks: readonly Block[], quantile: number): number {
  const total = new Map<number, number>();
  let count = 0;
  for (const block of blocks) {
    for (const [bound, inside] of block.buckets) {
      total.set(bound, (total.get(bound) ?? 0) + inside);
      count += inside;
    }
  }
  let seen = 0;
  for (const bound of [...total.keys()].sort((left, right) => left - right)) {
    seen += total.get(bound) ?? 0;
    if (seen >= quantile * count) return bound;
  }
  return NaN;
}
