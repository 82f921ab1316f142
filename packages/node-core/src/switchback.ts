// Pairs of adjacent blocks, candidate and baseline in the order of a coin, with a wash-out at every
// block edge, also when the arm does not change: only then do the two arms differ in nothing but
// the content. Shared by trials, guards, calibration (both arms equal) and the tuner.

import type { Actuator } from "./actuator.ts";
import type { Context } from "./context.ts";
import { BLOCK_OVERRUN_MS, BLOCK_OVERRUN_SHARE, SAMPLES_TIMEOUT_MS } from "./limits.ts";
import type { ApplyReason, Content, SampleValues } from "./types.ts";

/** What a switchback runs. */
export interface SwitchbackSpec {
  readonly target: string;
  readonly candidate: Content;
  readonly baseline: Content;
  readonly why: ApplyReason;
  readonly blockMs: number;
  readonly washoutMs: number;
  readonly signals: readonly string[];
  /** Must be on disk before the first apply. */
  readonly seq: number;
  /** True: the candidate's block of this pair comes first. */
  readonly candidateFirst: (pair: number) => boolean;
  /** Pairs begin at origin + i * period, so that a group of nodes switches as one; absent = at once. */
  readonly align?: { readonly originMs: number; readonly periodMs: number };
}

/** One finished pair; null values are empty blocks. */
export interface PairResult {
  readonly pair: number;
  readonly candidate: SampleValues;
  readonly baseline: SampleValues;
}

type Phase = "align" | "switch" | "washout" | "block" | "samples";

const EMPTY: SampleValues = {};

/** Least time one pair takes, without applying. */
export function pairMs(blockMs: number, washoutMs: number): number {
  return 2 * (blockMs + washoutMs);
}

/** A running switchback; `step` drives it, `stop` ends it. It never applies a last word itself. */
export class Switchback {
  readonly spec: SwitchbackSpec;
  readonly #context: Context;
  readonly #actuator: Actuator;
  #phase: Phase = "align";
  #pair = 0;
  #half = 0;
  #sinceMs = 0;
  #block = 0;
  #overrun = false;
  #first: SampleValues = EMPTY;
  #samples: SampleValues | null = null;

  constructor(context: Context, actuator: Actuator, spec: SwitchbackSpec) {
    this.#context = context;
    this.#actuator = actuator;
    this.spec = spec;
    this.#align();
  }

  /** The arm of the current block. */
  get arm(): "candidate" | "baseline" {
    const candidateFirst = this.spec.candidateFirst(this.#pair);
    return candidateFirst === (this.#half === 0) ? "candidate" : "baseline";
  }

  /** Takes the samples when they belong to the current block. */
  onSamples(block: number, values: SampleValues): void {
    if (this.#phase === "samples" && block === this.#block) this.#samples = values;
  }

  /** Drops what was measured of the current pair and begins it again. */
  restartPair(): void {
    this.stop();
    this.#half = 0;
    this.#align();
  }

  /** Ends measuring; what runs stays until somebody wants another content. */
  stop(): void {
    if (this.#phase === "block" || this.#phase === "samples") {
      this.#context.emit({ type: "cancelBlock", block: this.#block });
    }
    this.#phase = "switch";
  }

  /** The failure of an arm to apply, or undefined. */
  failure(): string | undefined {
    const { target, candidate, baseline } = this.spec;
    const failed =
      this.#actuator.failure(target, candidate.hash) ??
      this.#actuator.failure(target, baseline.hash);
    return failed?.message;
  }

  /** Goes on as far as time allows; a finished pair or null. */
  step(): PairResult | null {
    for (;;) {
      if (!this.#advance()) return null;
      if (this.#phase !== "samples" || this.#samples === null) continue;
      const values = this.#overrun ? EMPTY : this.#samples;
      this.#samples = null;
      if (this.#half === 0) {
        this.#first = values;
        this.#half = 1;
        this.#enter("switch");
        continue;
      }
      return this.#finishPair(values);
    }
  }

  #finishPair(second: SampleValues): PairResult {
    const candidateFirst = this.spec.candidateFirst(this.#pair);
    const result = {
      pair: this.#pair,
      candidate: candidateFirst ? this.#first : second,
      baseline: candidateFirst ? second : this.#first,
    };
    this.#pair += 1;
    this.#half = 0;
    this.#align();
    return result;
  }

  /** One change of phase; false when there is nothing to do until later. */
  #advance(): boolean {
    const { nowMs } = this.#context;
    switch (this.#phase) {
      case "align":
        if (!this.#reached(this.#sinceMs)) return false;
        this.#enter("switch");
        return true;
      case "switch":
        return this.#switchArm();
      case "washout":
        if (!this.#reached(this.#sinceMs + this.spec.washoutMs)) return false;
        this.#block = this.#context.nextToken();
        this.#enter("block");
        this.#context.emit({
          type: "startBlock",
          block: this.#block,
          target: this.spec.target,
          signals: this.spec.signals,
        });
        return true;
      case "block": {
        const { blockMs } = this.spec;
        if (!this.#reached(this.#sinceMs + blockMs)) return false;
        const roomMs = blockMs * BLOCK_OVERRUN_SHARE + BLOCK_OVERRUN_MS;
        this.#overrun = nowMs > this.#sinceMs + blockMs + roomMs;
        this.#samples = null;
        this.#enter("samples");
        this.#context.emit({ type: "endBlock", block: this.#block });
        return true;
      }
      case "samples":
        if (this.#samples !== null) return true;
        if (!this.#reached(this.#sinceMs + SAMPLES_TIMEOUT_MS)) return false;
        this.#samples = EMPTY;
        return true;
    }
  }

  #switchArm(): boolean {
    const { target, why, seq } = this.spec;
    const content = this.arm === "candidate" ? this.spec.candidate : this.spec.baseline;
    this.#actuator.want(target, content, why, seq);
    if (!this.#actuator.isRunning(target, content.hash)) return false;
    this.#enter("washout");
    return true;
  }

  /** Where the next pair may begin; a group's pairs have common numbers and times. */
  #align(): void {
    const { align } = this.spec;
    this.#phase = "align";
    this.#sinceMs = this.#context.nowMs;
    if (align === undefined) return;
    const passed = Math.max(0, this.#context.nowMs - align.originMs);
    const index = Math.ceil(passed / align.periodMs);
    this.#pair = Math.max(this.#pair, index);
    this.#sinceMs = align.originMs + this.#pair * align.periodMs;
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#sinceMs = this.#context.nowMs;
  }

  #reached(ms: number): boolean {
    if (this.#context.nowMs >= ms) return true;
    this.#context.wakeAt(ms);
    return false;
  }
}
