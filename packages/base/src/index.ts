// What every package stands on: no dependencies, no clock, no randomness of its own.

export { AssertionFailed, assert, unreachable } from "./assert.ts";
export {
  compareBytes,
  compareStrings,
  concatBytes,
  equalBytes,
  fromBase64,
  fromHex,
  sortedKeys,
  toBase64,
  toHex,
} from "./bytes.ts";
export { canonicalJson, contentHash } from "./canonical.ts";
export { ERROR_CODES, ERROR_TABLE, isErrorCode } from "./error-table.ts";
export type { ErrorCode, ErrorTableEntry } from "./error-table.ts";
export { KinglyError, shortValue, toKinglyError } from "./errors.ts";
export type { ErrorCause, ErrorDetails } from "./errors.ts";
export { appendIndex, appendKey, renderPath } from "./field-path.ts";
export type { JsonObject, JsonValue } from "./json.ts";
export { JSON_BYTES_MAX, JSON_DEPTH_MAX, VALUE_DEPTH_MAX } from "./limits.ts";
export { noLogger } from "./ports.ts";
export type { Clock, Crypto, LogFields, Logger, Timer } from "./ports.ts";
export { createPrng } from "./prng.ts";
export type { Prng } from "./prng.ts";
export { parseStrictJson } from "./strict-json.ts";
export type { StrictJsonLimits } from "./strict-json.ts";
export { isWellFormed, utf8Decode, utf8Encode, utf8Length } from "./utf8.ts";
export { addMissing, changedTopLevelKeys, equalJson, isJsonObject, mergePatch } from "./values.ts";
