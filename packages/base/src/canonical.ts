// Canonical JSON (RFC 8785): one text per value, so that equal content has equal bytes, hashes
// and signatures on every machine. Numbers and strings follow ECMAScript's own serialisation,
// which section 3.2.2 of the RFC adopts; keys are sorted by UTF-16 code units (section 3.2.3).

import { compareStrings, toHex } from "./bytes.ts";
import { KinglyError, shortValue } from "./errors.ts";
import { renderPath } from "./field-path.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import { VALUE_DEPTH_MAX } from "./limits.ts";
import type { Crypto } from "./ports.ts";
import { isWellFormed, utf8Encode } from "./utf8.ts";

/** Keys and indexes from the root to the value at hand; rendered only for an error. */
type Trail = (string | number)[];

/**
 * The canonical text of a value. Throws KinglyError with the field's path for what JSON cannot
 * carry: undefined, functions, class instances, NaN, infinities, lone surrogates, `__proto__`.
 */
export function canonicalJson(value: JsonValue): string {
  return write(value, []);
}

/** Hex SHA-256 of the canonical text: the name of a content. */
export function contentHash(value: JsonValue, crypto: Pick<Crypto, "sha256">): string {
  return toHex(crypto.sha256(utf8Encode(canonicalJson(value))));
}

function write(value: JsonValue, trail: Trail): string {
  if (value === null) return "null";
  if (typeof value === "string") return writeString(value, trail);
  if (typeof value === "boolean") return value ? "true" : "false";
  if (typeof value === "number") {
    // JSON.stringify would turn NaN and infinities into null; String(-0) is "0" as the RFC asks.
    if (!Number.isFinite(value)) throw notJson(value, trail);
    return String(value);
  }
  if (typeof value !== "object") throw notJson(value, trail);
  if (trail.length >= VALUE_DEPTH_MAX) {
    const field = renderPath(trail);
    throw new KinglyError("DocumentTooLarge", `value: nested deeper than ${VALUE_DEPTH_MAX}`, {
      field,
      limit: VALUE_DEPTH_MAX,
      value: trail.length + 1,
    });
  }
  if (Array.isArray(value)) return writeArray(value, trail);
  return writeObject(value as JsonObject, trail);
}

function writeString(value: string, trail: Trail): string {
  if (!isWellFormed(value)) {
    const field = renderPath(trail);
    throw new KinglyError("MalformedJson", `${field || "text"}: holds a lone surrogate`, {
      field,
      value: shortValue(value),
    });
  }
  return JSON.stringify(value);
}

function writeArray(list: readonly JsonValue[], trail: Trail): string {
  let text = "[";
  for (let at = 0; at < list.length; at += 1) {
    if (at > 0) text += ",";
    trail.push(at);
    text += write(list[at] as JsonValue, trail);
    trail.pop();
  }
  return `${text}]`;
}

function writeObject(object: JsonObject, trail: Trail): string {
  if (!isPlain(object)) throw notJson(object, trail);
  let text = "{";
  for (const key of Object.keys(object).sort(compareStrings)) {
    trail.push(key);
    if (key === "__proto__") {
      const field = renderPath(trail);
      throw new KinglyError("ForbiddenKey", `${field}: the key __proto__ is reserved`, { field });
    }
    if (text.length > 1) text += ",";
    text += `${writeString(key, trail)}:${write(object[key] as JsonValue, trail)}`;
    trail.pop();
  }
  return `${text}}`;
}

/** True for `{}` of any realm and for objects without a prototype; false for class instances. */
function isPlain(object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function notJson(value: unknown, trail: Trail): KinglyError {
  const field = renderPath(trail);
  const shown = shortValue(value);
  return new KinglyError("InvalidField", `${field || "value"}: ${shown} is not a JSON value`, {
    field,
    value: shown,
    limit: "null, boolean, finite number, string, array, plain object",
  });
}
