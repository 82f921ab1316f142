// KinglyError: the one error type that crosses package borders. It carries a code of the closed
// table and details that a person can act on: which field, which limit, which value, what helps.

import { ERROR_TABLE } from "./error-table.ts";
import type { ErrorCode, ErrorTableEntry } from "./error-table.ts";
import { ERROR_VALUE_CHARS_MAX } from "./limits.ts";

/** One reason among several, as Kubernetes clients print them. */
export interface ErrorCause {
  /** For example `FieldValueInvalid`. */
  readonly reason: string;
  /** For example `spec.entries[1].value`. */
  readonly field: string;
  readonly message: string;
}

/** What an error says beyond its code and sentence. All optional. */
export interface ErrorDetails {
  /** Path of the offending field. */
  readonly field?: string;
  /** The limit that was exceeded or the allowed set. */
  readonly limit?: string | number;
  /** The refused value, shortened. */
  readonly value?: string | number | boolean;
  /** Machine-readable refinement of the code. */
  readonly reason?: string;
  /** Step of admission that refused. */
  readonly step?: string;
  /** Rule (policy, schema, binding) that refused. */
  readonly rule?: string;
  /** What would help. */
  readonly help?: string;
  /** Milliseconds after which a repetition makes sense. */
  readonly retryAfterMs?: number;
  /** Address of the leader when known. */
  readonly leaderHint?: string;
  /** Key to repeat an indeterminate write with. */
  readonly idempotencyKey?: string;
  readonly causes?: readonly ErrorCause[];
}

/** An expected failure: bad input, a refusal, a state of the world. Never a bug of ours. */
export class KinglyError extends Error {
  override readonly name: string = "KinglyError";
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(
    code: ErrorCode,
    message: string,
    details: ErrorDetails = {},
    options: { readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.details = details;
  }

  /** How this error appears at the interfaces. */
  get info(): ErrorTableEntry {
    return ERROR_TABLE[this.code];
  }
}

/** Turns anything thrown into a KinglyError; what is not one already becomes `Internal`. */
export function toKinglyError(thrown: unknown): KinglyError {
  if (thrown instanceof KinglyError) return thrown;
  if (thrown instanceof Error) {
    return new KinglyError("Internal", thrown.message, {}, { cause: thrown });
  }
  const text = typeof thrown === "string" ? thrown : "something that is no Error was thrown";
  return new KinglyError("Internal", text, {}, { cause: thrown });
}

/** Shortens a refused value for a message, so that no error grows with its input. */
export function shortValue(value: unknown): string {
  const text = describe(value);
  return text.length <= ERROR_VALUE_CHARS_MAX ? text : `${text.slice(0, ERROR_VALUE_CHARS_MAX)}...`;
}

function describe(value: unknown): string {
  switch (typeof value) {
    case "string":
      // Cut before quoting: quoting a megabyte to show eighty characters would be waste.
      return JSON.stringify(value.slice(0, ERROR_VALUE_CHARS_MAX + 1));
    case "number":
    case "boolean":
    case "bigint":
      return String(value);
    case "object":
      if (value === null) return "null";
      if (Array.isArray(value)) return `array of ${value.length}`;
      return `object of ${Object.keys(value).length}`;
    case "undefined":
      return "nothing";
    case "function":
    case "symbol":
      return `a ${typeof value}`;
  }
}
