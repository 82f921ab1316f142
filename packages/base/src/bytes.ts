// Byte arrays and total orders: concatenation, comparison, hex and base64 (RFC 4648 section 4).
// Both decoders accept exactly one spelling per value, so that text can stand in for bytes.

import { assert } from "./assert.ts";
import { KinglyError } from "./errors.ts";

const HEX = "0123456789abcdef";
const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

function reverseTable(alphabet: string): Int16Array {
  const table = new Int16Array(128).fill(-1);
  for (let value = 0; value < alphabet.length; value += 1) {
    table[alphabet.charCodeAt(value)] = value;
  }
  return table;
}

const HEX_VALUES = reverseTable(HEX);
const BASE64_VALUES = reverseTable(BASE64);

/** All parts one after another, in a new array. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** True when both hold the same bytes. Time depends on content: not for comparing secrets. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compareBytes(a, b) === 0;
}

/** Lexicographic order of unsigned bytes: negative, 0 or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = a.length < b.length ? a.length : b.length;
  for (let at = 0; at < shared; at += 1) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Order by UTF-16 code units, the same on every machine: -1, 0 or 1. */
export function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Own keys in code unit order. */
export function sortedKeys(object: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(object).sort(compareStrings);
}

/** The two characters of every byte. */
const HEX_PAIRS: readonly string[] = Array.from(
  { length: 256 },
  (_, byte) => HEX.charAt(byte >>> 4) + HEX.charAt(byte & 15),
);

/** Lower-case hex, two characters per byte. */
export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 1) text += HEX_PAIRS[bytes[at] ?? 0] ?? "";
  return text;
}

/** Bytes of lower-case hex. Throws InvalidField for upper case, odd length or other characters. */
export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  if (text.length % 2 !== 0) throw badText("hex", "an even number of characters", text.length);
  const out = new Uint8Array(text.length / 2);
  for (let at = 0; at < text.length; at += 1) {
    const value = valueAt(HEX_VALUES, text, at);
    if (value < 0) throw badText("lower-case hex", "characters 0-9 and a-f", at);
    const index = at >>> 1;
    out[index] = at % 2 === 0 ? value << 4 : (out[index] ?? 0) | value;
  }
  return out;
}

/** Base64 with padding. */
export function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 3) {
    const left = bytes.length - at;
    const group = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    text += BASE64.charAt(group >>> 18) + BASE64.charAt((group >>> 12) & 63);
    text += left > 1 ? BASE64.charAt((group >>> 6) & 63) : "=";
    text += left > 2 ? BASE64.charAt(group & 63) : "=";
  }
  return text;
}

/**
 * Bytes of padded base64. Throws InvalidField for other characters, a missing or wrong padding,
 * and unused bits that are not zero (two texts would otherwise mean the same bytes).
 */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  if (text.length % 4 !== 0) throw badText("base64", "a multiple of four characters", text.length);
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const digits = text.length - padding;
  const out = new Uint8Array((text.length / 4) * 3 - padding);
  let held = 0;
  let bits = 0;
  let written = 0;
  for (let at = 0; at < digits; at += 1) {
    const value = valueAt(BASE64_VALUES, text, at);
    if (value < 0) throw badText("base64", "characters A-Z a-z 0-9 + /", at);
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out[written] = (held >>> bits) & 255;
    written += 1;
  }
  if ((held & ((1 << bits) - 1)) !== 0) throw badText("base64", "unused bits of zero", digits - 1);
  assert(written === out.length, "base64 length");
  return out;
}

function valueAt(table: Int16Array, text: string, at: number): number {
  const unit = text.charCodeAt(at);
  return unit < 128 ? (table[unit] ?? -1) : -1;
}

function badText(what: string, limit: string, position: number): KinglyError {
  return new KinglyError("InvalidField", `not ${what}: expected ${limit} (at ${position})`, {
    limit,
    value: position,
  });
}
