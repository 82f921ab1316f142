// Structural schemas: a subset of OpenAPI v3 that one source serves for validation, defaulting,
// discovery documents and server-side apply. Builders keep the declarations readable.

import type { JsonValue } from "@kingly/base";
import type { FormatName } from "./formats.ts";

interface Common {
  readonly description: string;
  /** Used when the field is absent (or null and not nullable); then validated like any value. */
  readonly default?: JsonValue;
  readonly nullable?: boolean;
}

/** A text. */
export interface StringSchema extends Common {
  readonly type: "string";
  readonly enum?: readonly string[];
  readonly minLength?: number;
  readonly maxLength: number;
  readonly format?: FormatName;
}

/** A number or integer. */
export interface NumberSchema extends Common {
  readonly type: "integer" | "number";
  readonly minimum?: number;
  readonly maximum?: number;
  /** True when `minimum` itself is not allowed. */
  readonly exclusiveMinimum?: boolean;
}

/** True or false. */
export interface BooleanSchema extends Common {
  readonly type: "boolean";
}

/** A list of one kind of item. */
export interface ArraySchema extends Common {
  readonly type: "array";
  readonly items: Schema;
  readonly minItems?: number;
  readonly maxItems: number;
  /** How server-side apply merges it; default atomic. A set also forbids repeated items. */
  readonly listType?: "atomic" | "set" | "map";
  readonly listMapKeys?: readonly string[];
}

/** A mapping with known or free keys. */
export interface ObjectSchema extends Common {
  readonly type: "object";
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  /** Values of keys that are not properties. */
  readonly additionalProperties?: Schema;
  /** Format of those keys. */
  readonly keyFormat?: FormatName;
  readonly maxProperties?: number;
  /** Any JSON below; kept as it is. */
  readonly preserveUnknown?: boolean;
}

/** One node of a structural schema. */
export type Schema = StringSchema | NumberSchema | BooleanSchema | ArraySchema | ObjectSchema;

/** Characters of a string that states no limit of its own. */
const STRING_CHARS_DEFAULT = 1_024;

/** A string; at most 1,024 characters unless the options say otherwise. */
export function text(
  description: string,
  options: Partial<Omit<StringSchema, "type" | "description">> = {},
): StringSchema {
  return { type: "string", description, maxLength: STRING_CHARS_DEFAULT, ...options };
}

/** One of a closed set of words. */
export function oneOf(
  description: string,
  words: readonly string[],
  options: { readonly default?: string } = {},
): StringSchema {
  return { type: "string", description, maxLength: 63, enum: words, ...options };
}

/** An integer; at least 0 unless the options say otherwise. */
export function integer(
  description: string,
  options: Partial<Omit<NumberSchema, "type" | "description">> = {},
): NumberSchema {
  return { type: "integer", description, minimum: 0, ...options };
}

/** A finite number without implied bounds. */
export function number(
  description: string,
  options: Partial<Omit<NumberSchema, "type" | "description">> = {},
): NumberSchema {
  return { type: "number", description, ...options };
}

/** A boolean; absent means the default when one is given. */
export function flag(description: string, fallback?: boolean): BooleanSchema {
  const base: BooleanSchema = { type: "boolean", description };
  return fallback === undefined ? base : { ...base, default: fallback };
}

/** A list with a limit. */
export function list(
  description: string,
  items: Schema,
  options: Omit<ArraySchema, "type" | "description" | "items">,
): ArraySchema {
  return { type: "array", description, items, ...options };
}

/** A map from keys to values of one schema. */
export function map(
  description: string,
  values: Schema,
  options: Omit<ObjectSchema, "type" | "description" | "additionalProperties"> = {},
): ObjectSchema {
  return { type: "object", description, additionalProperties: values, ...options };
}

/** An object whose content the product does not interpret here. */
export function anyObject(
  description: string,
  options: { readonly default?: JsonValue; readonly nullable?: boolean } = {},
): ObjectSchema {
  return { type: "object", description, preserveUnknown: true, ...options };
}

/** An object with fields; those not in `optional` and without default are required. */
export function struct(
  description: string,
  properties: Readonly<Record<string, Schema>>,
  options: { readonly optional?: readonly string[]; readonly default?: JsonValue } = {},
): ObjectSchema {
  const optional = new Set(options.optional ?? []);
  const required = Object.keys(properties).filter(
    (name) => !optional.has(name) && properties[name]?.default === undefined,
  );
  const base: ObjectSchema = { type: "object", description, properties, required };
  return options.default === undefined ? base : { ...base, default: options.default };
}
