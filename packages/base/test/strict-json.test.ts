// The strict parser: equal to JSON.parse on good input, and one refusal per class of bad input.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KinglyError, parseStrictJson, utf8Encode } from "@kingly/base";
import { codeOf, jsonValue } from "./arbitraries.ts";

describe("parseStrictJson on good input", () => {
  it("equals JSON.parse, compact or indented, as text or as bytes", () => {
    fc.assert(
      fc.property(jsonValue, fc.constantFrom(undefined, 1, "\t"), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        expect(parseStrictJson(text)).toEqual(JSON.parse(text));
        expect(parseStrictJson(utf8Encode(text))).toEqual(JSON.parse(text));
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([
    " \t\r\n[ 1 , 2 ] \n",
    '{"a":{},"b":[],"c":[[]]}',
    '"\\u0041\\/\\b\\ud83d\\ude00\u{1f600}"',
    "[1.50,100e-2,0.1,1E2,0e5,0.0,123456789012345]",
    '{"toString":1,"constructor":{"prototype":{"polluted":1}}}',
    "9007199254740991",
    "-9007199254740991",
    "5e-324",
    "0.30000000000000004",
    "null",
    '""',
  ])("accepts %s", (text) => {
    expect(parseStrictJson(text)).toEqual(JSON.parse(text));
  });

  it("accepts every double below 2^53 as JSON.stringify prints it", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, min: -9e15, max: 9e15 }), (value) => {
        const text = JSON.stringify(value);
        expect(parseStrictJson(text)).toBe(JSON.parse(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it("finds no duplicate among many different keys", () => {
    const object = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`key${at}`, at]));
    expect(parseStrictJson(JSON.stringify(object))).toEqual(object);
  });
});

describe("parseStrictJson on bad input", () => {
  it.each([
    ["a duplicate key", '{"a":1,"b":2,"a":3}', "DuplicateKey", "a"],
    ["a duplicate key spelled with an escape", '{"ab":1,"\\u0061b":2}', "DuplicateKey", "ab"],
    ["a nested duplicate key", '{"s":{"d":[0,{"x":1,"x":1}]}}', "DuplicateKey", "s.d[1].x"],
    ["__proto__", '{"spec":{"__proto__":{"admin":true}}}', "ForbiddenKey", "spec.__proto__"],
    ["__proto__ with an escape", '{"__pr\\u006fto__":1}', "ForbiddenKey", "__proto__"],
    ["a lone high surrogate", '{"a":"\\ud800"}', "MalformedJson", "a"],
    ["a lone low surrogate", '["\\udc00x"]', "MalformedJson", "[0]"],
    ["a raw lone surrogate", '["\ud83d"]', "MalformedJson", "[0]"],
    ["surrogates in the wrong order", '["\\ude00\\ud83d"]', "MalformedJson", "[0]"],
    ["an integer beyond 2^53 - 1", '{"n":9007199254740992}', "UnsafeNumber", "n"],
    ["an odd integer that would be rounded", "[9007199254740993]", "UnsafeNumber", "[0]"],
    ["a negative unsafe integer", "[-9007199254740993]", "UnsafeNumber", "[0]"],
    ["an exponent that overflows", '{"a":{"b":1e400}}', "UnsafeNumber", "a.b"],
    ["an exponent that underflows", "[1e-400]", "UnsafeNumber", "[0]"],
    ["more digits than a double holds", "[0.1000000000000000055]", "UnsafeNumber", "[0]"],
    ["negative zero", "[-0]", "UnsafeNumber", "[0]"],
    ["negative zero with a fraction", "[-0.00]", "UnsafeNumber", "[0]"],
    ["a trailing comma in an array", "[1,2,]", "MalformedJson", "[2]"],
    ["a trailing comma in an object", '{"a":1,}', "MalformedJson", ""],
    ["a missing comma", "[1 2]", "MalformedJson", "[0]"],
    ["a missing colon", '{"a" 1}', "MalformedJson", "a"],
    ["a key without quotes", "{a:1}", "MalformedJson", ""],
    ["single quotes", "['a']", "MalformedJson", "[0]"],
    ["a leading zero", "[01]", "MalformedJson", "[0]"],
    ["a leading plus", "[+1]", "MalformedJson", "[0]"],
    ["a bare point", "[.5]", "MalformedJson", "[0]"],
    ["a point without digits", "[1.]", "MalformedJson", "[0]"],
    ["an exponent without digits", "[1e+]", "MalformedJson", "[0]"],
    ["a lone minus", "[-]", "MalformedJson", "[0]"],
    ["NaN", "[NaN]", "MalformedJson", "[0]"],
    ["a comment", "[1/* one */]", "MalformedJson", "[0]"],
    ["a control character in a string", '["a\nb"]', "MalformedJson", "[0]"],
    ["an unknown escape", '["\\x41"]', "MalformedJson", "[0]"],
    ["a short unicode escape", '["\\u12"]', "MalformedJson", "[0]"],
    ["an open string", '{"a":"x', "MalformedJson", "a"],
    ["an open array", "[1", "MalformedJson", "[0]"],
    ["an open object", '{"a":1', "MalformedJson", "a"],
    ["a cut word", "[tru]", "MalformedJson", "[0]"],
    ["a word with a tail", "[nullx]", "MalformedJson", "[0]"],
    ["two documents", "{} {}", "MalformedJson", ""],
    ["nothing", "", "MalformedJson", ""],
    ["white space that JSON does not know", "[\u00a01]", "MalformedJson", "[0]"],
    ["a byte order mark", "\ufeff{}", "MalformedJson", ""],
    ["a wrong bracket", '{"a":[1}', "MalformedJson", "a[0]"],
  ])("refuses %s", (_name, text, code, field) => {
    expect(codeOf(() => parseStrictJson(text))).toEqual({ code, field });
  });

  it("refuses a duplicate among many keys, wherever it stands", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 60 }), fc.nat(), (size, pick) => {
        const keys = Array.from({ length: size }, (_, at) => `k${at}`);
        const repeated = keys[pick % size] as string;
        const members = [...keys, repeated].map((key) => `"${key}":0`);
        expect(codeOf(() => parseStrictJson(`{${members.join(",")}}`))).toEqual({
          code: "DuplicateKey",
          field: repeated,
        });
      }),
    );
  });

  it("accepts no damaged document that JSON.parse would refuse", () => {
    const fragment = fc.constantFrom(
      "",
      ",",
      "}",
      "]",
      '"',
      "\\",
      "0",
      "-",
      "e",
      "{",
      ":",
      "\u0001",
    );
    fc.assert(
      fc.property(jsonValue, fc.nat(), fc.nat(2), fragment, (value, at, cut, insert) => {
        const text = JSON.stringify(value);
        const from = at % (text.length + 1);
        const damaged = text.slice(0, from) + insert + text.slice(from + cut);
        let expected: unknown;
        let valid = true;
        try {
          expected = JSON.parse(damaged);
        } catch {
          valid = false;
        }
        try {
          expect(parseStrictJson(damaged)).toEqual(expected);
          expect(valid).toBe(true);
        } catch (thrown) {
          if (!(thrown instanceof KinglyError)) throw thrown;
          // What JSON.parse accepts may still be refused, but then not as malformed grammar.
          if (valid && thrown.code === "MalformedJson") {
            expect(thrown.message).toContain("lone surrogate");
          }
        }
      }),
      { numRuns: 3_000 },
    );
  });

  it("refuses invalid UTF-8", () => {
    expect(codeOf(() => parseStrictJson(Uint8Array.of(0x22, 0xff, 0x22))).code).toBe(
      "MalformedJson",
    );
    // An overlong encoding of "/".
    expect(codeOf(() => parseStrictJson(Uint8Array.of(0x22, 0xc0, 0xaf, 0x22))).code).toBe(
      "MalformedJson",
    );
  });

  it("counts bytes, not characters, and names limit and value", () => {
    const text = `"${"\u20ac".repeat(10)}"`;
    expect(parseStrictJson(text, { bytesMax: 32 })).toBe("\u20ac".repeat(10));
    for (const input of [text, utf8Encode(text)]) {
      try {
        parseStrictJson(input, { bytesMax: 31 });
        expect.unreachable();
      } catch (thrown) {
        const error = thrown as KinglyError;
        expect(error.code).toBe("DocumentTooLarge");
        expect(error.details).toMatchObject({ limit: 31, value: 32 });
      }
    }
  });

  it("counts depth, names the place, and survives hostile nesting", () => {
    expect(parseStrictJson("[[1]]", { depthMax: 2 })).toEqual([[1]]);
    expect(codeOf(() => parseStrictJson('{"a":[[1]]}', { depthMax: 2 }))).toEqual({
      code: "DocumentTooLarge",
      field: "a[0]",
    });
    expect(codeOf(() => parseStrictJson("[", { depthMax: 0 })).code).toBe("DocumentTooLarge");
    expect(codeOf(() => parseStrictJson("[".repeat(1_000_000))).code).toBe("DocumentTooLarge");
  });

  it("repeats no more than a little of what it refuses", () => {
    try {
      parseStrictJson(`[${"9".repeat(100_000)}]`);
      expect.unreachable();
    } catch (thrown) {
      expect((thrown as KinglyError).message.length).toBeLessThan(300);
      expect(String((thrown as KinglyError).details.value).length).toBeLessThanOrEqual(80);
    }
  });

  it("leaves the prototype of all objects alone", () => {
    parseStrictJson('{"constructor":{"prototype":{"polluted":true}}}');
    expect(codeOf(() => parseStrictJson('{"__proto__":{"polluted":true}}')).code).toBe(
      "ForbiddenKey",
    );
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});
