// JSON Patch (RFC 6902) with JSON Pointer (RFC 6901) on plain JSON values. Builds new values along
// the touched paths and never changes its input.

import { KinglyError, equalJson, isJsonObject, shortValue } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import { JSON_PATCH_OPERATIONS_MAX } from "../limits.ts";

const OPERATIONS = ["add", "remove", "replace", "move", "copy", "test"] as const;
type OperationName = (typeof OPERATIONS)[number];

interface Operation {
  readonly op: OperationName;
  readonly path: readonly string[];
  readonly from: readonly string[] | undefined;
  readonly value: JsonValue | undefined;
}

function refuse(field: string, message: string): never {
  throw new KinglyError("InvalidField", `${field}: ${message}`, { field });
}

function pointer(value: JsonValue | undefined, field: string): readonly string[] {
  if (typeof value !== "string" || (value !== "" && !value.startsWith("/"))) {
    return refuse(field, `must be a JSON pointer; got ${shortValue(value)}`);
  }
  const parts = value.split("/").slice(1);
  return parts.map((part) => {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (key === "__proto__") {
      throw new KinglyError("ForbiddenKey", `${field}: the key __proto__ is reserved`, { field });
    }
    return key;
  });
}

function operationOf(value: JsonValue, at: number): Operation {
  const field = `patch[${at}]`;
  if (!isJsonObject(value)) return refuse(field, "must be an object");
  const op = OPERATIONS.find((name) => name === value["op"]);
  if (op === undefined) return refuse(`${field}.op`, `must be one of ${OPERATIONS.join(", ")}`);
  const needsFrom = op === "move" || op === "copy";
  const needsValue = op === "add" || op === "replace" || op === "test";
  if (needsValue && !Object.hasOwn(value, "value")) refuse(`${field}.value`, "is required");
  return {
    op,
    path: pointer(value["path"], `${field}.path`),
    from: needsFrom ? pointer(value["from"], `${field}.from`) : undefined,
    value: value["value"],
  };
}

/** Applies a patch document. Throws InvalidField, ForbiddenKey, or Conflict for a failed test. */
export function applyJsonPatch(target: JsonValue, patch: JsonValue): JsonValue {
  if (!Array.isArray(patch)) return refuse("patch", "must be a list of operations");
  if (patch.length > JSON_PATCH_OPERATIONS_MAX) {
    return refuse("patch", `has ${patch.length} operations, limit ${JSON_PATCH_OPERATIONS_MAX}`);
  }
  let result = target;
  for (const [at, item] of (patch as readonly JsonValue[]).entries()) {
    result = applyOne(result, operationOf(item, at), `patch[${at}]`);
  }
  return result;
}

function applyOne(target: JsonValue, operation: Operation, field: string): JsonValue {
  const { op, path, from, value } = operation;
  switch (op) {
    case "add":
      return change(target, path, { field, mode: "add", value: value ?? null });
    case "replace":
      return change(target, path, { field, mode: "replace", value: value ?? null });
    case "remove":
      return change(target, path, { field, mode: "remove", value: null });
    case "test": {
      const found = find(target, path, field);
      if (equalJson(found, value ?? null)) return target;
      throw new KinglyError("Conflict", `${field}: the tested value is ${shortValue(found)}`, {
        field,
      });
    }
    case "copy":
      return change(target, path, { field, mode: "add", value: find(target, from ?? [], field) });
    case "move": {
      const moved = find(target, from ?? [], field);
      const without = change(target, from ?? [], { field, mode: "remove", value: null });
      return change(without, path, { field, mode: "add", value: moved });
    }
  }
}

function indexOf(key: string, max: number): number {
  if (!/^(0|[1-9]\d{0,8})$/.test(key)) return -1;
  const index = Number(key);
  return index <= max ? index : -1;
}

function itemAt(list: readonly JsonValue[], key: string): JsonValue | undefined {
  return list[indexOf(key, list.length - 1)];
}

function find(target: JsonValue, path: readonly string[], field: string): JsonValue {
  let value: JsonValue | undefined = target;
  for (const key of path) {
    if (Array.isArray(value)) value = itemAt(value as readonly JsonValue[], key);
    else value = isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
    if (value === undefined) return refuse(field, `there is nothing at /${path.join("/")}`);
  }
  return value ?? null;
}

interface Edit {
  readonly field: string;
  readonly mode: "add" | "replace" | "remove";
  readonly value: JsonValue;
}

function change(target: JsonValue, path: readonly string[], edit: Edit): JsonValue {
  const [key, ...rest] = path;
  if (key === undefined) return edit.mode === "remove" ? null : edit.value;
  if (Array.isArray(target)) return changeList(target as readonly JsonValue[], path, edit);
  if (!isJsonObject(target)) return refuse(edit.field, `cannot go into a value at /${key}`);
  const out: Record<string, JsonValue> = { ...target };
  const there = Object.hasOwn(target, key);
  if (rest.length > 0 || edit.mode !== "add") {
    if (!there) return refuse(edit.field, `there is nothing at ${key}`);
  }
  if (rest.length > 0) out[key] = change((target as JsonObject)[key] ?? null, rest, edit);
  else if (edit.mode === "remove") delete out[key];
  else out[key] = edit.value;
  return out;
}

function changeList(list: readonly JsonValue[], path: readonly string[], edit: Edit): JsonValue {
  const [key = "", ...rest] = path;
  const appends = rest.length === 0 && edit.mode === "add";
  const max = appends ? list.length : list.length - 1;
  const index = appends && key === "-" ? list.length : indexOf(key, max);
  if (index < 0) return refuse(edit.field, `there is no item ${shortValue(key)}`);
  const out = [...list];
  if (rest.length > 0) out[index] = change(list[index] ?? null, rest, edit);
  else if (edit.mode === "add") out.splice(index, 0, edit.value);
  else if (edit.mode === "remove") out.splice(index, 1);
  else out[index] = edit.value;
  return out;
}
