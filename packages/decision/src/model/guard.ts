// The guard of a version on a node: the plan by which a node may veto a committed version, the same
// on the node and on every replica. Harm is tested against the objectives' own margin, the one that the
// trial accepted against, with the small local error probability.

import { STANDARD_DEVIATION_DEFAULT, rhoFor } from "@kingly/evidence";
import type { TrialPlan } from "@kingly/evidence";
import type { GuardPlan, Node, ObjectiveDocument, PolicySpec } from "@kingly/resources";
import { FLOOR_MIN } from "./electorate.ts";
import type { RolloutRow } from "./rows.ts";

/** The guard's settings as an assignment carries them. */
export function guardOf(row: RolloutRow, washoutSeconds: number): GuardPlan {
  const { policy } = row;
  return {
    alphaLocal: row.alphaLocal,
    clip: policy.trial.clip,
    blockSeconds: policy.trial.blockSeconds,
    washoutSeconds,
    baseWashoutSeconds: policy.trial.washoutSeconds,
    maxPairs: policy.trial.maxPairs,
    soakSeconds: policy.rollout.soakSeconds,
    confirmDeadlineSeconds: policy.rollout.confirmDeadlineSeconds,
    probationSeconds: policy.rollout.probationSeconds,
    vetoExpirySeconds: policy.vetoExpirySeconds,
  };
}

/** The plan a guard runs on this node; nodes may use their own variance scale. */
export function guardPlanFor(
  node: Node,
  objectives: readonly ObjectiveDocument[],
  rules: { readonly alphaLocal: number; readonly policy: PolicySpec },
): TrialPlan {
  const known = node.status?.calibration ?? {};
  return {
    objectives: objectives.map((objective) => {
      const own = Object.hasOwn(known, objective.signal) ? known[objective.signal] : undefined;
      return {
        name: objective.name,
        role: objective.role,
        direction: objective.direction,
        floor: Math.max(objective.floor, FLOOR_MIN),
        weight: objective.weight,
        marginRatio: objective.marginRatio,
        harmMarginRatio: objective.marginRatio,
        rho: rhoFor({ standardDeviation: own?.standardDeviation ?? STANDARD_DEVIATION_DEFAULT }),
      };
    }),
    alpha: rules.alphaLocal,
    beta: rules.policy.beta,
    clip: rules.policy.trial.clip,
    maxPairs: rules.policy.trial.maxPairs,
    requireImprovement: false,
  };
}

/**
 * Why a veto's plan is not one that a guard of this version may have used, or undefined. The plan may
 * cover some of the objectives only (one process per objective) and brings its own rho and weights. The
 * margin of an objective is the smaller of the fleet's and the owner's: a node may be stricter, and a
 * looser plan is not this guard's.
 */
export function planProblem(
  given: TrialPlan,
  expected: TrialPlan,
):
  | { readonly field: string; readonly limit: number | string; readonly value: number | string }
  | undefined {
  if (given.alpha > expected.alpha) {
    return { field: "plan.alpha", limit: expected.alpha, value: given.alpha };
  }
  if (given.clip !== expected.clip) {
    return { field: "plan.clip", limit: expected.clip, value: given.clip };
  }
  for (const [i, objective] of given.objectives.entries()) {
    const field = `plan.objectives[${i}]`;
    const own = expected.objectives.find((candidate) => candidate.name === objective.name);
    if (own === undefined) {
      const limit = expected.objectives.map((candidate) => candidate.name).join(", ");
      return { field: `${field}.name`, limit, value: objective.name };
    }
    if (objective.direction !== own.direction) {
      return { field: `${field}.direction`, limit: own.direction, value: objective.direction };
    }
    const { harmMarginRatio } = objective;
    if (!(harmMarginRatio >= 0) || harmMarginRatio > own.harmMarginRatio) {
      const limit = `0 to ${own.harmMarginRatio}`;
      return { field: `${field}.harmMarginRatio`, limit, value: harmMarginRatio };
    }
  }
  return undefined;
}
