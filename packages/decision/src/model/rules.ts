// What a Config's keys allow, as far as apply itself checks it: type, range and secrecy of each
// changed key from ConfigSchema.keys. The full JSON Schema runs once, in admission on the leader. Also
// the quarantine: which changes lost before, and when a new one contains them.

import { equalJson, isJsonObject, shortValue } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import type { ConfigSchemaSpec, KeyDelta, KeyRule } from "@kingly/resources";
import { QUARANTINE_MAX } from "../limits.ts";
import { refuse } from "../core/refuse.ts";
import type { LostDelta } from "./rows.ts";

/** Why a value does not fit its rule, or undefined. */
function problemOf(rule: KeyRule, value: JsonValue): string | undefined {
  if (rule.secret) {
    const reference = isJsonObject(value) && typeof value["secretRef"] === "string";
    return reference ? undefined : "must be a reference {secretRef}, never the secret itself";
  }
  if (!hasType(rule, value)) return `must be of type ${rule.type}`;
  if (typeof value !== "number") return undefined;
  if (rule.minimum !== undefined && value < rule.minimum) return `must be >= ${rule.minimum}`;
  if (rule.maximum !== undefined && value > rule.maximum) return `must be <= ${rule.maximum}`;
  return undefined;
}

function hasType(rule: KeyRule, value: JsonValue): boolean {
  switch (rule.type) {
    case "integer":
      return typeof value === "number" && Number.isSafeInteger(value);
    case "number":
    case "string":
    case "boolean":
      return typeof value === rule.type;
    case "array":
      return Array.isArray(value);
    case "object":
      return isJsonObject(value);
  }
}

/** Why the content breaks a key's rule, or undefined; the first key in sorted order. */
export function brokenRule(
  schema: ConfigSchemaSpec,
  data: JsonObject,
  keys: readonly string[],
): { readonly field: string; readonly problem: string; readonly value: string } | undefined {
  for (const key of keys) {
    const rule = Object.hasOwn(schema.keys, key) ? schema.keys[key] : undefined;
    if (rule === undefined || !Object.hasOwn(data, key)) continue;
    const value = data[key] as JsonValue;
    const problem = problemOf(rule, value);
    // A secret's value is never repeated in an error.
    const shown = rule.secret ? "hidden" : shortValue(value);
    if (problem !== undefined) return { field: `data.${key}`, problem, value: shown };
  }
  return undefined;
}

/** Refuses content that breaks a key's rule. */
export function requireRules(
  schema: ConfigSchemaSpec,
  data: JsonObject,
  keys: readonly string[],
): void {
  const broken = brokenRule(schema, data, keys);
  if (broken === undefined) return;
  const { field, problem, value } = broken;
  refuse("SchemaViolation", `${field} ${problem}, is ${value}`, {
    field,
    value,
    limit: problem,
    rule: "ConfigSchema.spec.keys",
  });
}

/** True when a number differs from a lost one by at most a schema step, or the values are equal. */
function isNear(rule: KeyRule | undefined, lost: JsonValue, value: JsonValue): boolean {
  if (equalJson(lost, value)) return true;
  if (typeof lost !== "number" || typeof value !== "number") return false;
  const step = rule?.step ?? 0;
  // Room for the rounding of decimal steps only.
  return Math.abs(lost - value) <= step * (1 + 1e-9);
}

/** The first lost delta that is contained in a change for these classes, or undefined. */
export function quarantined(
  lost: readonly LostDelta[],
  change: readonly KeyDelta[],
  context: {
    readonly keys: Readonly<Record<string, KeyRule>>;
    readonly classes: readonly string[];
    readonly nowMs: number;
  },
): LostDelta | undefined {
  return lost.find(
    (entry) =>
      entry.untilMs > context.nowMs &&
      entry.classes.some((name) => context.classes.includes(name)) &&
      entry.deltas.every(({ key, value }) => {
        const rule = Object.hasOwn(context.keys, key) ? context.keys[key] : undefined;
        return change.some((delta) => delta.key === key && isNear(rule, value, delta.value));
      }),
  );
}

/** The quarantine with one more lost delta; expired ones leave, then the oldest. */
export function withLost(
  lost: readonly LostDelta[],
  entry: LostDelta,
  nowMs: number,
): readonly LostDelta[] {
  const kept = lost.filter((other) => other.untilMs > nowMs);
  return [...kept, entry].slice(-QUARANTINE_MAX);
}
