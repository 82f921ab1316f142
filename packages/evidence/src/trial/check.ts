// What every replica runs on the evidence of a vote or a veto before it counts: every e-value is
// recomputed from its sums and must agree to the bit, the sums must be reachable by n clipped
// differences, the pair counts must add up, and the decision must be the one that follows. Arithmetic
// lies end here; false measurements do not, and are bounded by weights, redraws and later guards.

import { boundsInWords, EvidenceInputError, isWithin, type Bounds } from "../errors.ts";
import { FEASIBILITY_SLACK, PROCESS_EVENTS_MAX } from "../limits.ts";
import { lnOfThreshold, type ProcessRecord } from "../process/record.ts";
import { lnCombined, lnEventCount } from "../process/statistics.ts";
import {
  decisionOf,
  lnHarmOf,
  supportsAccept,
  TRIAL_PROCESSES,
  type ObjectiveEvidence,
  type TrialDecision,
  type TrialEvidence,
} from "./evidence.ts";
import { requirePlan, type ObjectivePlan, type TrialPlan } from "./plan.ts";
import { readEvidence } from "./read.ts";

/** Why a record or evidence was refused. */
export interface EvidenceProblem {
  readonly ok: false;
  /** Path of the field that does not hold. */
  readonly field: string;
  /** What is wrong with it, with the expected value or bound. */
  readonly problem: string;
}

/** The result of checking a trial's evidence. */
export type EvidenceCheck =
  | {
      readonly ok: true;
      /** ln of the weighted average of the harm e-values. */
      readonly lnHarm: number;
      /** The decision that follows from the records. */
      readonly decision: TrialDecision;
    }
  | EvidenceProblem;

/** The result of checking one record. */
export type RecordCheck = { readonly ok: true } | EvidenceProblem;

/** The setting in which one paired record must make sense. */
export interface RecordLimits {
  /** Variance scale of the plan. */
  readonly rho: number;
  /** Clip of the plan. */
  readonly clip: number;
  /** Most pairs the record may count. */
  readonly maxPairs: number;
  /** E-value at which the process stops by itself; Infinity when it does not. */
  readonly threshold: number;
}

/** The setting in which one count record must make sense. */
export interface CountLimits {
  /** Tolerated relative increase of the event rate. */
  readonly margin: number;
  /** Exposure share of the plan. */
  readonly exposureShare: number;
  /** Most pairs the record may count. */
  readonly maxPairs: number;
  /** E-value at which the process stops. */
  readonly threshold: number;
}

const OK: RecordCheck = { ok: true };

function refuse(field: string, problem: string): EvidenceProblem {
  return { ok: false, field, problem };
}

function refuseNumber(field: string, value: unknown, bounds: Bounds): EvidenceProblem | undefined {
  if (isWithin(value, bounds)) return undefined;
  return refuse(field, `must be ${boundsInWords(bounds)}, is ${String(value)}`);
}

/** Recomputes one paired record and checks that n clipped differences can have led to its sums. */
export function checkProcess(record: ProcessRecord, limits: RecordLimits): RecordCheck {
  const problem = refuseSums(record, limits) ?? refuseCountFields(record);
  if (problem !== undefined) return problem;
  const lnE = lnCombined({ ...record, rho: limits.rho });
  if (record.lnE !== lnE) return refuse("lnE", `is ${record.lnE}, the sums give ${lnE}`);
  return checkStop(record, limits.threshold);
}

