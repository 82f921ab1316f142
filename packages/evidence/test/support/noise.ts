// Log block means of one node over a trial, up = worse, and the pairs a switchback makes of them. The
// candidate adds a constant log effect to whichever block its coin gives it.

import type { Random } from "./random.ts";

export type NoiseModel = "normal" | "heavy tails" | "spikes" | "autocorrelated" | "drift";

export const NOISE_MODELS: readonly NoiseModel[] = [
  "normal",
  "heavy tails",
  "spikes",
  "autocorrelated",
  "drift",
];

const SIGMA = 0.1;

/** 2 * pairs log block means under a noise model with about 10 % per block. */
export function blocks(model: NoiseModel, pairs: number, random: Random): number[] {
  const phi = model === "autocorrelated" || model === "drift" ? 0.7 : 0;
  let state = random.normal() * SIGMA;
  return Array.from({ length: 2 * pairs }, (_, i) => {
    if (model === "heavy tails") return random.studentT3() * SIGMA;
    if (model === "spikes") return random.normal() * SIGMA + (random.unit() < 0.05 ? 1.5 : 0);
    const value = state + (model === "drift" ? (0.6 * i) / (2 * pairs) : 0);
    state = phi * state + random.normal() * SIGMA * Math.sqrt(1 - phi * phi);
    return value;
  });
}

/** The candidate's and the baseline's log block mean of pair `i`. */
export function pairAt(
  y: readonly number[],
  i: number,
  candidateFirst: boolean,
): { candidate: number; baseline: number } {
  const first = y[2 * i] ?? Number.NaN;
  const second = y[2 * i + 1] ?? Number.NaN;
  return candidateFirst
    ? { candidate: first, baseline: second }
    : { candidate: second, baseline: first };
}
