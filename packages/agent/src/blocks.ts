// The core's measurement blocks on the binding's probes: begin all signals of a block together, end
// them together, answer once.

import type { SampleValues } from "@kingly/node-core";
import type { SignalBinding } from "./config/types.ts";
import { createProbe } from "./probes/create.ts";
import type { Probe, ProbeBlock } from "./probes/probe.ts";
import type { ScrapeCache } from "./probes/prometheus.ts";

/** Running blocks by number. */
export class Blocks {
  readonly #probes = new Map<string, Probe>();
  readonly #running = new Map<number, ReadonlyMap<string, ProbeBlock>>();

  constructor(signals: Readonly<Record<string, SignalBinding>>, cache: ScrapeCache) {
    for (const name of Object.keys(signals).sort()) {
      const binding = signals[name];
      if (binding !== undefined) this.#probes.set(name, createProbe(binding.probe, cache));
    }
  }

  start(block: number, signals: readonly string[]): void {
    const running = new Map<string, ProbeBlock>();
    for (const signal of signals) {
      const probe = this.#probes.get(signal);
      if (probe !== undefined) running.set(signal, probe.begin());
    }
    this.#running.set(block, running);
  }

  /** Values of the block; an unknown block is empty. */
  async end(block: number): Promise<SampleValues> {
    const running = this.#running.get(block) ?? new Map<string, ProbeBlock>();
    this.#running.delete(block);
    const names = [...running.keys()];
    const values = await Promise.all(names.map(async (name) => running.get(name)?.end() ?? null));
    return Object.fromEntries(names.map((name, i) => [name, values[i] ?? null]));
  }

  cancel(block: number): void {
    for (const probe of this.#running.get(block)?.values() ?? []) probe.cancel();
    this.#running.delete(block);
  }

  cancelAll(): void {
    for (const block of this.#running.keys()) this.cancel(block);
  }
}