/** Recomputes one count record. */
export function checkCount(record: ProcessRecord, limits: CountLimits): RecordCheck {
  if (record.kind !== "count") return refuse("kind", `must be "count", is ${record.kind}`);
  const { events = Number.NaN, candidateEvents = Number.NaN, exposureShare } = record;
  const problem =
    refuseNumber("pairs", record.pairs, { integer: true, min: 0, max: limits.maxPairs }) ??
    refuseNumber("positives", record.positives, { min: 0, max: 0 }) ??
    refuseNumber("sum", record.sum, { min: 0, max: 0 }) ??
    refuseNumber("sumSquares", record.sumSquares, { min: 0, max: 0 }) ??
    refuseNumber("events", events, {
      integer: true,
      min: 0,
      max: record.pairs === 0 ? 0 : PROCESS_EVENTS_MAX,
    }) ??
    refuseNumber("candidateEvents", candidateEvents, { integer: true, min: 0, max: events });
  if (problem !== undefined) return problem;
  if (exposureShare !== limits.exposureShare) {
    return refuse("exposureShare", `must be ${limits.exposureShare}, is ${String(exposureShare)}`);
  }
  const { margin } = limits;
  const lnE = lnEventCount({ candidateEvents, events, exposureShare, margin });
  if (record.lnE !== lnE) return refuse("lnE", `is ${record.lnE}, the counts give ${lnE}`);
  return checkStop(record, limits.threshold);
}

/** Ranges, |S| <= sqrt(n V), V <= c^2 n and -c (n - k) <= S <= c k, with room for rounding only. */
function refuseSums(record: ProcessRecord, limits: RecordLimits): EvidenceProblem | undefined {
  const { pairs, positives, sum, sumSquares } = record;
  const { clip } = limits;
  const counts =
    refuseNumber("pairs", pairs, { integer: true, min: 0, max: limits.maxPairs }) ??
    refuseNumber("positives", positives, { integer: true, min: 0, max: pairs });
  if (counts !== undefined) return counts;
  const room = 1 + FEASIBILITY_SLACK;
  const largest = Math.sqrt(pairs * sumSquares) * room;
  return (
    refuseNumber("sumSquares", sumSquares, { min: 0, max: clip * clip * pairs * room }) ??
    refuseNumber("sum", sum, { min: -largest, max: largest }) ??
    refuseNumber("sum", sum, {
      min: -clip * (pairs - positives) * room,
      max: clip * positives * room,
    })
  );
}

function refuseCountFields(record: ProcessRecord): EvidenceProblem | undefined {
  const { events, candidateEvents, exposureShare } = record;
  if (record.kind === "count") return refuse("kind", "must be a paired process, is count");
  if (events === undefined && candidateEvents === undefined && exposureShare === undefined) {
    return undefined;
  }
  return refuse("events", "must be absent on a paired process");
}

/** A record says where it stopped exactly when it crossed, and it never moved after that. */
function checkStop(record: ProcessRecord, threshold: number): RecordCheck {
  const expected = record.lnE >= lnOfThreshold(threshold) ? record.pairs : 0;
  if (record.stoppedAtPair === expected) return OK;
  return refuse("stoppedAtPair", `must be ${expected}, is ${String(record.stoppedAtPair)}`);
}

/**
 * Checks a trial's evidence, which may be parsed JSON of any shape, against its plan. Throws
 * `EvidenceInputError` only for a bad plan (see `readPlan` for one that came from outside); whatever is wrong with the evidence, which is somebody else's, comes back as a problem.
 */
export function checkEvidence(evidence: TrialEvidence, plan: TrialPlan): EvidenceCheck {
  requirePlan(plan);
  try {
    return checkRead(readEvidence(evidence), plan);
  } catch (error) {
    if (!(error instanceof EvidenceInputError)) throw error;
    return refuse(error.field, `must be ${error.limit}, is ${String(error.value)}`);
  }
}

function checkRead(evidence: TrialEvidence, plan: TrialPlan): EvidenceCheck {
  const shape = refuseShape(evidence, plan);
  if (shape !== undefined) return shape;
  const decision = decisionOf(evidence.objectives, plan) ?? "abstain";
  for (const [i, objective] of plan.objectives.entries()) {
    const found = evidence.objectives[i];
    const path = `objectives[${i}]`;
    if (found === undefined) return refuse(path, "is missing");
    const problem = refuseObjective(found, { objective, plan, evidence, decision });
    if (problem !== undefined) return { ...problem, field: `${path}.${problem.field}` };
  }
  if (evidence.decision !== decision) {
    return refuse("decision", `is ${evidence.decision}, the records say ${decision}`);
  }
  if (decision === "accept" && !acceptIsFresh(evidence, plan)) {
    return refuse("pairs", "must be the pair at which Accept was reached, no process says so");
  }
  return { ok: true, lnHarm: lnHarmOf(evidence.objectives, plan), decision };
}

