// Reading values out of objects for tables: every cell has an answer, whatever the object lacks.

import type { JsonValue } from "@kingly/base";
import { isJsonObject } from "@kingly/base";
import { CELL_ITEMS_MAX } from "../limits.ts";
import { fromRfc3339, shortDuration } from "../time.ts";

/** A cell of a table. */
export type Cell = string | number;

/** Shown where there is nothing. */
export const NOTHING = "<none>";

/** Shown where there should be something. */
export const UNKNOWN = "<unknown>";

/** The value at a dotted path of plain field names. */
export function valueAt(object: JsonValue, path: string): JsonValue | undefined {
  let value: JsonValue | undefined = object;
  for (const field of path.split(".")) {
    if (!isJsonObject(value) || !Object.hasOwn(value, field)) return undefined;
    value = value[field];
  }
  return value;
}

/** Text or number at the path; NOTHING when absent, empty or something else. */
export function scalar(object: JsonValue, path: string): Cell {
  const value = valueAt(object, path);
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return value ? "true" : "false";
  return typeof value === "string" && value !== "" ? value : NOTHING;
}

/** Number at the path; 0 when absent. */
export function count(object: JsonValue, path: string): number {
  const value = valueAt(object, path);
  return typeof value === "number" ? value : 0;
}

/** Length of the list, or number of keys of the object, at the path. */
export function size(object: JsonValue, path: string): number {
  const value = valueAt(object, path);
  if (Array.isArray(value)) return value.length;
  return isJsonObject(value) ? Object.keys(value).length : 0;
}

/** The list at the path, the first items spelled out: `a,b,c+2`. */
export function items(object: JsonValue, path: string): Cell {
  const value = valueAt(object, path);
  if (!Array.isArray(value) || value.length === 0) return NOTHING;
  const shown = value.slice(0, CELL_ITEMS_MAX).map(String).join(",");
  const rest = value.length - CELL_ITEMS_MAX;
  return rest > 0 ? `${shown}+${rest}` : shown;
}

/** Version number at the path: `v3`; NOTHING for 0, which means none. */
export function version(object: JsonValue, path: string): Cell {
  const value = count(object, path);
  return value === 0 ? NOTHING : `v${value}`;
}

/** The first twelve characters of a hash. */
export function shortHash(object: JsonValue, path: string): Cell {
  const value = scalar(object, path);
  return typeof value === "string" && value !== NOTHING ? value.slice(0, 12) : NOTHING;
}

/** Status of a condition. */
export function condition(object: JsonValue, type: string): Cell {
  const list = valueAt(object, "status.conditions");
  if (!Array.isArray(list)) return UNKNOWN;
  const found = (list as readonly JsonValue[]).find((item) => valueAt(item, "type") === type);
  return found === undefined ? UNKNOWN : scalar(found, "status");
}

/** Time since the RFC 3339 moment at the path. */
export function age(object: JsonValue, path: string, nowMs: number | undefined): Cell {
  const value = valueAt(object, path);
  const since = typeof value === "string" ? fromRfc3339(value) : undefined;
  return since === undefined || nowMs === undefined ? UNKNOWN : shortDuration(nowMs - since);
}

/** Time until the moment (milliseconds) at the path; `passed` when it is over. */
export function until(object: JsonValue, path: string, nowMs: number | undefined): Cell {
  const value = valueAt(object, path);
  if (typeof value !== "number" || value === 0) return NOTHING;
  if (nowMs === undefined) return UNKNOWN;
  return value <= nowMs ? "passed" : shortDuration(value - nowMs);
}

/** A ratio as a percentage with at most one decimal. */
export function percent(object: JsonValue, path: string): Cell {
  const value = valueAt(object, path);
  if (typeof value !== "number") return NOTHING;
  return `${Math.round(value * 1000) / 10}%`;
}

/** At most three decimals; scientific when very large or very small. */
export function short(value: number): string {
  const magnitude = Math.abs(value);
  if (magnitude !== 0 && (magnitude >= 1_000_000 || magnitude < 0.001)) {
    return value.toExponential(1);
  }
  return String(Math.round(value * 1000) / 1000);
}
