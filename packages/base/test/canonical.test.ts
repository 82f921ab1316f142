// Canonical JSON against the rules of RFC 8785, with examples made for each rule.

import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson, contentHash, parseStrictJson } from "@kingly/base";
import type { JsonValue } from "@kingly/base";
import { codeOf, jsonValue } from "./arbitraries.ts";

/** The double with this bit pattern, as appendix B of the RFC lists its samples. */
function double(bits: string): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt(`0x${bits}`));
  return view.getFloat64(0);
}

describe("canonicalJson", () => {
  it.each([
    ["0000000000000000", "0"],
    ["8000000000000000", "0"],
    ["0000000000000001", "5e-324"],
    ["8000000000000001", "-5e-324"],
    ["7fefffffffffffff", "1.7976931348623157e+308"],
    ["ffefffffffffffff", "-1.7976931348623157e+308"],
    ["4340000000000000", "9007199254740992"],
    ["c340000000000000", "-9007199254740992"],
    ["4430000000000000", "295147905179352830000"],
    ["44b52d02c7e14af5", "9.999999999999997e+22"],
    ["44b52d02c7e14af6", "1e+23"],
    ["44b52d02c7e14af7", "1.0000000000000001e+23"],
    ["444b1ae4d6e2ef4e", "999999999999999700000"],
    ["444b1ae4d6e2ef4f", "999999999999999900000"],
    ["444b1ae4d6e2ef50", "1e+21"],
    ["3eb0c6f7a0b5ed8c", "9.999999999999997e-7"],
    ["3eb0c6f7a0b5ed8d", "0.000001"],
    ["41b3de4355555553", "333333333.3333332"],
    ["41b3de4355555557", "333333333.33333343"],
    ["becbf647612f3696", "-0.0000033333333333333333"],
  ])("writes the double of bits %s as %s", (bits, text) => {
    expect(canonicalJson(double(bits))).toBe(text);
  });

  it("sorts keys by UTF-16 code units, not by code points or language", () => {
    const keys = ["\u20ac", "\r", "\ufb33", "1", "\u{1f600}", "\u0080", "\u00f6"];
    const object = Object.fromEntries(keys.map((key, at) => [key, at]));
    // The emoji begins with the unit D83D, below FB33, although its code point is above.
    const sorted = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\u{1f600}", "\ufb33"];
    const members = sorted.map((key) => `${JSON.stringify(key)}:${keys.indexOf(key)}`);
    expect(canonicalJson(object)).toBe(`{${members.join(",")}}`);
  });

  it("escapes control characters, quote and backslash in their short form, nothing else", () => {
    expect(canonicalJson('\u20ac$\u000f\nA\'B"\\"/\b\t\f\r\u007f\u2028')).toBe(
      '"\u20ac$\\u000f\\nA\'B\\"\\\\\\"/\\b\\t\\f\\r\u007f\u2028"',
    );
  });

  it("sorts at every depth and keeps the order of arrays", () => {
    expect(canonicalJson({ b: [{ z: 1, y: [3, 1, 2] }, null], a: { d: true, c: "" } })).toBe(
      '{"a":{"c":"","d":true},"b":[{"y":[3,1,2],"z":1},null]}',
    );
  });

  it("is what JSON.parse reads back, for any value", () => {
    fc.assert(
      fc.property(jsonValue, (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  it("is a fixed point through the strict parser, whatever the key order was", () => {
    fc.assert(
      fc.property(jsonValue, (value) => {
        const text = canonicalJson(value);
        expect(canonicalJson(parseStrictJson(text, { depthMax: 500 }))).toBe(text);
        expect(canonicalJson(reverseKeys(value))).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ["undefined", { a: [undefined] }, "InvalidField", "a[0]"],
    ["a function", { f: () => 1 }, "InvalidField", "f"],
    ["NaN", { a: { b: Number.NaN } }, "InvalidField", "a.b"],
    ["infinity", [Infinity], "InvalidField", "[0]"],
    ["a bigint", { n: 1n }, "InvalidField", "n"],
    ["a Map", { m: new Map([[1, 2]]) }, "InvalidField", "m"],
    ["a typed array", { bytes: new Uint8Array(2) }, "InvalidField", "bytes"],
    ["a lone surrogate", { s: "x\ud800" }, "MalformedJson", "s"],
    ["a lone surrogate in a key", { "\udc00": 1 }, "MalformedJson", '["\\udc00"]'],
    ["an own __proto__", JSON.parse('{"a":{"__proto__":1}}'), "ForbiddenKey", "a.__proto__"],
  ])("refuses %s and names the field", (_name, value, code, field) => {
    expect(codeOf(() => canonicalJson(value as JsonValue))).toEqual({ code, field });
  });

  it("refuses nesting beyond its limit instead of overflowing the stack", () => {
    let value: JsonValue = 1;
    for (let depth = 0; depth < 100_000; depth += 1) value = [value];
    expect(codeOf(() => canonicalJson(value)).code).toBe("DocumentTooLarge");
  });

  it("gives equal content equal hashes: SHA-256 of the canonical UTF-8 bytes, in hex", () => {
    const sha256 = (bytes: Uint8Array): Uint8Array => createHash("sha256").update(bytes).digest();
    const expected = createHash("sha256").update('{"a":"\u00e9","b":1}').digest("hex");
    expect(contentHash({ b: 1, a: "\u00e9" }, { sha256 })).toBe(expected);
    expect(contentHash({ a: "\u00e9", b: 1.0 }, { sha256 })).toBe(expected);
    expect(contentHash({ a: "e", b: 1 }, { sha256 })).not.toBe(expected);
  });
});

function reverseKeys(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map((item: JsonValue) => reverseKeys(item));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, member]) => [key, reverseKeys(member as JsonValue)]),
  );
}
