// From signals to objectives: which objectives of an assignment this node can measure, what their
// samples are, and how a block's value looks to the drift alarm (log scale, up is worse).

import { ln, rhoFor, STANDARD_DEVIATION_DEFAULT } from "@kingly/evidence";
import type { ObjectivePlan, ObjectiveValues } from "@kingly/evidence";
import type { Assignment, GuardPlan, ObjectiveDocument } from "@kingly/resources";
import type { Context } from "./context.ts";
import { FLOOR_MIN } from "./limits.ts";
import type { PairResult } from "./switchback.ts";
import type { SampleValues } from "./types.ts";

/** The objectives whose signal is bound on this node. */
export function boundObjectives(
  assignment: Assignment | null,
  context: Context,
): readonly ObjectiveDocument[] {
  if (assignment === null) return [];
  const { signals } = context.options;
  return assignment.objectives.filter((objective) => signals.includes(objective.signal));
}

/** Distinct signals of objectives, sorted. */
export function signalsOf(objectives: readonly { readonly signal: string }[]): readonly string[] {
  return [...new Set(objectives.map((objective) => objective.signal))].sort();
}

/** The value of a signal in a block: finite and not negative, else empty. */
export function sampleOf(values: SampleValues, signal: string): number | null {
  const value = Object.hasOwn(values, signal) ? values[signal] : null;
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : null;
}

/** A finished pair as the values of named objectives. */
export function pairValues(
  result: PairResult,
  signals: readonly { readonly name: string; readonly signal: string }[],
): readonly ObjectiveValues[] {
  return signals.map(({ name, signal }) => ({
    objective: name,
    candidate: sampleOf(result.candidate, signal),
    baseline: sampleOf(result.baseline, signal),
  }));
}

/** A block's value for the drift alarm, or null for an empty block. */
export function orientedLog(values: SampleValues, objective: ObjectiveDocument): number | null {
  const value = sampleOf(values, objective.signal);
  if (value === null) return null;
  const logged = ln(Math.max(value, floorOf(objective.floor)));
  return objective.direction === "lower" ? logged : 0 - logged;
}

/** The floor as plans want it: above zero. */
export function floorOf(floor: number): number {
  return Math.max(floor, FLOOR_MIN);
}

/** rho of a signal from this node's A/A noise, or from the default before any calibration. */
export function rhoOf(signal: string, context: Context): number {
  const noise = context.state.noise[signal];
  const standardDeviation = noise?.standardDeviation ?? STANDARD_DEVIATION_DEFAULT;
  return rhoFor({ standardDeviation });
}

/** An objective as a guard or the tuner plans it; the stricter of policy's and owner's margin. */
export function planObjective(
  objective: ObjectiveDocument,
  context: Context,
  harmMarginRatio?: number,
): ObjectivePlan {
  const owner = context.options.ownerMargins[objective.signal];
  const marginRatio =
    owner === undefined ? objective.marginRatio : Math.min(owner, objective.marginRatio);
  return {
    name: objective.name,
    role: objective.role,
    direction: objective.direction,
    floor: floorOf(objective.floor),
    weight: objective.weight,
    marginRatio,
    harmMarginRatio: harmMarginRatio ?? marginRatio,
    rho: rhoOf(objective.signal, context),
  };
}

/** Wash-out of a measurement that does not switch the version's keys, in milliseconds. */
export function baseWashoutMs(guard: GuardPlan): number {
  return (guard.baseWashoutSeconds ?? guard.washoutSeconds) * 1000;
}
