// Strict JSON (RFC 8259 grammar, I-JSON of RFC 7493 and more): refuses duplicate keys,
// `__proto__`, lone surrogates, numbers that would change when stored, deep nesting and large
// input. One pass checks the text without building anything; JSON.parse then builds the value.
// This is the door for every document from outside: admission, signed documents, log entries.

import { assert } from "./assert.ts";
import { KinglyError } from "./errors.ts";
import type { ErrorCode } from "./error-table.ts";
import type { JsonValue } from "./json.ts";
import { ERROR_VALUE_CHARS_MAX, JSON_BYTES_MAX, JSON_DEPTH_MAX } from "./limits.ts";
import { JsonScanner } from "./json-scanner.ts";
import { utf8Decode, utf8Length } from "./utf8.ts";

/** Limits of one parse. */
export interface StrictJsonLimits {
  /** Bytes of UTF-8, at least 1. Default JSON_BYTES_MAX (1 MiB). */
  readonly bytesMax?: number;
  /** Depth of nesting; 0 allows only a scalar. Default JSON_DEPTH_MAX (64). */
  readonly depthMax?: number;
}

/**
 * Parses text or UTF-8 bytes. Throws KinglyError (MalformedJson, DuplicateKey, ForbiddenKey,
 * UnsafeNumber, DocumentTooLarge) that names the field's path, the limit and the value.
 */
export function parseStrictJson(
  input: string | Uint8Array,
  limits: StrictJsonLimits = {},
): JsonValue {
  const bytesMax = limits.bytesMax ?? JSON_BYTES_MAX;
  const depthMax = limits.depthMax ?? JSON_DEPTH_MAX;
  assert(bytesMax >= 1 && depthMax >= 0, "strict JSON limits");
  checkSize(input, bytesMax);
  const text = typeof input === "string" ? input : decode(input);
  new JsonScanner(text, depthMax, fail).scan();
  return JSON.parse(text) as JsonValue;
}

function checkSize(input: string | Uint8Array, bytesMax: number): void {
  let bytes = input.length;
  // A UTF-16 unit takes at most three bytes: count exactly only when it may matter.
  if (typeof input === "string" && bytes <= bytesMax && bytes * 3 > bytesMax) {
    bytes = utf8Length(input);
  }
  if (bytes <= bytesMax) return;
  throw new KinglyError(
    "DocumentTooLarge",
    `document: ${bytes} bytes exceed the limit of ${bytesMax}`,
    { field: "", limit: bytesMax, value: bytes },
  );
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8Decode(bytes);
  } catch (cause) {
    throw new KinglyError(
      "MalformedJson",
      `document: ${bytes.length} bytes are not valid UTF-8`,
      { field: "", limit: "UTF-8" },
      { cause },
    );
  }
}

function fail(
  code: ErrorCode,
  field: string,
  what: {
    readonly message: string;
    readonly limit: string | number;
    readonly value: string | number;
  },
): never {
  const value =
    typeof what.value === "number" ? what.value : what.value.slice(0, ERROR_VALUE_CHARS_MAX);
  throw new KinglyError(code, `${field || "document"}: ${what.message}`, {
    field,
    limit: what.limit,
    value,
  });
}
