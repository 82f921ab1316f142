// The LRU cache against a slow obvious model.
import fc from "fast-check";
import { expect, it } from "vitest";
import { LruCache } from "../src/serve/cache.ts";

it("behaves like a list that is searched from the most recent end", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("set" as const), key: fc.integer({ min: 0, max: 9 }) }),
    fc.record({ kind: fc.constant("get" as const), key: fc.integer({ min: 0, max: 9 }) }),
    fc.record({ kind: fc.constant("resize" as const), key: fc.integer({ min: 0, max: 6 }) }),
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 5 }),
      fc.array(step, { maxLength: 80 }),
      (first, steps) => {
        const cache = new LruCache<number>(first);
        let capacity = first;
        let model: { key: string; value: number }[] = [];
        steps.forEach(({ kind, key: number }, value) => {
          const key = String(number);
          if (kind === "resize") {
            capacity = number;
            cache.resize(number);
          } else if (kind === "set") {
            cache.set(key, value);
            model = [...model.filter((entry) => entry.key !== key), { key, value }];
          } else {
            const found = model.find((entry) => entry.key === key);
            expect(cache.get(key)).toBe(found?.value);
            if (found !== undefined) model = [...model.filter((entry) => entry !== found), found];
          }
          model = capacity === 0 ? [] : model.slice(-capacity);
          expect(cache.size).toBe(model.length);
        });
      },
    ),
  );
});
