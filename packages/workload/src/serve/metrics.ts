// The service's Prometheus metrics. Their names are exported, because a supervisor's probe reads them.
// The latency histogram has 4 % wide buckets, so that a quantile of a short block means something.
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { LoadStats } from "../load/stats.ts";

/** Names of the metrics at GET /metrics. */
export const METRIC_NAMES = {
  requestSeconds: "inference_request_seconds",
  requests: "inference_requests_total",
  batches: "inference_batches_total",
  cpuSeconds: "inference_cpu_seconds_total",
  queueLength: "inference_queue_length",
  workers: "inference_workers",
  cacheHits: "inference_cache_hits_total",
  cacheMisses: "inference_cache_misses_total",
  dropped: "inference_dropped_total",
  configChanges: "inference_config_changes_total",
  configApplySeconds: "inference_config_apply_seconds",
  loadSent: "load_requests_total",
  loadAnswered: "load_responses_total",
  loadFailed: "load_failures_total",
  loadDropped: "load_dropped_total",
  loadLatencySeconds: "load_latency_seconds_total",
  loadCpuSeconds: "load_cpu_seconds_total",
} as const;

const BUCKET_FIRST_SECONDS = 0.000_2;
const BUCKET_LAST_SECONDS = 5;
const BUCKET_FACTOR = 1.04;

/** Upper bounds of the latency buckets: 0.2 ms to 5 s, each 4 % above the one before. */
export function latencyBuckets(): readonly number[] {
  const bounds: number[] = [];
  for (let bound = BUCKET_FIRST_SECONDS; bound < BUCKET_LAST_SECONDS; bound *= BUCKET_FACTOR) {
    bounds.push(Number(bound.toPrecision(4)));
  }
  bounds.push(BUCKET_LAST_SECONDS);
  return bounds;
}

/** Values that are read when somebody asks for the metrics. */
export interface MetricSources {
  queueLength(): number;
  workers(): number;
  readonly load: LoadStats | undefined;
}

/** Why a request got no answer. */
export type DropReason = (typeof DROP_REASONS)[number];

const DROP_REASONS = ["queue_full", "not_ready", "failed"] as const;

/** Counts and renders. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #latency: Histogram;
  readonly #requests: Counter<"code">;
  readonly #batches: Counter;
  readonly #cacheHits: Counter;
  readonly #cacheMisses: Counter;
  readonly #dropped: Counter<"reason">;
  readonly #configChanges: Counter<"outcome">;
  readonly #configApply: Gauge;

  constructor(sources: MetricSources) {
    const registers = [this.#registry];
    this.#latency = new Histogram({
      name: METRIC_NAMES.requestSeconds,
      help: "From request received to response written, of requests answered with 200",
      buckets: [...latencyBuckets()],
      registers,
    });
    this.#requests = new Counter({
      name: METRIC_NAMES.requests,
      help: "Answered POST /infer requests by HTTP status",
      labelNames: ["code"],
      registers,
    });
    this.#dropped = new Counter({
      name: METRIC_NAMES.dropped,
      help: "Well-formed requests that got no label, by reason",
      labelNames: ["reason"],
      registers,
    });
    this.#configChanges = new Counter({
      name: METRIC_NAMES.configChanges,
      help: "Attempts to change the tunables, by outcome",
      labelNames: ["outcome"],
      registers,
    });
    const plain = (name: string, help: string): Counter => new Counter({ name, help, registers });
    this.#batches = plain(METRIC_NAMES.batches, "Worker calls, of one or more requests");
    this.#cacheHits = plain(METRIC_NAMES.cacheHits, "Requests answered from the cache");
    this.#cacheMisses = plain(METRIC_NAMES.cacheMisses, "Requests not found in the cache");
    this.#configApply = new Gauge({
      name: METRIC_NAMES.configApplySeconds,
      help: "Time the last change of tunables took to become active",
      registers,
    });
    registerSources(this.#registry, sources);
    this.#showZeros();
  }

  /** Every series exists from the start: a reader can then take a difference to the first value. */
  #showZeros(): void {
    this.#latency.zero({});
    this.#requests.inc({ code: "200" }, 0);
    for (const reason of DROP_REASONS) this.#dropped.inc({ reason }, 0);
    for (const outcome of ["applied", "refused"]) this.#configChanges.inc({ outcome }, 0);
  }

  /** One answered request; `seconds` counts only for status 200. */
  observeRequest(code: number, seconds: number): void {
    this.#requests.inc({ code: String(code) });
    if (code === 200) this.#latency.observe(seconds);
  }

  /** One request without a label. */
  observeDrop(reason: DropReason): void {
    this.#dropped.inc({ reason });
  }

  /** One worker call. */
  observeBatch(): void {
    this.#batches.inc();
  }

  /** One look into the cache. */
  observeCache(hit: boolean): void {
    (hit ? this.#cacheHits : this.#cacheMisses).inc();
  }

  /** One attempt to change the tunables; `seconds` of an applied one. */
  observeConfig(outcome: "applied" | "refused", seconds = 0): void {
    this.#configChanges.inc({ outcome });
    if (outcome === "applied") this.#configApply.set(seconds);
  }

  /** Sets everything back to zero, at the end of the warm-up. */
  reset(): void {
    this.#registry.resetMetrics();
    this.#showZeros();
  }

  /** The text exposition and its content type. */
  async render(): Promise<{ readonly contentType: string; readonly text: string }> {
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() };
  }
}

function registerSources(registry: Registry, sources: MetricSources): void {
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number): void => {
    const made: Gauge = new Gauge({ name, help, registers, collect: () => made.set(read()) });
  };
  const counter = (name: string, help: string, read: () => number): void => {
    const made: Counter = new Counter({
      name,
      help,
      registers,
      collect() {
        made.reset();
        made.inc(Math.max(0, read()));
      },
    });
  };
  const { load } = sources;
  gauge(METRIC_NAMES.queueLength, "Requests waiting for a worker", () => sources.queueLength());
  gauge(METRIC_NAMES.workers, "Warm compute threads", () => sources.workers());
  counter(
    METRIC_NAMES.cpuSeconds,
    "CPU time of the process without its load thread (where the system tells thread times)",
    () => processCpuSeconds() - (load?.get("cpuNanos") ?? 0) / 1e9,
  );
  if (load === undefined) return;
  counter(METRIC_NAMES.loadSent, "Requests the load sent", () => load.get("sent"));
  counter(METRIC_NAMES.loadAnswered, "Requests answered with 200", () => load.get("answered"));
  counter(METRIC_NAMES.loadFailed, "Requests failed or refused", () => load.get("failed"));
  counter(
    METRIC_NAMES.loadDropped,
    "Due requests not sent: too many outstanding, or too late",
    () => load.get("dropped"),
  );
  counter(
    METRIC_NAMES.loadLatencySeconds,
    "Sum of client-side latencies from the scheduled send time, of answered requests",
    () => load.get("latencyNanos") / 1e9,
  );
  counter(METRIC_NAMES.loadCpuSeconds, "CPU time of the load thread, 0 where unknown", () => {
    return load.get("cpuNanos") / 1e9;
  });
}

function processCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
