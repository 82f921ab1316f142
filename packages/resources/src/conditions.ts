// Conditions of a status: set one, find one. A condition that says the same again leaves the
// list as it is, so that an unchanged object makes no new revision.

import { assert } from "@kingly/base";
import { CONDITIONS_MAX } from "./limits.ts";
import type { Condition } from "./meta.ts";
import { toRfc3339 } from "./time.ts";

/**
 * The list with the condition set. lastTransitionTime moves only when status changes; the very
 * same list is returned when nothing changes. `timeMs` is the replicated clock.
 */
export function setCondition(
  conditions: readonly Condition[],
  condition: Omit<Condition, "lastTransitionTime">,
  timeMs: number,
): readonly Condition[] {
  const before = findCondition(conditions, condition.type);
  if (before === undefined) {
    assert(
      conditions.length < CONDITIONS_MAX,
      () => `setCondition: more than ${CONDITIONS_MAX} conditions with ${condition.type}`,
    );
    return [...conditions, { ...condition, lastTransitionTime: toRfc3339(timeMs) }];
  }
  if (sameText(before, condition)) return conditions;
  const lastTransitionTime =
    before.status === condition.status ? before.lastTransitionTime : toRfc3339(timeMs);
  return conditions.map((one) =>
    one.type === condition.type ? { ...condition, lastTransitionTime } : one,
  );
}

/** The condition of this type; undefined when it was never set. */
export function findCondition(
  conditions: readonly Condition[] | undefined,
  type: string,
): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/** True when the condition of this type has status True. */
export function isConditionTrue(
  conditions: readonly Condition[] | undefined,
  type: string,
): boolean {
  return findCondition(conditions, type)?.status === "True";
}

function sameText(a: Condition, b: Omit<Condition, "lastTransitionTime">): boolean {
  return (
    a.status === b.status &&
    a.reason === b.reason &&
    a.message === b.message &&
    a.observedGeneration === b.observedGeneration
  );
}
