// Operations on JSON values: equality, RFC 7386 merge patch, which top-level keys differ. None
// reads an inherited property, so a key such as `constructor` is data like any other.

import { sortedKeys } from "./bytes.ts";
import { KinglyError } from "./errors.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import { VALUE_DEPTH_MAX } from "./limits.ts";

/** True for JSON objects: not null, not an array. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** True when both are the same JSON value; key order carries no meaning, 0 equals -0. */
export function equalJson(a: JsonValue, b: JsonValue): boolean {
  return equalAt(a, b, 0);
}

/**
 * Applies an RFC 7386 merge patch: objects merge, null removes, anything else replaces. Neither
 * argument is changed; the result may share unchanged parts with both. Throws ForbiddenKey for
 * `__proto__` in the patch.
 */
export function mergePatch(target: JsonValue | undefined, patch: JsonValue): JsonValue {
  return mergeAt(target, patch, 0);
}

/**
 * Gives the target the members of the source that it lacks, except `__proto__`. Faster than spreading
 * both into a new object where they share keys: V8 redefines a member that a spread brought slowly.
 */
export function addMissing(target: Record<string, JsonValue>, source: JsonObject): void {
  for (const key of Object.keys(source)) {
    if (!Object.hasOwn(target, key) && key !== "__proto__") target[key] = source[key] as JsonValue;
  }
}

/** The top-level keys whose values differ, or that only one of the two has; sorted. */
export function changedTopLevelKeys(a: JsonObject, b: JsonObject): string[] {
  const changed: string[] = [];
  for (const key of sortedKeys({ ...a, ...b })) {
    const inBoth = Object.hasOwn(a, key) && Object.hasOwn(b, key);
    if (!inBoth || !equalJson(a[key] as JsonValue, b[key] as JsonValue)) changed.push(key);
  }
  return changed;
}

function equalAt(a: JsonValue, b: JsonValue, depth: number): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  checkDepth(depth);
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    for (let at = 0; at < a.length; at += 1) {
      if (!equalAt(a[at] as JsonValue, b[at] as JsonValue, depth + 1)) return false;
    }
    return true;
  }
  const left = a as JsonObject;
  const right = b as JsonObject;
  const keys = Object.keys(left);
  if (keys.length !== Object.keys(right).length) return false;
  for (const key of keys) {
    if (!Object.hasOwn(right, key)) return false;
    if (!equalAt(left[key] as JsonValue, right[key] as JsonValue, depth + 1)) return false;
  }
  return true;
}

function mergeAt(target: JsonValue | undefined, patch: JsonValue, depth: number): JsonValue {
  if (!isJsonObject(patch)) return patch;
  checkDepth(depth);
  const merged: Record<string, JsonValue> = isJsonObject(target) ? { ...target } : {};
  for (const key of Object.keys(patch)) {
    // Assigning to `__proto__` would change the object's prototype instead of a member.
    if (key === "__proto__") {
      throw new KinglyError("ForbiddenKey", "a patch may not use the key __proto__", {
        field: key,
      });
    }
    const value = patch[key] as JsonValue;
    if (value === null) delete merged[key];
    else {
      const before = Object.hasOwn(merged, key) ? merged[key] : undefined;
      merged[key] = mergeAt(before, value, depth + 1);
    }
  }
  return merged;
}

function checkDepth(depth: number): void {
  if (depth < VALUE_DEPTH_MAX) return;
  throw new KinglyError("DocumentTooLarge", `value is nested deeper than ${VALUE_DEPTH_MAX}`, {
    limit: VALUE_DEPTH_MAX,
    value: depth + 1,
  });
}
