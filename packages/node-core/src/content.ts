// Checks and merges on contents, before anything is applied: the hash is the data's, every key obeys
// the schema's rule and the owner's limit, and this node's own veto pins ride on top.

import { contentHash, isJsonObject } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import type { Assignment, KeyRule } from "@kingly/resources";
import { lastKnownGood, type SlotState, type VetoRecord } from "./state.ts";
import type { Content, NodeCoreOptions, OwnerKeyLimit } from "./types.ts";

/** Top-level keys of one content that a rule refuses; "" when all pass. */
export function refuseKeys(data: JsonObject, keys: Readonly<Record<string, KeyRule>>): string {
  for (const name of Object.keys(data).sort()) {
    const rule = Object.hasOwn(keys, name) ? keys[name] : undefined;
    if (rule === undefined) continue;
    const problem = refuseValue(name, data[name] as JsonValue, rule);
    if (problem !== "") return problem;
  }
  return "";
}

function refuseValue(name: string, value: JsonValue, rule: KeyRule): string {
  // A secret is a reference that the adapter resolves; its shape is the schema's business.
  if (rule.secret) return "";
  if (!hasType(value, rule.type)) {
    return `${name}: must be of type ${rule.type}, is ${JSON.stringify(value).slice(0, 80)}`;
  }
  return refuseRange(name, value, rule);
}

/** A sentence when a number is outside the range, else "". */
function refuseRange(name: string, value: JsonValue, limit: OwnerKeyLimit): string {
  if (typeof value !== "number") return "";
  if (limit.minimum !== undefined && value < limit.minimum) {
    return `${name}: must be at least ${limit.minimum}, is ${value}`;
  }
  if (limit.maximum !== undefined && value > limit.maximum) {
    return `${name}: must be at most ${limit.maximum}, is ${value}`;
  }
  return "";
}

function hasType(value: JsonValue, type: KeyRule["type"]): boolean {
  switch (type) {
    case "integer":
      return typeof value === "number" && Number.isInteger(value);
    case "number":
    case "string":
    case "boolean":
      return typeof value === type;
    case "object":
      return isJsonObject(value);
    case "array":
      return Array.isArray(value);
  }
}

/** A sentence when the owner's limits refuse the data, else "". */
export function refuseByOwner(data: JsonObject, options: NodeCoreOptions, target: string): string {
  const limits = Object.hasOwn(options.ownerLimits, target) ? options.ownerLimits[target] : {};
  for (const name of Object.keys(limits ?? {}).sort()) {
    const limit = limits?.[name];
    if (limit === undefined || !Object.hasOwn(data, name)) continue;
    const problem = refuseRange(name, data[name] as JsonValue, limit);
    if (problem !== "") return `owner's limit: ${problem}`;
  }
  return "";
}

/** Vetoes of this node that still hold. */
export function standingVetoes(slot: SlotState, nowMs: number): readonly VetoRecord[] {
  return slot.vetoes.filter((veto) => nowMs < veto.expiresAtMs);
}

/**
 * True when this node may not run a content: it vetoed exactly this content of this version, or
 * vetoed the version a second time, with its pins already in place.
 */
export function isVetoed(slot: SlotState, content: Content, nowMs: number): boolean {
  const same = standingVetoes(slot, nowMs).filter((veto) => veto.version === content.version);
  return same.length >= 2 || same.some((veto) => veto.hash === content.hash);
}

function isLifted(veto: VetoRecord, key: string, assignment: Assignment): boolean {
  const lifted = veto.lifted ?? {};
  const by = Object.hasOwn(lifted, key) ? lifted[key] : undefined;
  return by !== undefined && by <= assignment.version;
}

/**
 * The vetoes of a slot whose assigned version is about to be confirmed: pins of keys that it changed stay lifted
 * in later versions; what versions lifted that were taken back since is pinned again.
 */
export function withLifted(slot: SlotState, assignment: Assignment): VetoRecord[] {
  // On the way back the changed keys are those taken back, not those that a decision changed.
  const forward = assignment.version > lastKnownGood(slot).version;
  return slot.vetoes.map((veto) => {
    const lifted: Record<string, number> = {};
    for (const key of Object.keys(veto.pins).sort()) {
      const later = forward && veto.version < assignment.version;
      const changes = later && assignment.changedKeys.includes(key);
      if (isLifted(veto, key, assignment)) lifted[key] = veto.lifted?.[key] ?? assignment.version;
      else if (changes) lifted[key] = assignment.version;
    }
    return { ...veto, lifted };
  });
}

/** The assigned content with this node's pins on top; a version that changes a pinned key lifts it. */
export function effectiveContent(
  slot: SlotState | undefined,
  assignment: Assignment,
  context: { readonly nowMs: number; readonly options: NodeCoreOptions },
): Content {
  const data: Record<string, JsonValue> = { ...assignment.data };
  let pinned = false;
  for (const veto of slot === undefined ? [] : standingVetoes(slot, context.nowMs)) {
    if (veto.version >= assignment.version) continue;
    for (const key of Object.keys(veto.pins).sort()) {
      if (assignment.changedKeys.includes(key) || isLifted(veto, key, assignment)) continue;
      const value = veto.pins[key] as JsonValue;
      if (value === null) delete data[key];
      else data[key] = value;
      pinned = true;
    }
  }
  const hash = pinned ? contentHash(data, context.options.crypto) : assignment.contentHash;
  return { version: assignment.version, hash, data };
}
