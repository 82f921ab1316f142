// How noisy is this node with one content in both arms? A few A/A pairs with the wash-out of a real
// trial, before the first trial and once a week when idle; the standard deviation per signal goes to
// the servers as a signed document and fixes rho of later trials.

import { calibrate, pairDifference } from "@kingly/evidence";
import type { Actuator } from "./actuator.ts";
import type { Arbiter } from "./arbiter.ts";
import type { Context } from "./context.ts";
import { asJson, nextKey, queueDocument } from "./documents.ts";
import { CALIBRATION_AGE_MAX_MS, CALIBRATION_PAIRS, CALIBRATION_PAIRS_MIN } from "./limits.ts";
import { CALIBRATION_RETRY_DOUBLINGS_MAX, CALIBRATION_RETRY_MS, SIGNALS_MAX } from "./limits.ts";
import type { Monitor } from "./monitor.ts";
import type { Outbox } from "./outbox.ts";
import { baseWashoutMs, boundObjectives, floorOf, sampleOf, signalsOf } from "./signals.ts";
import { lastKnownGood, type SlotState } from "./state.ts";
import { pairMs, Switchback, type PairResult } from "./switchback.ts";
import type { SampleValues } from "./types.ts";

interface Run {
  readonly slot: SlotState;
  readonly switchback: Switchback;
  readonly ratios: Map<string, number[]>;
  pairs: number;
}

/** Calibrates one slot's signals at a time. */
export class CalibrationRunner {
  readonly #context: Context;
  readonly #actuator: Actuator;
  readonly #arbiter: Arbiter;
  readonly #outbox: Outbox;
  readonly #monitor: Monitor;
  readonly #atRest: (slot: SlotState) => boolean;
  #run: Run | null = null;
  #notBeforeMs = 0;
  #fruitless = 0;

  constructor(parts: {
    readonly context: Context;
    readonly actuator: Actuator;
    readonly arbiter: Arbiter;
    readonly outbox: Outbox;
    readonly monitor: Monitor;
    readonly atRest: (slot: SlotState) => boolean;
  }) {
    this.#context = parts.context;
    this.#actuator = parts.actuator;
    this.#arbiter = parts.arbiter;
    this.#outbox = parts.outbox;
    this.#monitor = parts.monitor;
    this.#atRest = parts.atRest;
  }

  /** True when all signals of the slot's objectives have a calibration. */
  isKnown(slot: SlotState): boolean {
    return this.#missing(slot).length === 0;
  }

