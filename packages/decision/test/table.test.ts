// The ordered row table against the slow obvious model: a Map and a sort.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RowTable } from "../src/core/table.ts";

const keys = fc
  .tuple(fc.constantFrom("a/", "b/", "ab/", "~x/", ""), fc.nat(400))
  .map(([prefix, n]) => `${prefix}${n.toString(36)}`);

describe("the row table", () => {
  it("agrees with a sorted Map after any inserts, replacements and deletions", () => {
    const steps = fc.array(fc.record({ key: keys, remove: fc.boolean() }), { maxLength: 400 });
    fc.assert(
      fc.property(steps, fc.constantFrom("", "a", "a/", "ab/", "~x/1", "zz"), (all, prefix) => {
        const table = new RowTable();
        const model = new Map<string, number>();
        for (const [i, { key, remove }] of all.entries()) {
          if (remove) expect(table.delete(key)).toBe(model.delete(key));
          else {
            table.set(key, i);
            model.set(key, i);
          }
        }
        const expected = [...model]
          .filter(([key]) => key.startsWith(prefix))
          .sort(([a], [b]) => (a < b ? -1 : 1));
        expect([...table.list(prefix)]).toEqual(expected);
        if (prefix.endsWith("/")) expect(table.countOf(prefix)).toBe(expected.length);
        const first = expected.slice(0, 3).map(([key]) => key);
        expect(table.firstKeys(prefix, 3)).toEqual(first);
        expect(table.size).toBe(model.size);
      }),
      { numRuns: 200 },
    );
  });

  it("keeps order across many chunks, whichever way keys arrive", () => {
    for (const way of ["up", "down", "mixed"] as const) {
      const table = new RowTable();
      const count = 5_000;
      for (let i = 0; i < count; i += 1) {
        const n = way === "up" ? i : way === "down" ? count - 1 - i : (i * 2_741) % count;
        table.set(`k/${String(n).padStart(5, "0")}`, n);
      }
      const values = [...table.list("k/")].map(([, value]) => value);
      expect(values).toEqual(Array.from({ length: count }, (_, i) => i));
      for (let i = 0; i < count; i += 2) table.delete(`k/${String(i).padStart(5, "0")}`);
      expect(table.countOf("k/")).toBe(count / 2);
      expect(table.keys("k/001")).toHaveLength(50);
    }
  });
});
