// What a trial leaves behind: the records of every process, the counts of pairs, and the decision. This
// file also holds the one rule that turns records into a decision; the node that measures and the
// replica that checks both call it, so they cannot disagree.

import { exp, logAddExp } from "../math/exp.ts";
import { ln } from "../math/ln.ts";
import { lnOfThreshold, type ProcessKind, type ProcessRecord } from "../process/record.ts";
import type { TrialPlan } from "./plan.ts";

/** The outcome of a trial on one node. */
export type TrialDecision = "accept" | "reject" | "abstain";

/** The processes of one objective, in the order of `TRIAL_PROCESSES`. */
export interface ObjectiveEvidence {
  /** Name of the objective in the plan. */
  readonly objective: string;
  /** Its harm, nonInferior and improvement records, in this order. */
  readonly records: readonly ProcessRecord[];
  /** Pairs of this objective that did not count because a block was empty. */
  readonly droppedPairs: number;
}

/** The evidence of one trial on one node, as a vote carries it. */
export interface TrialEvidence {
  /** Pairs that were run, including those in which blocks were empty. */
  readonly pairs: number;
  /** Pairs in which at least one objective had an empty block. */
  readonly droppedPairs: number;
  /** In the order of the plan. */
  readonly objectives: readonly ObjectiveEvidence[];
  /** What follows from the records. */
  readonly decision: TrialDecision;
  /** Why the trial ended, for people. */
  readonly reason: string;
}

/** The processes every objective of a trial runs, and their order in `ObjectiveEvidence.records`. */
export const TRIAL_PROCESSES: readonly ["harm", "nonInferior", "improvement"] = [
  "harm",
  "nonInferior",
  "improvement",
];

/** The record of one kind, or undefined when the evidence lacks it. */
export function recordOf(
  evidence: ObjectiveEvidence,
  kind: ProcessKind,
): ProcessRecord | undefined {
  return evidence.records.find((record) => record.kind === kind);
}

/**
 * ln of the weighted average of the objectives' harm e-values: an e-value under any dependence between
 * the objectives. Objectives are taken in plan order; the sum's rounding is part of the definition.
 */
export function lnHarmOf(objectives: readonly ObjectiveEvidence[], plan: TrialPlan): number {
  let total = 0;
  let lnSum = Number.NEGATIVE_INFINITY;
  for (const [i, objective] of plan.objectives.entries()) {
    const evidence = objectives[i];
    const harm = evidence === undefined ? undefined : recordOf(evidence, "harm");
    total += objective.weight;
    lnSum = logAddExp(lnSum, ln(objective.weight) + (harm?.lnE ?? 0));
  }
  return lnSum - ln(total) + 0;
}

/** Whether an objective's records allow Accept. */
export function supportsAccept(
  evidence: ObjectiveEvidence,
  plan: TrialPlan,
  needsImprovement: boolean,
): boolean {
  const lnThreshold = lnOfThreshold(1 / plan.beta);
  const nonInferior = recordOf(evidence, "nonInferior");
  if (nonInferior === undefined || nonInferior.lnE < lnThreshold) return false;
  if (!needsImprovement) return true;
  const improvement = recordOf(evidence, "improvement");
  return improvement !== undefined && improvement.lnE >= lnThreshold;
}

/**
 * The decision that follows from the records, or undefined while there is none. Harm is asked first, so
 * that a tie is a Reject.
 */
export function decisionOf(
  objectives: readonly ObjectiveEvidence[],
  plan: TrialPlan,
): "accept" | "reject" | undefined {
  if (lnHarmOf(objectives, plan) >= lnOfThreshold(1 / plan.alpha)) return "reject";
  for (const [i, objective] of plan.objectives.entries()) {
    const evidence = objectives[i];
    const needsImprovement = plan.requireImprovement && objective.role === "primary";
    if (evidence === undefined || !supportsAccept(evidence, plan, needsImprovement)) {
      return undefined;
    }
  }
  return "accept";
}

/** The relative loss or gain that the harm records suggest, for people: exp(S/n) (1 + margin) - 1. */
export function pointEffect(evidence: ObjectiveEvidence, harmMarginRatio: number): number {
  const harm = recordOf(evidence, "harm");
  if (harm === undefined || harm.pairs === 0) return 0;
  return exp(harm.sum / harm.pairs) * (1 + harmMarginRatio) - 1;
}
