// The plan of a trial: what is measured, against which margins, with which error probabilities. It is
// fixed by the TrialStart entry before the first pair, the same on the node that measures and on every
// replica that checks, and is therefore an argument everywhere, never part of the evidence.

import { EvidenceInputError, requireNumber, type Bounds } from "../errors.ts";
import {
  CLIP_MAX,
  ERROR_PROBABILITY_MAX,
  ERROR_PROBABILITY_MIN,
  MARGIN_MAX,
  OBJECTIVES_MAX,
  OBJECTIVE_NAME_LENGTH_MAX,
  RHO_MAX,
  RHO_MIN,
  TRIAL_PAIRS_MAX,
} from "../limits.ts";
import type { Direction } from "../process/values.ts";

/** Primary: what a change may want to improve. Guardrail: what it must not harm. */
export type ObjectiveRole = "primary" | "guardrail";

/** How one objective is tested. */
export interface ObjectivePlan {
  /** Unique within the plan. */
  readonly name: string;
  /** Improvement, where required, is required of every primary (a Config has exactly one). */
  readonly role: ObjectiveRole;
  /** Which way the signal is better. */
  readonly direction: Direction;
  /** Smallest value told apart from zero, in the signal's unit; > 0. */
  readonly floor: number;
  /** Share in the average of the harm e-values; > 0, need not sum to 1. */
  readonly weight: number;
  /** Relative loss that Accept must exclude (non-inferiority); 0.05 is 5 %. */
  readonly marginRatio: number;
  /** Relative loss that Reject must prove to be exceeded; 0.02 is 2 %. */
  readonly harmMarginRatio: number;
  /** Variance scale from this node's calibration; see `rhoFor`. */
  readonly rho: number;
}

/** How a trial is decided. */
export interface TrialPlan {
  /** 1 to 16 objectives; their order is the order of the evidence. */
  readonly objectives: readonly ObjectivePlan[];
  /** Bound on the probability of rejecting a harmless candidate. */
  readonly alpha: number;
  /**
   * Bound on the probability of accepting a candidate at or beyond a margin. 0 never accepts: what the
   * guard of a committed version uses, whose harm process must be able to go on for its whole life.
   */
  readonly beta: number;
  /** Largest absolute log difference one pair contributes; usually 0.5. */
  readonly clip: number;
  /** Pairs after which an undecided trial ends as Abstain. */
  readonly maxPairs: number;
  /** Whether Accept also needs proof that the primaries improved. */
  readonly requireImprovement: boolean;
}

const PROBABILITY: Bounds = { min: ERROR_PROBABILITY_MIN, max: ERROR_PROBABILITY_MAX };
const MARGIN: Bounds = { min: 0, max: MARGIN_MAX };

/** Throws `EvidenceInputError` with the path of the first field that is out of range. */
export function requirePlan(plan: TrialPlan): void {
  const { objectives } = plan;
  requireNumber("plan.alpha", plan.alpha, PROBABILITY);
  if (plan.beta !== 0) requireNumber("plan.beta", plan.beta, PROBABILITY);
  requireNumber("plan.clip", plan.clip, { above: 0, max: CLIP_MAX });
  requireNumber("plan.maxPairs", plan.maxPairs, { integer: true, min: 1, max: TRIAL_PAIRS_MAX });
  requireNumber("plan.objectives.length", objectives.length, { min: 1, max: OBJECTIVES_MAX });
  const names = new Set<string>();
  for (const [i, objective] of objectives.entries()) {
    requireObjective(`plan.objectives[${i}]`, objective);
    if (names.has(objective.name)) {
      throw new EvidenceInputError(`plan.objectives[${i}].name`, "unique", objective.name);
    }
    names.add(objective.name);
  }
  if (plan.requireImprovement && !objectives.some((o) => o.role === "primary")) {
    throw new EvidenceInputError("plan.requireImprovement", "false without a primary", true);
  }
}

function requireObjective(path: string, objective: ObjectivePlan): void {
  const { name, role, direction } = objective;
  if (name.length < 1 || name.length > OBJECTIVE_NAME_LENGTH_MAX) {
    const limit = `1 to ${OBJECTIVE_NAME_LENGTH_MAX} characters`;
    throw new EvidenceInputError(`${path}.name`, limit, name);
  }
  if (role !== "primary" && role !== "guardrail") {
    throw new EvidenceInputError(`${path}.role`, `"primary" or "guardrail"`, role);
  }
  if (direction !== "lower" && direction !== "higher") {
    throw new EvidenceInputError(`${path}.direction`, `"lower" or "higher"`, direction);
  }
  requireNumber(`${path}.floor`, objective.floor, { above: 0 });
  requireNumber(`${path}.weight`, objective.weight, { above: 0, max: 1e6 });
  requireNumber(`${path}.marginRatio`, objective.marginRatio, MARGIN);
  requireNumber(`${path}.harmMarginRatio`, objective.harmMarginRatio, MARGIN);
  requireNumber(`${path}.rho`, objective.rho, { min: RHO_MIN, max: RHO_MAX });
}
