// The structural validator: checks a value against a schema, fills defaults, and separates
// unknown fields from errors (whether they are refused, warned about or dropped is the
// caller's choice). It builds a new value and never changes or trusts its argument's prototype.

import { appendIndex, appendKey, shortValue } from "@kingly/base";
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
export function validateStructure(schema: Schema, value: JsonValue, path = ""): StructuralResult {
  const run = new Run();
  const result = run.visit(schema, value, path, 0);
  return { value: result, errors: run.errors, unknownFields: run.unknownFields };
}

class Run {
  readonly errors: FieldError[] = [];
  readonly unknownFields: string[] = [];

  visit(schema: Schema, value: JsonValue, path: string, depth: number): JsonValue {
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

  #string(schema: StringSchema, value: JsonValue, path: string): JsonValue {
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

  #number(schema: NumberSchema, value: JsonValue, path: string): JsonValue {
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

  #array(schema: ArraySchema, value: JsonValue, path: string, depth: number): JsonValue {
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
    return items.map((item, at) =>
      this.visit(schema.items, item, appendIndex(path, at), depth + 1),
    );
  }

  #refuseRepeated(items: readonly JsonValue[], path: string): void {
    const seen = new Set<JsonValue>();
    items.forEach((item, at) => {
      if (seen.has(item)) {
        const message = `repeats ${shortValue(item)}; each item may appear once`;
        this.#refuse("FieldValueInvalid", appendIndex(path, at), message);
      }
      seen.add(item);
    });
  }

  #object(schema: ObjectSchema, value: JsonValue, path: string, depth: number): JsonValue {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      return this.#wrongType("object", value, path);
    }
    const given = value as JsonObject;
    const out: Record<string, JsonValue> = {};
    const keys = Object.keys(given);
    const limit = schema.maxProperties;
    if (limit !== undefined && keys.length > limit) {
      const message = `has ${keys.length} keys, the limit is ${limit}`;
      this.#refuse("FieldValueTooLong", path, message);
      return value;
    }
    const properties = schema.properties ?? {};
    for (const name of Object.keys(properties)) {
      this.#property(schema, given, { out, name, path: appendKey(path, name), depth });
    }
    for (const key of keys) {
      if (Object.hasOwn(properties, key)) continue;
      this.#otherKey(schema, given, { out, name: key, path: appendKey(path, key), depth });
    }
    return out;
  }

  #property(schema: ObjectSchema, given: JsonObject, at: Member): void {
    const property = schema.properties?.[at.name] as Schema;
    let value = Object.hasOwn(given, at.name) ? given[at.name] : undefined;
    // An explicit null asks for the default, as in the Kubernetes API.
    const absent = value === undefined || (value === null && property.nullable !== true);
    if (absent && property.default !== undefined) value = property.default;
    if (value === undefined) {
      if (schema.required?.includes(at.name) === true) {
        this.#refuse("FieldValueRequired", at.path, "is required");
      }
      return;
    }
    at.out[at.name] = this.visit(property, value, at.path, at.depth + 1);
  }

  #otherKey(schema: ObjectSchema, given: JsonObject, at: Member): void {
    const value = given[at.name] as JsonValue;
    if (at.name === "__proto__") {
      this.#refuse("FieldValueInvalid", at.path, "the key __proto__ is reserved");
    } else if (schema.additionalProperties !== undefined) {
      const format = schema.keyFormat;
      const expected = format === undefined ? undefined : formatFault(format, at.name);
      if (expected !== undefined) {
        this.#refuse("FieldValueInvalid", at.path, `the key must be ${expected}`);
      }
      at.out[at.name] = this.visit(schema.additionalProperties, value, at.path, at.depth + 1);
    } else if (schema.preserveUnknown === true) {
      at.out[at.name] = value;
    } else if (this.unknownFields.length < UNKNOWN_FIELDS_MAX) {
      this.unknownFields.push(at.path);
    }
  }

  #wrongType(expected: string, value: JsonValue, path: string): JsonValue {
    const message = `must be of type ${expected}; got ${shortValue(value)}`;
    this.#refuse("FieldValueTypeInvalid", path, message);
    return value;
  }

  #refuse(reason: FieldErrorReason, field: string, message: string): void {
    if (this.errors.length < FIELD_ERRORS_MAX) {
      this.errors.push({ reason, field, message: `${field || "document"}: ${message}` });
    }
  }
}

interface Member {
  readonly out: Record<string, JsonValue>;
  readonly name: string;
  readonly path: string;
  readonly depth: number;
}
