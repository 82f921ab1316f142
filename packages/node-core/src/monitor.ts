// Watches what runs while nothing is tried: one block after another per Config, so that a drift alarm
// has a past to compare with. It never decides anything.

import type { Actuator } from "./actuator.ts";
import type { Context } from "./context.ts";
import {
  BLOCK_OVERRUN_MS,
  BLOCK_OVERRUN_SHARE,
  DRIFT_BLOCKS_MIN,
  DRIFT_DEVIATION_MIN,
} from "./limits.ts";
import { DRIFT_HISTORY_BLOCKS, SAMPLES_TIMEOUT_MS } from "./limits.ts";
import { boundObjectives, orientedLog, signalsOf } from "./signals.ts";
import type { DriftLevel, SlotState } from "./state.ts";
import type { SampleValues } from "./types.ts";

interface Watch {
  phase: "idle" | "block" | "samples";
  block: number;
  hash: string;
  sinceMs: number;
  overrun: boolean;
}

interface History {
  /** Content that the values belong to. */
  hash: string;
  /** Oriented logs by objective, oldest first. */
  values: Map<string, number[]>;
}

/** A block of the content that runs, by objective; null = empty. */
export interface Observation {
  readonly configUid: string;
  readonly hash: string;
  readonly values: Readonly<Record<string, number | null>>;
}

/** Blocks and history per Config. */
export class Monitor {
  readonly #context: Context;
  readonly #actuator: Actuator;
  readonly #watches = new Map<string, Watch>();
  readonly #histories = new Map<string, History>();

  constructor(context: Context, actuator: Actuator) {
    this.#context = context;
    this.#actuator = actuator;
  }

  /** Goes on watching a slot, or stops while something else measures or applies there. */
  step(slot: SlotState, allowed: boolean): void {
    const hash = this.#actuator.current(slot.target);
    const objectives = boundObjectives(slot.assignment, this.#context);
    const quiet = hash !== "" && this.#actuator.isRunning(slot.target, hash);
    if (!allowed || !quiet || objectives.length === 0 || slot.assignment === null) {
      this.stop(slot);
      return;
    }
    const { blockSeconds, washoutSeconds } = slot.assignment.guard;
    const watch = this.#watch(slot.config.uid);
    const { nowMs } = this.#context;
    if (watch.phase !== "idle" && watch.hash !== hash) this.stop(slot);
    if (watch.phase === "idle") {
      if (!this.#reached(this.#actuator.appliedAtMs(slot.target) + washoutSeconds * 1000)) return;
      this.#begin(slot, watch, hash);
    }
    if (watch.phase === "block") {
      const endMs = watch.sinceMs + blockSeconds * 1000;
      if (!this.#reached(endMs)) return;
      watch.overrun = nowMs > endMs + blockSeconds * 1000 * BLOCK_OVERRUN_SHARE + BLOCK_OVERRUN_MS;
      watch.phase = "samples";
      watch.sinceMs = nowMs;
      this.#context.emit({ type: "endBlock", block: watch.block });
    } else if (this.#reached(watch.sinceMs + SAMPLES_TIMEOUT_MS)) watch.phase = "idle";
  }

  /** Cancels the block at hand. */
  stop(slot: SlotState): void {
    const watch = this.#watches.get(slot.config.uid);
    if (watch === undefined || watch.phase === "idle") return;
    this.#context.emit({ type: "cancelBlock", block: watch.block });
    watch.phase = "idle";
  }

  /** Takes a block's samples when they are the monitor's; what was observed, or null. */
  onSamples(block: number, samples: SampleValues): Observation | null {
    for (const slot of this.#context.slots()) {
      const watch = this.#watches.get(slot.config.uid);
      if (watch?.block !== block || watch.phase !== "samples") continue;
      watch.phase = "idle";
      if (watch.overrun) return null;
      return this.record(slot, watch.hash, samples);
    }
    return null;
  }

  /** Adds a block of a content to the history, whoever measured it. */
  record(slot: SlotState, hash: string, samples: SampleValues): Observation {
    const values: Record<string, number | null> = {};
    const history = this.#history(slot.config.uid, hash);
    for (const objective of boundObjectives(slot.assignment, this.#context)) {
      const value = orientedLog(samples, objective);
      values[objective.name] = value;
      if (value === null) continue;
      const list = history.values.get(objective.name) ?? [];
      list.push(value);
      if (list.length > DRIFT_HISTORY_BLOCKS) list.shift();
      history.values.set(objective.name, list);
    }
    return { configUid: slot.config.uid, hash, values };
  }

  /** Level and spread of every objective under this content, where there is enough history. */
  levels(slot: SlotState, hash: string): Readonly<Record<string, DriftLevel>> {
    const history = this.#histories.get(slot.config.uid);
    const levels: Record<string, DriftLevel> = {};
    if (history === undefined || history.hash !== hash) return levels;
    for (const name of [...history.values.keys()].sort()) {
      const list = history.values.get(name) ?? [];
      if (list.length >= DRIFT_BLOCKS_MIN) levels[name] = levelOf(list);
    }
    return levels;
  }

  #begin(slot: SlotState, watch: Watch, hash: string): void {
    watch.phase = "block";
    watch.block = this.#context.nextToken();
    watch.hash = hash;
    watch.sinceMs = this.#context.nowMs;
    const signals = signalsOf(boundObjectives(slot.assignment, this.#context));
    this.#context.emit({ type: "startBlock", block: watch.block, target: slot.target, signals });
  }

  #history(uid: string, hash: string): History {
    const known = this.#histories.get(uid);
    if (known?.hash === hash) return known;
    const fresh: History = { hash, values: new Map() };
    this.#histories.set(uid, fresh);
    return fresh;
  }

  #watch(uid: string): Watch {
    const known = this.#watches.get(uid);
    if (known !== undefined) return known;
    const watch: Watch = { phase: "idle", block: 0, hash: "", sinceMs: 0, overrun: false };
    this.#watches.set(uid, watch);
    return watch;
  }

  #reached(ms: number): boolean {
    if (this.#context.nowMs >= ms) return true;
    this.#context.wakeAt(ms);
    return false;
  }
}

/** Level and spread of oriented logs; at least two. */
export function levelOf(list: readonly number[]): DriftLevel {
  let total = 0;
  for (const value of list) total += value;
  const mean = total / list.length;
  let squares = 0;
  for (const value of list) squares += (value - mean) * (value - mean);
  const deviation = Math.sqrt(squares / (list.length - 1));
  return { mean, standardDeviation: Math.max(deviation, DRIFT_DEVIATION_MIN) };
}
