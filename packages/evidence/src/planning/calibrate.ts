// Before a trial: how noisy is this node with the same configuration in both arms (A/A), and how many
// pairs would a decision take? Calibration fixes rho; prediction only plans, and promises nothing.

import { requireNumber } from "../errors.ts";
import { CALIBRATION_PAIRS_MAX, CLIP_MAX, TRIAL_PAIRS_MAX } from "../limits.ts";
import { exp } from "../math/exp.ts";
import { lnNormalCdf } from "../math/normal.ts";
import { lnOfThreshold } from "../process/record.ts";
import { lnCombined, rhoFor } from "../process/statistics.ts";

/** What A/A pairs say about a node's noise. */
export interface Calibration {
  /** Pairs used. */
  readonly pairs: number;
  /** Mean log ratio; near 0 when the design is unbiased. */
  readonly mean: number;
  /** Standard deviation of the log ratios (n - 1 in the denominator). */
  readonly standardDeviation: number;
  /** Lag-one autocorrelation, -1..1; 0 when the ratios are constant. */
  readonly autocorrelation: number;
}

/** Summarises A/A log ratios (as of `pairDifference`), in the order measured; at least two. */
export function calibrate(logRatios: readonly number[]): Calibration {
  const pairs = logRatios.length;
  requireNumber("logRatios.length", pairs, { min: 2, max: CALIBRATION_PAIRS_MAX });
  let total = 0;
  for (const [i, ratio] of logRatios.entries()) {
    requireNumber(`logRatios[${i}]`, ratio, { min: -1_000, max: 1_000 });
    total += ratio;
  }
  const mean = total / pairs;
  let squares = 0;
  let products = 0;
  let previous: number | undefined;
  for (const ratio of logRatios) {
    const deviation = ratio - mean;
    squares += deviation * deviation;
    if (previous !== undefined) products += previous * deviation;
    previous = deviation;
  }
  return {
    pairs,
    mean,
    standardDeviation: Math.sqrt(squares / (pairs - 1)),
    autocorrelation: squares > 0 ? products / squares : 0,
  };
}

/** What a prediction assumes. */
export interface PredictionInput {
  /** Distance of the true log effect from the tested margin, > 0 when the test is right to decide. */
  readonly effect: number;
  /** Standard deviation of the pair log ratios. */
  readonly standardDeviation: number;
  /** E-value to reach: 1/alpha or 1/beta. */
  readonly threshold: number;
  /** Pairs available. */
  readonly maxPairs: number;
  /** Variance scale; default `rhoFor` of the standard deviation. */
  readonly rho?: number;
}

/** A rough plan, never a guarantee. */
export interface Prediction {
  /** False: cannot be decided within `maxPairs` at this noise. */
  readonly decidable: boolean;
  /** Pairs along the expected path, close to the median; 0 when not decidable. */
  readonly pairs: number;
}

/** The first pair at which the evidence crosses if every pair contributes its expectation. */
export function predictPairs(input: PredictionInput): Prediction {
  const { effect, standardDeviation, threshold, maxPairs } = input;
  requireNumber("effect", effect, { min: -CLIP_MAX, max: CLIP_MAX });
  requireNumber("standardDeviation", standardDeviation, { min: 0, max: 1_000 });
  requireNumber("maxPairs", maxPairs, { integer: true, min: 1, max: TRIAL_PAIRS_MAX });
  const lnThreshold = lnOfThreshold(threshold);
  const rho = input.rho ?? rhoFor({ standardDeviation });
  const square = effect * effect + standardDeviation * standardDeviation;
  const positiveShare = standardDeviation > 0 ? exp(lnNormalCdf(effect / standardDeviation)) : 1;
  for (let pairs = 1; effect > 0 && pairs <= maxPairs; pairs += 1) {
    const positives = Math.floor(pairs * positiveShare + 0.5);
    const sums = { pairs, positives, sum: pairs * effect, sumSquares: pairs * square };
    if (lnCombined({ ...sums, rho }) >= lnThreshold) return { decidable: true, pairs };
  }
  return { decidable: false, pairs: 0 };
}
