// The e-values themselves, as logarithms of closed forms of a few sums: an average of the self-normalised
// symmetric e-process (de la Pena 1999; Howard et al. 2020, "symmetric" row, mixed over a half-normal) and
// the sign e-process (uniform mixture of coins with bias above one half), plus the event-count process.
// A replica recomputes them from the sums of a record and must get the same bits.

import { EvidenceInputError, requireNumber } from "../errors.ts";
import {
  PROCESS_EVENTS_MAX,
  PROCESS_PAIRS_MAX,
  MARGIN_MAX,
  RHO_ALPHA_DEFAULT,
  RHO_MAX,
  RHO_MIN,
  RHO_PAIRS_DEFAULT,
  STANDARD_DEVIATION_MIN,
} from "../limits.ts";
import { logAddExp } from "../math/exp.ts";
import { LN2, ln } from "../math/ln.ts";
import { lnNormalCdf } from "../math/normal.ts";

/** The sums that the self-normalised e-process needs. */
export interface SnseInput {
  /** S, the sum of the clipped differences d. */
  readonly sum: number;
  /** V, the sum of their squares; >= 0. */
  readonly sumSquares: number;
  /** The variance scale fixed before the trial; > 0, in units of V. */
  readonly rho: number;
}

/** The counts that the sign e-process needs. */
export interface SignInput {
  /** k, the number of differences above 0; 0..pairs. */
  readonly positives: number;
  /** n, the number of differences. */
  readonly pairs: number;
}

/** Everything one paired record is recomputed from. */
export type CombinedInput = SnseInput & SignInput;

/** ln E1 = 1/2 ln(4 rho / (V + rho)) + S^2 / (2 (V + rho)) + ln Phi(S / sqrt(V + rho)). */
export function lnSnse(input: SnseInput): number {
  const { sum, sumSquares, rho } = input;
  requireNumber("sum", sum, {});
  requireNumber("sumSquares", sumSquares, { min: 0 });
  requireNumber("rho", rho, { min: RHO_MIN, max: RHO_MAX });
  const scale = sumSquares + rho;
  const mixture = 0.5 * ln((4 * rho) / scale);
  return mixture + (sum * sum) / (2 * scale) + lnNormalCdf(sum / Math.sqrt(scale));
}

/** ln E2 = ln of 2^(n+1) times the integral of p^k (1-p)^(n-k) over 1/2..1. */
export function lnSign(input: SignInput): number {
  const { positives, pairs } = input;
  requireNumber("pairs", pairs, { integer: true, min: 0, max: PROCESS_PAIRS_MAX });
  requireNumber("positives", positives, { integer: true, min: 0, max: pairs });
  return lnCoinMixture(positives, pairs, 1);
}

/** ln E = ln((E1 + E2) / 2), the evidence of one process; exactly 0 before the first pair. */
export function lnCombined(input: CombinedInput): number {
  if (input.pairs === 0) return 0;
  // "+ 0" turns -0 into 0, which JSON and protobuf would not carry.
  return logAddExp(lnSnse(input), lnSign(input)) - LN2 + 0;
}

/**
 * ln of the integral of p^k (1-p)^(n-k) over p0..1, divided by (1-p0) p0^k (1-p0)^(n-k), where
 * `odds` = (1-p0)/p0. Expanding the incomplete beta function as a binomial tail gives
 * sum over i <= k of C(n+1, i) odds^(k-i) / ((n+1) C(n, k)): positive terms only, nothing cancels.
 */
function lnCoinMixture(positives: number, trials: number, odds: number): number {
  const rescaleAbove = 1e250;
  let term = 1 / (trials + 1 - positives);
  let sum = term;
  let rescales = 0;
  for (let i = positives; i >= 1; i -= 1) {
    const ratio = (i * odds) / (trials + 2 - i);
    term *= ratio;
    sum += term;
    if (sum > rescaleAbove) {
      term /= rescaleAbove;
      sum /= rescaleAbove;
      rescales += 1;
    }
    // Ratios fall with i: once a small term shrinks, the rest adds less than its double.
    if (ratio < 0.5 && term < sum * 1e-17) break;
    if (term < sum * 1e-25 && ratio < 1) break;
  }
  const value = ln(sum);
  return rescales === 0 ? value : value + rescales * ln(rescaleAbove);
}

/** What an event-count process has seen and what it tests. */
export interface EventCountInput {
  /** Events during candidate blocks; 0..events. */
  readonly candidateEvents: number;
  /** Events in all blocks. */
  readonly events: number;
  /** The candidate's share of the exposure (time or requests); strictly between 0 and 1. */
  readonly exposureShare: number;
  /** Tolerated relative increase of the event rate; 0.1 tolerates 10 % more. */
  readonly margin: number;
}

/** ln E that the candidate's event rate exceeds the baseline's by more than the margin. */
export function lnEventCount(input: EventCountInput): number {
  const { candidateEvents, events, exposureShare, margin } = input;
  requireNumber("events", events, { integer: true, min: 0, max: PROCESS_EVENTS_MAX });
  requireNumber("candidateEvents", candidateEvents, { integer: true, min: 0, max: events });
  requireNumber("exposureShare", exposureShare, { above: 0, below: 1 });
  requireNumber("margin", margin, { min: 0, max: MARGIN_MAX });
  if (events === 0) return 0;
  const odds = (1 - exposureShare) / (exposureShare * (1 + margin));
  return lnCoinMixture(candidateEvents, events, odds) + 0;
}

/** What rho is tuned for. */
export interface RhoInput {
  /** Standard deviation of the pair log ratios in A/A calibration; below 0.001 it counts as 0.001. */
  readonly standardDeviation: number;
  /** Pairs at which the evidence shall be strongest; default 30. */
  readonly pairs?: number;
  /** Error probability it is tuned for, below 1/2; default 0.05. A tuning constant only. */
  readonly alpha?: number;
}

/**
 * The variance scale of `lnSnse`: V / (L + ln(1 + L)) with V = pairs * sd^2 and L = 2 ln(1 / (2 alpha)).
 * Valid for any value as long as it is fixed before the first pair.
 */
export function rhoFor(input: RhoInput): number {
  const { standardDeviation, pairs = RHO_PAIRS_DEFAULT, alpha = RHO_ALPHA_DEFAULT } = input;
  requireNumber("standardDeviation", standardDeviation, { min: 0, max: 1_000 });
  requireNumber("pairs", pairs, { min: 1, max: PROCESS_PAIRS_MAX });
  requireNumber("alpha", alpha, { above: 0, below: 0.5 });
  const deviation = Math.max(standardDeviation, STANDARD_DEVIATION_MIN);
  const level = 2 * ln(1 / (2 * alpha));
  const rho = (pairs * deviation * deviation) / (level + ln(1 + level));
  if (!(rho >= RHO_MIN && rho <= RHO_MAX)) {
    throw new EvidenceInputError("rho", `a number >= ${RHO_MIN} and <= ${RHO_MAX}`, rho);
  }
  return rho;
}
