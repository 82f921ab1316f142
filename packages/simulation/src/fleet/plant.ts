// The thing that is configured, as the truth knows it: a service whose latency and goodput follow its
// configuration, its class, noise that is partly correlated over time, and a slow drift.

import type { JsonObject, Prng } from "@kingly/base";
import { exp } from "@kingly/evidence";
import type { Content, SampleValues } from "@kingly/node-core";
import type { FleetScenario } from "./scenario.ts";

/** Correlation of the wandering noise between neighbouring blocks. */
const CORRELATION = 0.7;
const HOUR_MS = 3_600_000;
const LATENCY_MS = 20;
const GOODPUT_PER_S = 400;

/** One node's service. */
export class ServicePlant {
  readonly #scenario: FleetScenario;
  readonly #prng: Prng;
  /** Relative change of latency under the candidate. */
  readonly #effect: () => number;
  #wandering = 0;
  /** What it runs now. */
  content: Content;

  constructor(
    scenario: FleetScenario,
    prng: Prng,
    start: { readonly content: Content; readonly effect: () => number },
  ) {
    this.#scenario = scenario;
    this.#prng = prng;
    this.#effect = start.effect;
    this.content = start.content;
  }

  /** Values of a block that ends at `nowMs`. */
  measure(signals: readonly string[], nowMs: number): SampleValues {
    const { noise, wander, driftPerHour } = this.#scenario;
    const rest = Math.sqrt(1 - CORRELATION * CORRELATION);
    this.#wandering = CORRELATION * this.#wandering + rest * this.#normal();
    const slower = isCandidate(this.content.data) ? 1 + this.#effect() : 1;
    const common = wander * this.#wandering + (driftPerHour * nowMs) / HOUR_MS;
    const values: Record<string, number> = {};
    for (const signal of signals) {
      const level = exp(common + noise * this.#normal()) * slower;
      values[signal] = signal === "goodput" ? GOODPUT_PER_S / level : LATENCY_MS * level;
    }
    return values;
  }

  /** Sum of uniforms (Irwin-Hall): close to normal, and exact on every machine. */
  #normal(): number {
    let sum = -6;
    for (let i = 0; i < 12; i += 1) sum += this.#prng.unit();
    return sum;
  }
}

/** The configuration that the fleet begins with. */
export const BASE_DATA: JsonObject = { batch: 8, mode: "fast", threads: 4 };
/** The change that is proposed. */
export const CANDIDATE_PATCH: JsonObject = { batch: 16 };

/** Does this configuration contain the proposed change? */
export function isCandidate(data: JsonObject): boolean {
  return data["batch"] === CANDIDATE_PATCH["batch"];
}
