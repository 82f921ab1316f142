// A trial on one node as a sequence of immutable states. Each pair of blocks advances the harm,
// non-inferiority and improvement processes of every objective whose two blocks both held data; an
// empty block drops the pair for that objective, and drops are counted. The first pair at which a
// decision follows from the records ends the trial: later pairs change nothing.

import { EvidenceInputError } from "../errors.ts";
import { REASON_LENGTH_MAX } from "../limits.ts";
import { advanceProcess, emptyProcess, type ProcessRecord } from "../process/record.ts";
import {
  harmValue,
  improvementValue,
  nonInferiorValue,
  pairDifference,
} from "../process/values.ts";
import {
  decisionOf,
  TRIAL_PROCESSES,
  type ObjectiveEvidence,
  type TrialEvidence,
} from "./evidence.ts";
import { requirePlan, type ObjectivePlan, type TrialPlan } from "./plan.ts";

/** Everything a node must keep to resume a trial; survives JSON unchanged. */
export interface TrialState {
  /** Pairs run so far, including dropped ones. */
  readonly pairs: number;
  /** Pairs in which at least one objective had an empty block. */
  readonly droppedPairs: number;
  /** In the order of the plan. */
  readonly objectives: readonly ObjectiveEvidence[];
}

/** The two block means of one objective in one pair; null is an empty block (no data). */
export interface ObjectiveValues {
  /** Name of the objective in the plan. */
  readonly objective: string;
  /** Mean of the candidate's block, in the signal's unit. */
  readonly candidate: number | null;
  /** Mean of the baseline's block, in the signal's unit. */
  readonly baseline: number | null;
}

/** The state before the first pair. Throws `EvidenceInputError` when the plan is out of range. */
export function startTrial(plan: TrialPlan): TrialState {
  requirePlan(plan);
  const objectives = plan.objectives.map((objective) => ({
    objective: objective.name,
    records: TRIAL_PROCESSES.map((kind) => emptyProcess(kind)),
    droppedPairs: 0,
  }));
  return { pairs: 0, droppedPairs: 0, objectives };
}

/**
 * The state after one more pair. An objective without values in `values` counts as an empty block. A
 * trial that is decided or has used up its pairs is returned as it is.
 */
export function advanceTrial(
  state: TrialState,
  plan: TrialPlan,
  values: readonly ObjectiveValues[],
): TrialState {
  requireFit(state, plan, values);
  if (state.pairs >= plan.maxPairs || trialDecision(state, plan) !== undefined) return state;
  let dropped = 0;
  const objectives = plan.objectives.map((objective, i) => {
    const previous = evidenceAt(state, i);
    const pair = values.find((candidate) => candidate.objective === objective.name);
    if (pair === undefined || pair.candidate === null || pair.baseline === null) {
      dropped = 1;
      return { ...previous, droppedPairs: previous.droppedPairs + 1 };
    }
    const { candidate, baseline } = pair;
    const { direction, floor } = objective;
    const r = pairDifference({ candidate, baseline, direction, floor });
    return { ...previous, records: advanceRecords(previous.records, r, { objective, plan }) };
  });
  const next = { pairs: state.pairs + 1, droppedPairs: state.droppedPairs + dropped, objectives };
  return trialDecision(next, plan) === "reject" ? withHarmStopped(next) : next;
}

/** "accept" or "reject" once it follows from the records, undefined while the trial is open. */
export function trialDecision(state: TrialState, plan: TrialPlan): "accept" | "reject" | undefined {
  return decisionOf(state.objectives, plan);
}

/** The evidence of a trial that ends now; without a decision that is Abstain. */
export function finishTrial(state: TrialState, plan: TrialPlan, reason: string): TrialEvidence {
  requireFit(state, plan, []);
  if (reason.length > REASON_LENGTH_MAX) {
    throw new EvidenceInputError("reason", `at most ${REASON_LENGTH_MAX} characters`, reason);
  }
  return {
    pairs: state.pairs,
    droppedPairs: state.droppedPairs,
    objectives: state.objectives,
    decision: trialDecision(state, plan) ?? "abstain",
    reason,
  };
}

/**
 * Harm processes stop together, when their average crosses: an objective that crossed alone must go on,
 * or a harm in one of several guardrails could never pull the average over the line.
 */
function advanceRecords(
  records: readonly ProcessRecord[],
  r: number,
  context: { readonly objective: ObjectivePlan; readonly plan: TrialPlan },
): readonly ProcessRecord[] {
  const { objective, plan } = context;
  const { clip } = plan;
  const { rho } = objective;
  const threshold = 1 / plan.beta;
  return records.map((record) => {
    if (record.kind === "harm") {
      const d = harmValue(r, { margin: objective.harmMarginRatio, clip });
      return advanceProcess(record, d, { rho, threshold: Number.POSITIVE_INFINITY });
    }
    const d =
      record.kind === "nonInferior"
        ? nonInferiorValue(r, { margin: objective.marginRatio, clip })
        : improvementValue(r, { clip });
    return advanceProcess(record, d, { rho, threshold });
  });
}

/** Marks every harm record as stopped at its current pair. */
function withHarmStopped(state: TrialState): TrialState {
  const objectives = state.objectives.map((evidence) => ({
    ...evidence,
    records: evidence.records.map((record) =>
      record.kind === "harm" ? { ...record, stoppedAtPair: record.pairs } : record,
    ),
  }));
  return { ...state, objectives };
}

function evidenceAt(state: TrialState, index: number): ObjectiveEvidence {
  const evidence = state.objectives[index];
  if (evidence === undefined) {
    throw new EvidenceInputError("state.objectives.length", `> ${index}`, state.objectives.length);
  }
  return evidence;
}

/** A state belongs to its plan, and values belong to objectives of the plan, each at most once. */
function requireFit(state: TrialState, plan: TrialPlan, values: readonly ObjectiveValues[]): void {
  const planned = plan.objectives.map((objective) => objective.name);
  const kept = state.objectives.map((evidence) => evidence.objective);
  if (planned.length !== kept.length || planned.some((name, i) => name !== kept[i])) {
    throw new EvidenceInputError("state.objectives", `[${planned.join(", ")}]`, kept.join(", "));
  }
  const seen = new Set<string>();
  for (const [i, value] of values.entries()) {
    if (!planned.includes(value.objective) || seen.has(value.objective)) {
      const limit = `one of [${planned.join(", ")}], each once`;
      throw new EvidenceInputError(`values[${i}].objective`, limit, value.objective);
    }
    seen.add(value.objective);
  }
}
