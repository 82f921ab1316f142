// Mutations of one field: setting or deleting a value at a path, and a walk over a schema and an
// example that derives every single-field fault which the schema must refuse.

import { appendIndex, appendKey } from "@kingly/base";
import type { JsonValue } from "@kingly/base";
import type { FieldErrorReason, Schema } from "@kingly/resources";

/** A path as keys and indexes. */
export type Steps = readonly (string | number)[];

/** One faulty change and the error it must cause. */
export interface Fault {
  readonly steps: Steps;
  /** Absent = the field is deleted. */
  readonly value?: JsonValue;
  readonly reason: FieldErrorReason;
  readonly field: string;
  readonly what: string;
}

/** A copy with the value at the path set, or deleted when it is undefined. */
export function withField(value: JsonValue, steps: Steps, next: JsonValue | undefined): JsonValue {
  const copy = structuredClone(value) as never;
  let at = copy as Record<string | number, unknown>;
  for (const step of steps.slice(0, -1)) at = at[step] as Record<string | number, unknown>;
  const last = steps.at(-1) as string | number;
  if (next === undefined) delete at[last];
  else at[last] = next;
  return copy;
}

/** The path of the steps as errors print it. */
export function pathOf(steps: Steps): string {
  return steps.reduce<string>(
    (path, step) => (typeof step === "number" ? appendIndex(path, step) : appendKey(path, step)),
    "",
  );
}

/** All fields of the value that the schema describes, with their schemas. */
function* fields(
  schema: Schema,
  value: JsonValue,
  steps: Steps,
): Generator<{ schema: Schema; value: JsonValue; steps: Steps }> {
  yield { schema, value, steps };
  if (schema.type === "array") {
    for (const [at, item] of (value as readonly JsonValue[]).entries()) {
      yield* fields(schema.items, item, [...steps, at]);
    }
  }
  if (schema.type === "object") {
    for (const [key, member] of Object.entries(value as Record<string, JsonValue>)) {
      const known = schema.properties?.[key] ?? schema.additionalProperties;
      if (known !== undefined) yield* fields(known, member, [...steps, key]);
    }
  }
}

/** Every fault that follows from the schema at a field of the example. */
export function* faults(schema: Schema, example: JsonValue): Generator<Fault> {
  for (const found of fields(schema, example, [])) {
    const { steps } = found;
    const field = pathOf(steps);
    const fault = (what: string, value: JsonValue, reason: FieldErrorReason): Fault => ({
      steps,
      value,
      reason,
      field,
      what,
    });
    if (steps.length > 0) {
      yield fault("of another type", wrongType(found.schema), "FieldValueTypeInvalid");
    }
    yield* faultsOf(found.schema, found.value, fault);
    yield* missing(found.schema, found.value, steps);
  }
}

type FaultAt = (what: string, value: JsonValue, reason: FieldErrorReason) => Fault;

function* faultsOf(schema: Schema, value: JsonValue, fault: FaultAt): Generator<Fault> {
  if (schema.type === "string") {
    yield fault("too long", "a".repeat(schema.maxLength + 1), "FieldValueTooLong");
    if (schema.minLength === 1) yield fault("empty", "", "FieldValueRequired");
    if (schema.enum !== undefined)
      yield fault("unknown word", "Nonsense", "FieldValueNotSupported");
    if (schema.format !== undefined) {
      // A space is in no format; the length stays within the limits of the field.
      const length = Math.max(1, schema.minLength ?? 1);
      yield fault(`not ${schema.format}`, " ".repeat(length), "FieldValueInvalid");
    }
  }
  if (schema.type === "integer") {
    yield fault("not whole", 1.5, "FieldValueTypeInvalid");
  }
  if (schema.type === "integer" || schema.type === "number") {
    if (schema.minimum !== undefined) {
      yield fault("below minimum", schema.minimum - 1, "FieldValueInvalid");
      if (schema.exclusiveMinimum === true) {
        yield fault("at an excluded minimum", schema.minimum, "FieldValueInvalid");
      }
    }
    if (schema.maximum !== undefined) {
      yield fault("above maximum", schema.maximum + 1, "FieldValueInvalid");
    }
  }
  if (schema.type === "array") {
    const items = value as readonly JsonValue[];
    const many = Array.from({ length: schema.maxItems + 1 }, () => items[0] ?? null);
    yield fault("too many items", many, "FieldValueTooLong");
    if (schema.minItems !== undefined) yield fault("too few items", [], "FieldValueInvalid");
  }
  if (schema.type === "object" && schema.maxProperties !== undefined) {
    const entries = Array.from({ length: schema.maxProperties + 1 }, (_, at) => [`k${at}`, "v"]);
    yield fault("too many keys", Object.fromEntries(entries) as JsonValue, "FieldValueTooLong");
  }
}

function* missing(schema: Schema, value: JsonValue, steps: Steps): Generator<Fault> {
  if (schema.type !== "object") return;
  for (const name of schema.required ?? []) {
    if (!Object.hasOwn(value as object, name)) throw new Error(`example lacks ${name}`);
    const at = [...steps, name];
    yield { steps: at, reason: "FieldValueRequired", field: pathOf(at), what: "missing" };
  }
}

function wrongType(schema: Schema): JsonValue {
  return schema.type === "string" ? 7 : schema.type === "object" ? [] : "text";
}

/** Paths of all objects of the value whose fields the schema lists. */
export function* structs(schema: Schema, value: JsonValue): Generator<Steps> {
  for (const found of fields(schema, value, [])) {
    const { schema: at } = found;
    if (at.type === "object" && at.properties !== undefined && at.preserveUnknown !== true) {
      yield found.steps;
    }
  }
}
