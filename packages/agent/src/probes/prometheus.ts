// A signal from a Prometheus page: by difference between the block's start and its end, so that it
// speaks of this block only. No events, a restarted target or no answer make an empty block. Probes
// of one page that begin together share one scrape.

import type { PrometheusProbeBinding } from "../config/types.ts";
import { httpCall } from "../http-client.ts";
import type { Probe, ProbeBlock } from "./probe.ts";
import { parsePrometheus, type PrometheusSample } from "./prometheus-text.ts";

/** Pages by URL; concurrent scrapes of one page are one request. */
export class ScrapeCache {
  readonly #running = new Map<string, Promise<string | null>>();

  /** The page's text, or null when there is none. */
  async scrape(url: string): Promise<string | null> {
    const running = this.#running.get(url);
    if (running !== undefined) return running;
    const scrape = this.#fetch(url);
    this.#running.set(url, scrape);
    return scrape;
  }

  async #fetch(url: string): Promise<string | null> {
    // Callers of the same turn of the loop join in; later ones must see a later page.
    setImmediate(() => this.#running.delete(url));
    const answer = await httpCall({ url, accept: "text/plain" });
    return answer.status === 200 ? answer.body : null;
  }
}

/** Sums of one page, by what the kind needs. */
interface Reading {
  readonly value: number;
  readonly events: number;
  /** Cumulative counts by upper bound, for quantiles. */
  readonly buckets: ReadonlyMap<number, number>;
}

/** Measures by scraping. */
export class PrometheusProbe implements Probe {
  readonly #binding: PrometheusProbeBinding;
  readonly #cache: ScrapeCache;
  readonly #names: ReadonlySet<string>;

  constructor(binding: PrometheusProbeBinding, cache: ScrapeCache) {
    this.#binding = binding;
    this.#cache = cache;
    this.#names = new Set(namesOf(binding));
  }

  begin(): ProbeBlock {
    const first = this.#binding.kind === "gauge" ? null : this.#read();
    const startedMs = performance.now();
    return {
      end: async () => {
        const seconds = (performance.now() - startedMs) / 1000;
        const last = await this.#read();
        const before = first === null ? null : await first;
        return this.#value(before, last, seconds);
      },
      cancel: () => {},
    };
  }

  async #read(): Promise<Reading | null> {
    const text = await this.#cache.scrape(this.#binding.url);
    if (text === null) return null;
    const wanted = Object.entries(this.#binding.labels);
    const samples = parsePrometheus(text, this.#names).filter((sample) =>
      wanted.every(([name, value]) => sample.labels[name] === value),
    );
    return readingOf(this.#binding, samples);
  }

  #value(before: Reading | null, last: Reading | null, seconds: number): number | null {
    const { kind, scale, minimumEvents, quantile } = this.#binding;
    if (last === null) return null;
    if (kind === "gauge") return Number.isFinite(last.value) ? last.value * scale : null;
    if (before === null) return null;
    const value = last.value - before.value;
    const events = last.events - before.events;
    if (value < 0 || events < 0) return null;
    if (kind === "counter-rate") return seconds > 0 ? (value / seconds) * scale : null;
    if (events < minimumEvents) return null;
    if (kind !== "histogram-quantile") return (value / events) * scale;
    const found = quantileOf(before.buckets, last.buckets, quantile);
    return found === null ? null : found * scale;
  }
}

function namesOf(binding: PrometheusProbeBinding): string[] {
  const { metric, per } = binding;
  switch (binding.kind) {
    case "histogram-mean":
      return [`${metric}_sum`, `${metric}_count`];
    case "histogram-quantile":
      return [`${metric}_bucket`];
    case "counter-ratio":
      return [metric, per ?? ""];
    case "counter-rate":
    case "gauge":
      return [metric];
  }
}

function readingOf(
  binding: PrometheusProbeBinding,
  samples: readonly PrometheusSample[],
): Reading | null {
  const { metric, per, kind } = binding;
  if (samples.length === 0) return null;
  const sum = (name: string): number =>
    samples.filter((s) => s.name === name).reduce((total, s) => total + s.value, 0);
  const buckets = new Map<number, number>();
  if (kind === "histogram-quantile") {
    for (const sample of samples) {
      const bound = sample.labels["le"];
      if (bound === undefined) continue;
      const upper = bound === "+Inf" ? Number.POSITIVE_INFINITY : Number(bound);
      buckets.set(upper, (buckets.get(upper) ?? 0) + sample.value);
    }
    const events = buckets.get(Number.POSITIVE_INFINITY) ?? 0;
    return { value: 0, events, buckets };
  }
  if (kind === "histogram-mean") {
    return { value: sum(`${metric}_sum`), events: sum(`${metric}_count`), buckets };
  }
  return { value: sum(metric), events: per === undefined ? 0 : sum(per), buckets };
}

/** The quantile of what was added between two pages, linear inside its bucket. */
function quantileOf(
  before: ReadonlyMap<number, number>,
  after: ReadonlyMap<number, number>,
  quantile: number,
): number | null {
  const bounds = [...after.keys()].sort((a, b) => a - b);
  const counts = bounds.map((bound) => (after.get(bound) ?? 0) - (before.get(bound) ?? 0));
  const total = counts.at(-1) ?? 0;
  if (total <= 0) return null;
  const rank = quantile * total;
  const at = counts.findIndex((count) => count >= rank);
  const upper = bounds[at];
  const lower = at === 0 ? 0 : (bounds[at - 1] ?? 0);
  if (upper === undefined) return null;
  // Beyond the last finite bound all that is known is that bound.
  if (!Number.isFinite(upper)) return lower;
  const below = at === 0 ? 0 : (counts[at - 1] ?? 0);
  const inside = (counts[at] ?? 0) - below;
  return inside <= 0 ? upper : lower + ((upper - lower) * (rank - below)) / inside;
}
