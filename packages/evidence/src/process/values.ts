// From two block means to one difference. r = s ln(candidate / baseline) is positive when the candidate is
// worse, whatever the signal's direction; the three processes test r against different margins, each
// clipped around its own, so none can be derived from another.

import { EvidenceInputError, requireNumber } from "../errors.ts";
import { CLIP_MAX, MARGIN_MAX } from "../limits.ts";
import { ln } from "../math/ln.ts";

/** Which way a signal is better: "lower" for latency, "higher" for goodput. */
export type Direction = "lower" | "higher";

/** Two adjacent blocks of one signal. */
export interface PairInput {
  /** Mean of the candidate's block, in the signal's unit; >= 0. */
  readonly candidate: number;
  /** Mean of the baseline's block, in the signal's unit; >= 0. */
  readonly baseline: number;
  /** Which way the signal is better. */
  readonly direction: Direction;
  /** Smallest value that is told apart from zero, in the signal's unit; > 0. */
  readonly floor: number;
}

/**
 * r, the oriented log ratio of a pair: > 0 when the candidate is worse, ln(1.05) for 5 % worse latency.
 * Exactly antisymmetric in candidate and baseline, and exactly 0 when they are equal.
 */
export function pairDifference(input: PairInput): number {
  const { candidate, baseline, direction, floor } = input;
  requireNumber("candidate", candidate, { min: 0 });
  requireNumber("baseline", baseline, { min: 0 });
  requireNumber("floor", floor, { above: 0 });
  const ratio = ln(Math.max(candidate, floor)) - ln(Math.max(baseline, floor));
  if (direction === "lower") return ratio;
  if (direction === "higher") return 0 - ratio;
  throw new EvidenceInputError("direction", `"lower" or "higher"`, direction);
}

/** How a log ratio becomes a test's difference. */
export interface MarginOptions {
  /** Relative margin delta; 0.02 is 2 %. */
  readonly margin: number;
  /** Largest absolute difference one pair may contribute; > 0, usually 0.5. */
  readonly clip: number;
}

/** d of the harm process: clip(r - ln(1 + margin)); positive when worse than the margin. */
export function harmValue(r: number, options: MarginOptions): number {
  return clipped(r - lnMargin(options.margin), options.clip);
}

/** d of the non-inferiority process: clip(ln(1 + margin) - r); positive when better than the margin. */
export function nonInferiorValue(r: number, options: MarginOptions): number {
  return clipped(lnMargin(options.margin) - r, options.clip);
}

/** d of the improvement process: clip(-r); positive when better than the baseline. */
export function improvementValue(r: number, options: { readonly clip: number }): number {
  return clipped(0 - r, options.clip);
}

function lnMargin(margin: number): number {
  requireNumber("margin", margin, { min: 0, max: MARGIN_MAX });
  return ln(1 + margin);
}

function clipped(value: number, clip: number): number {
  requireNumber("r", value, {});
  requireNumber("clip", clip, { above: 0, max: CLIP_MAX });
  return Math.max(-clip, Math.min(clip, value));
}
