// The structural validator: checks a value against a schema, fills defaults, and separates
// unknown fields from errors (whether they are refused, warned about or dropped is the
// caller's choice). It never changes its argument: what needs no default and has nothing to drop is
// handed on as it is, everything else is copied. Paths are put together only where they are told.

import { renderPath, shortValue } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import { FIELD_ERRORS_MAX, SCHEMA_DEPTH_MAX, UNKNOWN_FIELDS_MAX } from "../limits.ts";
import { formatFault } from "./formats.ts";
import type { ArraySchema, NumberSchema, ObjectSchema, Schema, StringSchema } from "./types.ts";

/** Why a field is refused, in the words of the Kubernetes API. */
export type FieldErrorReason =
  | "FieldValueRequired"
  | "FieldValueInvalid"
  | "FieldValueNotSupported"
  | "FieldValueTypeInvalid"
  | "FieldValueTooLong";

/** One refused field. */
export interface FieldError {
  readonly reason: FieldErrorReason;
  /** For example `spec.entries[1].value`. */
  readonly field: string;
  /** A sentence with limit and value. */
  readonly message: string;
}

/** What validation found. */
export interface StructuralResult {
  /** The value with defaults and without unknown fields; meaningful when there are no errors. */
  readonly value: JsonValue;
  /** At most FIELD_ERRORS_MAX. */
  readonly errors: readonly FieldError[];
  /** Paths of fields that the schema does not know, at most UNKNOWN_FIELDS_MAX. */
  readonly unknownFields: readonly string[];
}

/** Validates and defaults a value. Never throws for any JSON value. */
export function validateStructure(schema: Schema, value: JsonValue): StructuralResult {
  const run = new Run();
  const result = run.visit(schema, value, undefined, 0);
  return { value: result, errors: run.errors, unknownFields: run.unknownFields };
}

class Run {
  readonly errors: FieldError[] = [];
  readonly unknownFields: string[] = [];

  visit(schema: Schema, value: JsonValue, path: Path, depth: number): JsonValue {
    if (value === null && schema.nullable === true) return null;
    if (depth > SCHEMA_DEPTH_MAX) {
      this.#refuse("FieldValueTooLong", path, `is nested deeper than ${SCHEMA_DEPTH_MAX}`);
      return null;
    }
    switch (schema.type) {
      case "string":
        return this.#string(schema, value, path);
      case "integer":
      case "number":
        return this.#number(schema, value, path);
      case "boolean":
        if (typeof value !== "boolean") this.#wrongType("boolean", value, path);
        return value;
      case "array":
        return this.#array(schema, value, path, depth);
      case "object":
        return this.#object(schema, value, path, depth);
    }
  }

