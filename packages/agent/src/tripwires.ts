// Polls the tripwires: so many failures in a row, and the core is told at once. What counts starts
// anew after every apply, so that the failures of one content are not held against the next.

import type { TripwireBinding } from "./config/types.ts";
import { httpCall } from "./http-client.ts";
import { createProbe } from "./probes/create.ts";
import type { ProbeBlock } from "./probes/probe.ts";
import type { ScrapeCache } from "./probes/prometheus.ts";

/** A tripped wire. */
export interface Trip {
  readonly name: string;
  readonly target: string;
  readonly message: string;
}

/** All tripwires of a node. */
export class Tripwires {
  readonly #wires: Wire[];

  constructor(
    bindings: Readonly<Record<string, TripwireBinding>>,
    cache: ScrapeCache,
    onTrip: (trip: Trip) => void,
  ) {
    this.#wires = Object.keys(bindings)
      .sort()
      .map((name) => new Wire(name, bindings[name] as TripwireBinding, { cache, onTrip }));
  }

  start(): void {
    for (const wire of this.#wires) wire.start();
  }

  stop(): void {
    for (const wire of this.#wires) wire.stop();
  }

  /** A target runs another content from now on. */
  reset(target: string): void {
    for (const wire of this.#wires) wire.reset(target);
  }
}

class Wire {
  readonly #name: string;
  readonly #binding: TripwireBinding;
  readonly #cache: ScrapeCache;
  readonly #onTrip: (trip: Trip) => void;
  #timer: NodeJS.Timeout | null = null;
  #block: ProbeBlock | null = null;
  #failures = 0;
  /** Rises with every reset: an answer that was asked before one does not count. */
  #epoch = 0;

  constructor(
    name: string,
    binding: TripwireBinding,
    parts: { readonly cache: ScrapeCache; readonly onTrip: (trip: Trip) => void },
  ) {
    this.#name = name;
    this.#binding = binding;
    this.#cache = parts.cache;
    this.#onTrip = parts.onTrip;
  }

  start(): void {
    const { watch, intervalMs } = this.#binding;
    if (watch.type === "max") this.#block = createProbe(watch.probe, this.#cache).begin();
    this.#timer = setInterval(() => void this.#look(), intervalMs);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#block?.cancel();
    this.#block = null;
  }

  reset(target: string): void {
    if (this.#binding.target !== "" && this.#binding.target !== target) return;
    this.#failures = 0;
    this.#epoch += 1;
  }

  async #look(): Promise<void> {
    const epoch = this.#epoch;
    const problem = await this.#problem();
    if (epoch !== this.#epoch || this.#timer === null) return;
    this.#failures = problem === "" ? 0 : this.#failures + 1;
    if (this.#failures < this.#binding.failures) return;
    this.#failures = 0;
    const message = `${problem} (${this.#binding.failures} in a row)`;
    this.#onTrip({ name: this.#name, target: this.#binding.target, message });
  }

  async #problem(): Promise<string> {
    const { watch } = this.#binding;
    if (watch.type === "http") {
      const answer = await httpCall({ url: watch.url, timeoutMs: watch.timeoutMs });
      if (answer.status >= 200 && answer.status < 400) return "";
      return answer.status === 0
        ? `${watch.url}: ${answer.error}`
        : `${watch.url}: status ${answer.status}`;
    }
    const block = this.#block;
    this.#block = createProbe(watch.probe, this.#cache).begin();
    const value = block === null ? null : await block.end();
    // No traffic is no failure: whether the target lives is another tripwire's question.
    if (value === null || value <= watch.maximum) return "";
    return `value ${value} is above ${watch.maximum}`;
  }
}