  /** True when a trial may go ahead: calibrated, or no time to calibrate before the deadline. */
  mayTry(slot: SlotState, deadlineMs: number): boolean {
    if (this.#run !== null) return false;
    if (this.isKnown(slot) || slot.assignment === null) return true;
    const { guard } = slot.assignment;
    const needMs = CALIBRATION_PAIRS * pairMs(guard.blockSeconds * 1000, baseWashoutMs(guard));
    // Half of what is left must remain for the trial itself.
    return this.#context.nowMs < this.#notBeforeMs || this.#context.nowMs + 2 * needMs > deadlineMs;
  }

  /** True while pairs are run. */
  get active(): boolean {
    return this.#run !== null;
  }

  /** Drops the run at hand; it begins again when the node is at rest. */
  stop(slot?: SlotState): void {
    if (this.#run === null || (slot !== undefined && this.#run.slot !== slot)) return;
    this.#run.switchback.stop();
    this.#run = null;
    this.#arbiter.release("calibration");
  }

  onSamples(block: number, values: SampleValues): void {
    this.#run?.switchback.onSamples(block, values);
  }

  step(): void {
    if (this.#context.stopping) return;
    if (this.#run === null) this.#begin();
    const run = this.#run;
    if (run === null) return;
    for (let result = run.switchback.step(); result !== null; result = run.switchback.step()) {
      this.#add(run, result);
      run.pairs += 1;
      if (run.pairs < CALIBRATION_PAIRS) continue;
      this.#finish(run);
      return;
    }
  }

  #begin(): void {
    const { nowMs } = this.#context;
    if (nowMs < this.#notBeforeMs) {
      this.#context.wakeAt(this.#notBeforeMs);
      return;
    }
    const slot = this.#context
      .slots()
      .find((candidate) => this.#due(candidate) && this.#atRest(candidate));
    if (slot === undefined || slot.assignment === null) return;
    if (!this.#arbiter.claim("calibration", slot.config.uid, () => this.stop())) return;
    const content = lastKnownGood(slot);
    const { guard } = slot.assignment;
    const coins = this.#context.options.prng.fork(`calibration/${nowMs}`);
    const flips: boolean[] = [];
    const switchback = new Switchback(this.#context, this.#actuator, {
      target: slot.target,
      candidate: content,
      baseline: content,
      why: "restore",
      blockMs: guard.blockSeconds * 1000,
      washoutMs: baseWashoutMs(guard),
      signals: signalsOf(boundObjectives(slot.assignment, this.#context)),
      seq: 0,
      candidateFirst: (pair) => (flips[pair] ??= coins.chance(0.5)),
    });
    this.#run = { slot, switchback, ratios: new Map(), pairs: 0 };
    this.#context.log("info", "CalibrationStarted", `A/A pairs for ${slot.config.name}`, {
      config: slot.config.name,
      pairs: CALIBRATION_PAIRS,
    });
  }

  #add(run: Run, result: PairResult): void {
    const { slot } = run;
    const clip = slot.assignment?.guard.clip ?? 0;
    const content = lastKnownGood(slot);
    this.#monitor.record(slot, content.hash, result.baseline);
    this.#monitor.record(slot, content.hash, result.candidate);
    for (const objective of boundObjectives(slot.assignment, this.#context)) {
      const candidate = sampleOf(result.candidate, objective.signal);
      const baseline = sampleOf(result.baseline, objective.signal);
      if (candidate === null || baseline === null) continue;
      const floor = floorOf(objective.floor);
      const { direction } = objective;
      const ratio = pairDifference({ candidate, baseline, direction, floor });
      // Clipped like a trial's values: rho is about their squares, and one stall is not noise.
      const value = Math.max(-clip, Math.min(clip, ratio));
      run.ratios.set(objective.signal, [...(run.ratios.get(objective.signal) ?? []), value]);
    }
  }

  #finish(run: Run): void {
    const { state, nowMs } = this.#context;
    this.stop();
    let known = 0;
    for (const signal of [...run.ratios.keys()].sort()) {
      const ratios = run.ratios.get(signal) ?? [];
      if (ratios.length < CALIBRATION_PAIRS_MIN || known >= SIGNALS_MAX) continue;
      const { standardDeviation, pairs } = calibrate(ratios);
      state.noise[signal] = { standardDeviation, pairs };
      known += 1;
    }
    this.#fruitless = this.isKnown(run.slot) ? 0 : this.#fruitless + 1;
    // A signal without traffic is asked less and less often.
    const doublings = Math.min(this.#fruitless, CALIBRATION_RETRY_DOUBLINGS_MAX);
    if (doublings > 0) this.#notBeforeMs = nowMs + CALIBRATION_RETRY_MS * (1 << doublings);
    this.#context.log("info", "Calibrated", `noise of ${known} signals is known`, {
      config: run.slot.config.name,
      noise: asJson(state.noise),
    });
    if (known === 0) return;
    state.calibratedAtMs = nowMs;
    this.#context.touch();
    const key = nextKey(this.#context, "Calibration");
    queueDocument(
      this.#context,
      this.#outbox,
      { kind: "Calibration", key },
      { signals: state.noise },
    );
  }

  #due(slot: SlotState): boolean {
    if (boundObjectives(slot.assignment, this.#context).length === 0) return false;
    const age = this.#context.nowMs - this.#context.state.calibratedAtMs;
    return !this.isKnown(slot) || age >= CALIBRATION_AGE_MAX_MS;
  }

  #missing(slot: SlotState): readonly string[] {
    const signals = signalsOf(boundObjectives(slot.assignment, this.#context));
    return signals.filter((signal) => this.#context.state.noise[signal] === undefined);
  }
}
