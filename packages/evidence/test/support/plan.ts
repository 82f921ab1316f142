// A plan with two objectives, as policies make them, and pairs to feed a trial with.

import { rhoFor, type ObjectiveValues, type TrialPlan } from "../../src/index.ts";

const rho = rhoFor({ standardDeviation: 0.1414 });

export const LATENCY = {
  name: "latencyP99",
  role: "primary",
  direction: "lower",
  floor: 0.01,
  weight: 2,
  marginRatio: 0.05,
  harmMarginRatio: 0.02,
  rho,
} as const;

export const GOODPUT = {
  name: "goodput",
  role: "guardrail",
  direction: "higher",
  floor: 0.1,
  weight: 1,
  marginRatio: 0.05,
  harmMarginRatio: 0.02,
  rho,
} as const;

export const PLAN: TrialPlan = {
  objectives: [LATENCY, GOODPUT],
  alpha: 0.01,
  beta: 0.05,
  clip: 0.5,
  maxPairs: 120,
  requireImprovement: false,
};

/** Values of both objectives: the candidate's latency and goodput relative to a baseline of 100. */
export function pairOf(latency: number | null, goodput: number | null): ObjectiveValues[] {
  return [
    { objective: "latencyP99", candidate: latency, baseline: 100 },
    { objective: "goodput", candidate: goodput, baseline: 100 },
  ];
}