/** Counts, names and lengths, before anything is computed from the records. */
function refuseShape(evidence: TrialEvidence, plan: TrialPlan): EvidenceProblem | undefined {
  const { objectives, pairs, droppedPairs } = evidence;
  const counts = refuseNumber("pairs", pairs, { integer: true, min: 0, max: plan.maxPairs });
  if (counts !== undefined) return counts;
  if (objectives.length !== plan.objectives.length) {
    return refuse("objectives", `must be ${plan.objectives.length}, are ${objectives.length}`);
  }
  let least = 0;
  let most = 0;
  for (const [i, objective] of plan.objectives.entries()) {
    const found = objectives[i];
    if (found?.objective !== objective.name) {
      return refuse(`objectives[${i}].objective`, `must be ${objective.name}`);
    }
    const dropped = refuseNumber(`objectives[${i}].droppedPairs`, found.droppedPairs, {
      integer: true,
      min: 0,
      max: pairs,
    });
    if (dropped !== undefined) return dropped;
    least = Math.max(least, found.droppedPairs);
    most += found.droppedPairs;
    const kinds = found.records.map((record) => record.kind).join(", ");
    if (kinds !== TRIAL_PROCESSES.join(", ")) {
      return refuse(`objectives[${i}].records`, `must be ${TRIAL_PROCESSES.join(", ")}`);
    }
  }
  const bounds = { integer: true, min: least, max: Math.min(most, pairs) };
  return refuseNumber("droppedPairs", droppedPairs, bounds);
}

interface ObjectiveContext {
  readonly objective: ObjectivePlan;
  readonly plan: TrialPlan;
  readonly evidence: TrialEvidence;
  readonly decision: TrialDecision;
}

/** Every record of one objective: recomputed, feasible, and as long as the trial unless it stopped. */
function refuseObjective(
  found: ObjectiveEvidence,
  context: ObjectiveContext,
): EvidenceProblem | undefined {
  const { objective, plan, evidence, decision } = context;
  const observed = evidence.pairs - found.droppedPairs;
  for (const [i, record] of found.records.entries()) {
    const path = `records[${i}]`;
    const isHarm = record.kind === "harm";
    // Harm records stop together with a Reject; alone they have no threshold.
    const threshold = isHarm ? Number.POSITIVE_INFINITY : 1 / plan.beta;
    const limits = { rho: objective.rho, clip: plan.clip, maxPairs: observed, threshold };
    const stoppedAtPair = isHarm ? 0 : record.stoppedAtPair;
    const checked = checkProcess({ ...record, stoppedAtPair }, limits);
    if (!checked.ok) return { ...checked, field: `${path}.${checked.field}` };
    if ((isHarm || record.stoppedAtPair === 0) && record.pairs !== observed) {
      return refuse(`${path}.pairs`, `must be ${observed}, is ${record.pairs}`);
    }
    const expected = isHarm && decision === "reject" ? record.pairs : 0;
    if (isHarm && record.stoppedAtPair !== expected) {
      const problem = `must be ${expected}, is ${String(record.stoppedAtPair)}`;
      return refuse(`${path}.stoppedAtPair`, problem);
    }
  }
  return undefined;
}

/** The first to cross decides: at Accept, some needed process crossed in the very last pair. */
function acceptIsFresh(evidence: TrialEvidence, plan: TrialPlan): boolean {
  return plan.objectives.some((objective, i) => {
    const found = evidence.objectives[i];
    if (found === undefined) return false;
    const needsImprovement = plan.requireImprovement && objective.role === "primary";
    const last = evidence.pairs - found.droppedPairs;
    return (
      supportsAccept(found, plan, needsImprovement) &&
      found.records.some(
        (record) =>
          record.stoppedAtPair === last &&
          (record.kind === "nonInferior" || (needsImprovement && record.kind === "improvement")),
      )
    );
  });
}
