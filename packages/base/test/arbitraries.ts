// Generators and helpers that the tests of this package share.

import fc from "fast-check";
import { KinglyError } from "@kingly/base";
import type { JsonValue } from "@kingly/base";

/** Text without lone surrogates. */
export const text: fc.Arbitrary<string> = fc.string({ unit: "binary", maxLength: 12 });

/** Numbers that survive storage: no -0, nothing beyond 2^53 - 1. */
export const safeNumber: fc.Arbitrary<number> = fc
  .oneof(fc.integer(), fc.maxSafeInteger(), fc.double({ noNaN: true, min: -1e15, max: 1e15 }))
  .map((value) => (value === 0 ? 0 : value));

/** Any JSON value that the strict parser accepts. */
export const jsonValue: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom<JsonValue>(null, true, false),
    safeNumber,
    text,
    fc.array(tie("value"), { maxLength: 6 }),
    fc.dictionary(
      fc
        .oneof(
          text,
          fc.constantFrom("constructor", "toString", "hasOwnProperty", "a.b", "length", ""),
        )
        .filter((key) => key !== "__proto__"),
      tie("value"),
      { maxKeys: 12, noNullPrototype: true },
    ),
  ),
})).value;

/** The code and field of the KinglyError that the call throws; fails when it throws none. */
export function codeOf(call: () => unknown): { code: string; field: string | undefined } {
  try {
    call();
  } catch (thrown) {
    if (thrown instanceof KinglyError) return { code: thrown.code, field: thrown.details.field };
    throw thrown;
  }
  throw new Error("nothing was thrown");
}
