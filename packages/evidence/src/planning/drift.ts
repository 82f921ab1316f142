// The guard's suspicion: a one-sided CUSUM (Page 1954) over standardised log block means. Before/after
// comparison confuses drift with harm, so an alarm may only start a switchback; it never vetoes.

import { requireNumber } from "../errors.ts";

/** What the detector compares with. */
export interface DriftOptions {
  /** Mean log block value under the last known good configuration, oriented so that up is worse. */
  readonly mean: number;
  /** Its standard deviation between blocks; > 0. */
  readonly standardDeviation: number;
  /** Alarm when the sum reaches this many standard deviations; > 0, customary 5. */
  readonly threshold: number;
  /** Half the smallest shift worth noticing, in standard deviations; >= 0, customary 0.5. */
  readonly slack: number;
}

/** The detector's state; survives JSON unchanged. */
export interface DriftState extends DriftOptions {
  /** The one-sided sum; >= 0. */
  readonly sum: number;
  /** Blocks seen. */
  readonly blocks: number;
}

/** A detector that has seen nothing; also how it is reset after an alarm was followed up. */
export function startDrift(options: DriftOptions): DriftState {
  const { mean, standardDeviation, threshold, slack } = options;
  requireNumber("mean", mean, {});
  requireNumber("standardDeviation", standardDeviation, { above: 0 });
  requireNumber("threshold", threshold, { above: 0 });
  requireNumber("slack", slack, { min: 0 });
  return { mean, standardDeviation, threshold, slack, sum: 0, blocks: 0 };
}

/** The state after one more oriented log block mean, and whether suspicion is high enough. */
export function advanceDrift(
  state: DriftState,
  value: number,
): { readonly state: DriftState; readonly alarm: boolean } {
  requireNumber("value", value, {});
  const score = (value - state.mean) / state.standardDeviation - state.slack;
  const sum = Math.max(0, state.sum + score);
  return { state: { ...state, sum, blocks: state.blocks + 1 }, alarm: sum >= state.threshold };
}
