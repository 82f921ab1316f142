// Byte helpers against node's own codecs, and refusals of every second spelling.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  compareBytes,
  compareStrings,
  concatBytes,
  equalBytes,
  fromBase64,
  fromHex,
  isWellFormed,
  sortedKeys,
  toBase64,
  toHex,
  utf8Decode,
  utf8Encode,
  utf8Length,
} from "@kingly/base";
import { codeOf } from "./arbitraries.ts";

const bytes = fc.uint8Array({ maxLength: 40 });

describe("hex and base64", () => {
  it("equal node's codecs and come back", () => {
    fc.assert(
      fc.property(bytes, (data) => {
        expect(toHex(data)).toBe(Buffer.from(data).toString("hex"));
        expect(toBase64(data)).toBe(Buffer.from(data).toString("base64"));
        expect(fromHex(toHex(data))).toEqual(data);
        expect(fromBase64(toBase64(data))).toEqual(data);
      }),
    );
  });

  it.each(["0", "0g", "AB", "0 ", "\u0660\u0660"])("refuses the hex %j", (text) => {
    expect(codeOf(() => fromHex(text)).code).toBe("InvalidField");
  });

  it.each(["A", "AA", "AAA", "AA=A", "====", "=AAA", "AB==", "AAB=", "AA-_", "AA==AAAA", "AA\n="])(
    "refuses the base64 %j",
    (text) => {
      expect(codeOf(() => fromBase64(text)).code).toBe("InvalidField");
    },
  );

  it("read at most one spelling per value", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), (text) => {
        let decoded: Uint8Array;
        try {
          decoded = fromBase64(text);
        } catch {
          return;
        }
        expect(toBase64(decoded)).toBe(text);
      }),
    );
  });
});

describe("orders", () => {
  it("of bytes equals node's", () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        expect(Math.sign(compareBytes(a, b))).toBe(Buffer.compare(a, b));
        expect(equalBytes(a, b)).toBe(Buffer.compare(a, b) === 0);
        expect(concatBytes(a, b)).toEqual(new Uint8Array([...a, ...b]));
      }),
    );
  });

  it("of strings is by code units, for any locale", () => {
    expect(["\u00e9", "z", "Z", "a", "\ufb33", "\u{1f600}"].toSorted(compareStrings)).toEqual([
      "Z",
      "a",
      "z",
      "\u00e9",
      "\u{1f600}",
      "\ufb33",
    ]);
    expect(sortedKeys({ b: 1, 10: 1, 9: 1, B: 1 })).toEqual(["10", "9", "B", "b"]);
  });
});

describe("UTF-8", () => {
  it("comes back, and its length is known without encoding", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(utf8Decode(utf8Encode(text))).toBe(text);
        expect(utf8Length(text)).toBe(Buffer.byteLength(text));
        expect(isWellFormed(text)).toBe(true);
      }),
    );
  });

  it("counts lone surrogates as they are encoded", () => {
    for (const text of ["\ud800", "\udc00", "a\ud800b", "\udc00\ud800", "\ud800\ud800\udc00"]) {
      expect(utf8Length(text)).toBe(Buffer.byteLength(text));
      expect(isWellFormed(text)).toBe(false);
    }
  });

  it("keeps a byte order mark and refuses invalid bytes", () => {
    expect(utf8Decode(Uint8Array.of(0xef, 0xbb, 0xbf, 0x41))).toBe("\ufeffA");
    expect(codeOf(() => utf8Decode(Uint8Array.of(0xc3))).code).toBe("MalformedFrame");
  });
});
