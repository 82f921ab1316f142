// Validation of tunables: every field, every limit, and errors that name both.
import { describe, expect, it } from "vitest";
import { DEFAULT_TUNABLES, parseTunables, TUNABLE_KEYS, TUNABLES } from "../src/tunables.ts";
import type { Problem } from "../src/tunables.ts";

function problems(text: string): readonly Problem[] {
  const result = parseTunables(text);
  return result.ok ? [] : result.problems;
}

describe("tunables", () => {
  it("default what is missing", () => {
    expect(parseTunables("{}")).toEqual({ ok: true, tunables: DEFAULT_TUNABLES });
    expect(parseTunables('{"batchWindowMs":2}')).toEqual({
      ok: true,
      tunables: { ...DEFAULT_TUNABLES, batchWindowMs: 2 },
    });
  });

  it.each(TUNABLE_KEYS)("accept both ends of the range of %s and nothing beyond", (key) => {
    const { minimum, maximum } = TUNABLES[key];
    for (const value of [minimum, maximum]) {
      expect(parseTunables(JSON.stringify({ [key]: value })).ok).toBe(true);
    }
    for (const value of [minimum - 1, maximum + 1, minimum + 0.5, null, "1", true, [1], {}]) {
      const [found] = problems(JSON.stringify({ [key]: value }));
      expect(found?.field).toBe(key);
      expect(found?.limit).toContain(`from ${minimum} to ${maximum}`);
      expect(found?.message).toContain(JSON.stringify(value));
    }
  });

  it("report every problem of a document, not only the first", () => {
    const found = problems('{"workers":9,"batchWindowMs":-1,"speed":1}');
    expect(found.map((one) => one.field).sort()).toEqual(["batchWindowMs", "speed", "workers"]);
  });

  it("refuse keys that would reach a prototype", () => {
    for (const key of ["__proto__", "constructor", "toString"]) {
      const [found] = problems(`{"${key}":{"workers":2}}`);
      expect(found?.field).toBe(key);
    }
  });

  it.each(["", "{", "[]", "null", "3", '"x"', "{'workers':1}", "NaN"])(
    "refuse the document %j as a whole",
    (text) => {
      expect(problems(text)[0]?.field).toBe("");
    },
  );

  it("shorten a long offending value", () => {
    const [found] = problems(JSON.stringify({ workers: "x".repeat(5_000) }));
    expect(found?.message.length).toBeLessThan(200);
  });

  it("describe every key with a default inside its range and on its step", () => {
    for (const key of TUNABLE_KEYS) {
      const { minimum, maximum, step, default: value } = TUNABLES[key];
      expect(value).toBeGreaterThanOrEqual(minimum);
      expect(value).toBeLessThanOrEqual(maximum);
      expect((value - minimum) % step).toBe(0);
    }
  });
});
