// Equality, merge patch (the examples of RFC 7386 appendix A by rule) and changed keys.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson, changedTopLevelKeys, equalJson, mergePatch } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import { codeOf, jsonValue } from "./arbitraries.ts";

describe("mergePatch", () => {
  it.each<[string, JsonValue, JsonValue, JsonValue]>([
    ["replaces a member", { a: "b" }, { a: "c" }, { a: "c" }],
    ["adds a member", { a: "b" }, { b: "c" }, { a: "b", b: "c" }],
    ["removes a member by null", { a: "b", b: 1 }, { a: null }, { b: 1 }],
    ["ignores the removal of what is not there", { a: 1 }, { z: null }, { a: 1 }],
    ["replaces arrays whole", { a: [1, 2] }, { a: [3] }, { a: [3] }],
    ["replaces a scalar by an object", { a: 1 }, { a: { b: 2 } }, { a: { b: 2 } }],
    ["replaces an array by an object", { a: [1] }, { a: { b: 2 } }, { a: { b: 2 } }],
    [
      "merges nested objects",
      { a: { b: 1, c: 2 } },
      { a: { b: null, d: 3 } },
      { a: { c: 2, d: 3 } },
    ],
    ["drops nulls of a new object", {}, { a: { b: { c: null } } }, { a: { b: {} } }],
    ["keeps nulls inside arrays", { a: 1 }, { a: [null] }, { a: [null] }],
    ["replaces the whole by a scalar", { a: 1 }, "x", "x"],
    ["replaces the whole by null", { a: 1 }, null, null],
    ["treats a scalar target as empty", "x", { a: 1 }, { a: 1 }],
    ["treats an array target as empty", [1, 2], { a: 1, b: null }, { a: 1 }],
  ])("%s", (_name, target, patch, expected) => {
    expect(mergePatch(target, patch)).toEqual(expected);
  });

  it("leaves both arguments alone and is idempotent", () => {
    fc.assert(
      fc.property(jsonValue, jsonValue, (target, patch) => {
        const before = [canonicalJson(target), canonicalJson(patch)];
        const once = mergePatch(target, patch);
        expect([canonicalJson(target), canonicalJson(patch)]).toEqual(before);
        expect(mergePatch(once, patch)).toEqual(once);
      }),
      { numRuns: 500 },
    );
  });

  it("treats inherited names as data and refuses __proto__", () => {
    expect(mergePatch({}, { constructor: { name: "x" } })).toEqual({ constructor: { name: "x" } });
    expect(mergePatch({}, { toString: { a: null } })).toEqual({ toString: {} });
    const patch = JSON.parse('{"a":{"__proto__":{"polluted":true}}}') as JsonValue;
    expect(codeOf(() => mergePatch({ a: {} }, patch)).code).toBe("ForbiddenKey");
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});

describe("equalJson", () => {
  it("agrees with the canonical text", () => {
    fc.assert(
      fc.property(jsonValue, jsonValue, (a, b) => {
        expect(equalJson(a, b)).toBe(canonicalJson(a) === canonicalJson(b));
        expect(equalJson(a, JSON.parse(canonicalJson(a)) as JsonValue)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it.each<[JsonValue, JsonValue]>([
    [{}, []],
    [null, {}],
    [0, false],
    ["1", 1],
    [{ a: 1 }, { b: 1 }],
    [{ toString: 1 }, { a: 1 }],
    [
      [1, 2],
      [2, 1],
    ],
    [[1], [1, 2]],
  ])("tells %j from %j", (a, b) => {
    expect(equalJson(a, b)).toBe(false);
    expect(equalJson(b, a)).toBe(false);
  });
});

describe("changedTopLevelKeys", () => {
  it("lists added, removed and changed keys, sorted, and nothing else", () => {
    const a: JsonObject = { same: { x: [1] }, gone: 1, deep: { y: 1 }, Z: 1 };
    const b: JsonObject = { deep: { y: 2 }, same: { x: [1] }, Z: 2, fresh: null };
    expect(changedTopLevelKeys(a, b)).toEqual(["Z", "deep", "fresh", "gone"]);
    expect(changedTopLevelKeys(a, { ...a })).toEqual([]);
  });

  it("is not fooled by names every object inherits", () => {
    expect(changedTopLevelKeys({}, { valueOf: 1 })).toEqual(["valueOf"]);
  });
});