  #string(schema: StringSchema, value: JsonValue, path: Path): JsonValue {
    if (typeof value !== "string") return this.#wrongType("string", value, path);
    if (value.length > schema.maxLength) {
      const message = `has ${value.length} characters, the limit is ${schema.maxLength}`;
      this.#refuse("FieldValueTooLong", path, message);
    } else if (value.length < (schema.minLength ?? 0)) {
      const message = `needs at least ${schema.minLength} characters, has ${value.length}`;
      this.#refuse(value === "" ? "FieldValueRequired" : "FieldValueInvalid", path, message);
    } else if (schema.enum !== undefined && !schema.enum.includes(value)) {
      const message = `must be one of ${schema.enum.join(", ")}; got ${shortValue(value)}`;
      this.#refuse("FieldValueNotSupported", path, message);
    } else if (schema.format !== undefined) {
      const expected = formatFault(schema.format, value);
      if (expected !== undefined) {
        this.#refuse("FieldValueInvalid", path, `must be ${expected}; got ${shortValue(value)}`);
      }
    }
    return value;
  }

  #number(schema: NumberSchema, value: JsonValue, path: Path): JsonValue {
    if (typeof value !== "number" || !Number.isFinite(value)) {
      return this.#wrongType(schema.type, value, path);
    }
    if (schema.type === "integer" && !Number.isSafeInteger(value)) {
      this.#refuse("FieldValueTypeInvalid", path, `must be an integer; got ${value}`);
      return value;
    }
    const { minimum, maximum } = schema;
    if (minimum !== undefined) {
      const above = schema.exclusiveMinimum === true ? value > minimum : value >= minimum;
      const bound = schema.exclusiveMinimum === true ? "greater than" : "at least";
      if (!above) {
        this.#refuse("FieldValueInvalid", path, `must be ${bound} ${minimum}; got ${value}`);
        return value;
      }
    }
    if (maximum !== undefined && value > maximum) {
      this.#refuse("FieldValueInvalid", path, `must be at most ${maximum}; got ${value}`);
    }
    return value;
  }

  #array(schema: ArraySchema, value: JsonValue, path: Path, depth: number): JsonValue {
    if (!Array.isArray(value)) return this.#wrongType("array", value, path);
    const items = value as readonly JsonValue[];
    if (items.length > schema.maxItems) {
      const message = `has ${items.length} items, the limit is ${schema.maxItems}`;
      this.#refuse("FieldValueTooLong", path, message);
      return value;
    }
    if (items.length < (schema.minItems ?? 0)) {
      const message = `needs at least ${schema.minItems} items, has ${items.length}`;
      this.#refuse("FieldValueInvalid", path, message);
    }
    if (schema.listType === "set") this.#refuseRepeated(items, path);
    let out: JsonValue[] | undefined;
    items.forEach((item, at) => {
      const after = this.visit(schema.items, item, { parent: path, step: at }, depth + 1);
      if (after === item) return;
      out ??= [...items];
      out[at] = after;
    });
    return out ?? value;
  }

  #refuseRepeated(items: readonly JsonValue[], path: Path): void {
    const seen = new Set<JsonValue>();
    items.forEach((item, at) => {
      if (seen.has(item)) {
        const message = `repeats ${shortValue(item)}; each item may appear once`;
        this.#refuse("FieldValueInvalid", { parent: path, step: at }, message);
      }
      seen.add(item);
    });
  }

  #object(schema: ObjectSchema, value: JsonValue, path: Path, depth: number): JsonValue {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      return this.#wrongType("object", value, path);
    }
    const given = value as JsonObject;
    const keys = Object.keys(given);
    const limit = schema.maxProperties;
    if (limit !== undefined && keys.length > limit) {
      const message = `has ${keys.length} keys, the limit is ${limit}`;
      this.#refuse("FieldValueTooLong", path, message);
      return value;
    }
    const visit: Visit = { schema, given, path, depth, values: undefined, cut: undefined };
    const properties = schema.properties ?? NO_PROPERTIES;
    for (const name of namesOf(properties)) {
      this.#property(visit, name, properties[name] as Schema);
    }
    for (const key of keys) {
      if (!Object.hasOwn(properties, key)) this.#otherKey(visit, key);
    }
    return visited(visit);
  }

  #property(visit: Visit, name: string, schema: Schema): void {
    const isGiven = Object.hasOwn(visit.given, name);
    let value = isGiven ? visit.given[name] : undefined;
    // An explicit null asks for the default, as in the Kubernetes API.
    const absent = value === undefined || (value === null && schema.nullable !== true);
    if (absent && schema.default !== undefined) value = ownCopy(schema.default);
    if (value !== undefined) {
      this.#member(visit, name, schema, value);
      return;
    }
    if (isGiven) cut(visit, name);
    if (visit.schema.required?.includes(name) === true) {
      this.#refuse("FieldValueRequired", { parent: visit.path, step: name }, "is required");
    }
  }

  /** Visits a member and notes when it changes. */
  #member(visit: Visit, name: string, schema: Schema, value: JsonValue): void {
    const path = { parent: visit.path, step: name };
    const after = this.visit(schema, value, path, visit.depth + 1);
    if (Object.hasOwn(visit.given, name) && after === visit.given[name]) return;
    visit.values ??= new Map();
    visit.values.set(name, after);
  }

  #otherKey(visit: Visit, name: string): void {
    const { schema, given } = visit;
    const path = { parent: visit.path, step: name };
    if (name === "__proto__") {
      this.#refuse("FieldValueInvalid", path, "the key __proto__ is reserved");
      cut(visit, name);
    } else if (schema.additionalProperties !== undefined) {
      const format = schema.keyFormat;
      const expected = format === undefined ? undefined : formatFault(format, name);
      if (expected !== undefined) {
        this.#refuse("FieldValueInvalid", path, `the key must be ${expected}`);
      }
      this.#member(visit, name, schema.additionalProperties, given[name] as JsonValue);
    } else if (schema.preserveUnknown !== true) {
      cut(visit, name);
      if (this.unknownFields.length < UNKNOWN_FIELDS_MAX) this.unknownFields.push(pathText(path));
    }
  }

  #wrongType(expected: string, value: JsonValue, path: Path): JsonValue {
    const message = `must be of type ${expected}; got ${shortValue(value)}`;
    this.#refuse("FieldValueTypeInvalid", path, message);
    return value;
  }

  #refuse(reason: FieldErrorReason, path: Path, message: string): void {
    if (this.errors.length === FIELD_ERRORS_MAX) return;
    const field = pathText(path);
    this.errors.push({ reason, field, message: `${field || "document"}: ${message}` });
  }
}

/** The way to a value; undefined for the document itself. */
type Path = { readonly parent: Path; readonly step: string | number } | undefined;

function pathText(path: Path): string {
  const steps: (string | number)[] = [];
  for (let at = path; at !== undefined; at = at.parent) steps.push(at.step);
  return renderPath(steps.reverse());
}

/** One object while its members are visited. */
interface Visit {
  readonly schema: ObjectSchema;
  readonly given: JsonObject;
  readonly path: Path;
  readonly depth: number;
  /** New values by key: defaults, and members that changed inside. */
  values: Map<string, JsonValue> | undefined;
  /** Members that are left out. */
  cut: string[] | undefined;
}

/** Objects must not share a default: whoever gets it may change it. */
function ownCopy(value: JsonValue): JsonValue {
  if (typeof value !== "object" || value === null) return value;
  return JSON.parse(JSON.stringify(value)) as JsonValue;
}

function cut(visit: Visit, name: string): void {
  visit.cut ??= [];
  visit.cut.push(name);
}

/** The object as it was given when nothing changes, else a copy with the changes. */
function visited(visit: Visit): JsonObject {
  const { given, values, cut: leftOut } = visit;
  if (values === undefined && leftOut === undefined) return given;
  const out: Record<string, JsonValue> = {};
  for (const key of Object.keys(given)) {
    if (leftOut?.includes(key) !== true) out[key] = given[key] as JsonValue;
  }
  if (values !== undefined) for (const [key, value] of values) out[key] = value;
  return out;
}

const NO_PROPERTIES: Readonly<Record<string, Schema>> = {};
const names = new WeakMap<object, readonly string[]>();

/** Names of a schema's properties, collected once. */
function namesOf(properties: Readonly<Record<string, Schema>>): readonly string[] {
  let known = names.get(properties);
  if (known === undefined) {
    known = Object.keys(properties);
    names.set(properties, known);
  }
  return known;
}
