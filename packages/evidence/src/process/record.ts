// One e-process as a record: the few sums that its e-value is a function of, and the pair at which it
// crossed its threshold. Records are immutable, survive JSON unchanged, and are what votes and vetoes
// carry; a record that crossed never moves again, so its e-value is the one at its stopping time.

import { EvidenceInputError, requireNumber } from "../errors.ts";
import { PROCESS_EVENTS_MAX, PROCESS_PAIRS_MAX } from "../limits.ts";
import { ln } from "../math/ln.ts";
import { lnCombined, lnEventCount } from "./statistics.ts";

/** What a process gathers evidence for. */
export type ProcessKind = "harm" | "nonInferior" | "improvement" | "count";

/** The state of one e-process; `events`, `candidateEvents`, `exposureShare` exist on "count" only. */
export interface ProcessRecord {
  /** What it gathers evidence for. */
  readonly kind: ProcessKind;
  /** n: pairs that counted. */
  readonly pairs: number;
  /** k: pairs with d > 0; 0 for "count". */
  readonly positives: number;
  /** S: sum of d; 0 for "count". */
  readonly sum: number;
  /** V: sum of d squared; 0 for "count". */
  readonly sumSquares: number;
  /** ln E at pair n; 0 before the first pair. */
  readonly lnE: number;
  /** The n at which the threshold was reached; 0 = still running. */
  readonly stoppedAtPair: number;
  /** "count" only: events in all blocks. */
  readonly events?: number;
  /** "count" only: events in candidate blocks. */
  readonly candidateEvents?: number;
  /** "count" only: the candidate's share of the exposure, fixed before the first pair. */
  readonly exposureShare?: number;
}

/** Equal blocks: half of the exposure is the candidate's. */
const EQUAL_EXPOSURE = 0.5;

/** A process before its first pair. A count process gets equal exposure; see `emptyCount`. */
export function emptyProcess(kind: ProcessKind): ProcessRecord {
  if (kind === "count") return emptyCount(EQUAL_EXPOSURE);
  return { kind, pairs: 0, positives: 0, sum: 0, sumSquares: 0, lnE: 0, stoppedAtPair: 0 };
}

/** A count process before its first pair, with the candidate's share of the exposure (0..1, exclusive). */
export function emptyCount(exposureShare: number): ProcessRecord {
  requireNumber("exposureShare", exposureShare, { above: 0, below: 1 });
  return {
    kind: "count",
    pairs: 0,
    positives: 0,
    sum: 0,
    sumSquares: 0,
    lnE: 0,
    stoppedAtPair: 0,
    events: 0,
    candidateEvents: 0,
    exposureShare,
  };
}

/** What a paired process needs besides its record. */
export interface AdvanceOptions {
  /** Variance scale, fixed before the first pair. */
  readonly rho: number;
  /** E-value (not its logarithm) at which the process stops: 1/alpha; Infinity never stops it. */
  readonly threshold: number;
}

/** The record after one more clipped difference `d`. A stopped record is returned as it is. */
export function advanceProcess(
  record: ProcessRecord,
  d: number,
  options: AdvanceOptions,
): ProcessRecord {
  if (record.kind === "count") {
    throw new EvidenceInputError("record.kind", "a paired process; use advanceCount", record.kind);
  }
  requireNumber("d", d, {});
  const lnThreshold = lnOfThreshold(options.threshold);
  if (record.stoppedAtPair !== 0) return record;
  const pairs = record.pairs + 1;
  requireNumber("record.pairs", pairs, { max: PROCESS_PAIRS_MAX });
  const sums = {
    pairs,
    positives: record.positives + (d > 0 ? 1 : 0),
    sum: record.sum + d,
    sumSquares: record.sumSquares + d * d,
  };
  const lnE = lnCombined({ ...sums, rho: options.rho });
  return { kind: record.kind, ...sums, lnE, stoppedAtPair: lnE >= lnThreshold ? pairs : 0 };
}

/** The events of one pair of blocks. */
export interface CountStep {
  /** Events in both blocks. */
  readonly events: number;
  /** Events in the candidate's block; 0..events. */
  readonly candidateEvents: number;
}

/** What a count process needs besides its record. */
export interface CountOptions {
  /** Tolerated relative increase of the event rate. */
  readonly margin: number;
  /** E-value (not its logarithm) at which the process stops; Infinity never stops it. */
  readonly threshold: number;
}

/** The count record after the events of one more pair of blocks. A stopped record is returned as it is. */
export function advanceCount(
  record: ProcessRecord,
  step: CountStep,
  options: CountOptions,
): ProcessRecord {
  const { exposureShare } = record;
  if (record.kind !== "count" || exposureShare === undefined) {
    throw new EvidenceInputError("record.kind", `"count"`, record.kind);
  }
  requireNumber("events", step.events, { integer: true, min: 0 });
  requireNumber("candidateEvents", step.candidateEvents, {
    integer: true,
    min: 0,
    max: step.events,
  });
  const lnThreshold = lnOfThreshold(options.threshold);
  if (record.stoppedAtPair !== 0) return record;
  const pairs = record.pairs + 1;
  const events = (record.events ?? 0) + step.events;
  const candidateEvents = (record.candidateEvents ?? 0) + step.candidateEvents;
  requireNumber("record.pairs", pairs, { max: PROCESS_PAIRS_MAX });
  requireNumber("record.events", events, { max: PROCESS_EVENTS_MAX });
  const lnE = lnEventCount({ candidateEvents, events, exposureShare, margin: options.margin });
  const stoppedAtPair = lnE >= lnThreshold ? pairs : 0;
  return { ...record, pairs, events, candidateEvents, lnE, stoppedAtPair };
}

/** ln of a stopping threshold; the one place that decides how a threshold is compared. */
export function lnOfThreshold(threshold: number): number {
  if (!(threshold > 1)) throw new EvidenceInputError("threshold", "a number > 1", threshold);
  return ln(threshold);
}
