// Special functions and e-values against values computed at 50 digits from their definitions.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ln, exp, lnNormalCdf, logAddExp, lnOnePlus } from "../src/index.ts";
import { FUNCTIONS } from "./support/functions.ts";
import { createRandom } from "./support/random.ts";

const rows = readFileSync(new URL("./reference/reference.txt", import.meta.url), "utf8")
  .trim()
  .split("\n")
  .map((line) => line.split(" "));

/** Relative error allowed, with an absolute floor for values near a zero of the function. */
const TOLERANCE: Readonly<Record<string, number>> = {
  ln: 3e-16,
  exp: 4e-16,
  lnNormalCdf: 1e-13,
  lnGamma: 2e-14,
  lnBeta: 2e-14,
  regularizedIncompleteBeta: 1e-13,
  lnSnse: 1e-13,
  lnSign: 1e-13,
  lnCombined: 1e-13,
  lnEventCount: 1e-13,
  binomialTail: 1e-12,
};

describe("functions agree with fifty-digit references", () => {
  for (const [name, tolerance] of Object.entries(TOLERANCE)) {
    it(`${name} stays within ${tolerance}`, () => {
      const mine = rows.filter((row) => row[0] === name);
      expect(mine.length).toBeGreaterThan(7);
      for (const row of mine) {
        const args = row.slice(1, -1).map(Number);
        const expected = Number(row.at(-1));
        const actual = FUNCTIONS[name]?.(...args) ?? Number.NaN;
        const scale = name === "ln" || name === "exp" ? Math.abs(expected) : 0.1;
        const error = Math.abs(actual - expected) / Math.max(Math.abs(expected), scale, 5e-324);
        const relative = name === "lnNormalCdf" || name === "binomialTail";
        const shown = `${name}(${args.join(", ")}) = ${actual}, expected ${expected}`;
        const found =
          relative && expected !== 0 ? Math.abs(actual - expected) / Math.abs(expected) : error;
        expect(found, shown).toBeLessThanOrEqual(tolerance);
      }
    });
  }
});

describe("own logarithm and exponential", () => {
  it("agree with the engine's within two units in the last place on random inputs", () => {
    const random = createRandom(1);
    for (let i = 0; i < 50_000; i += 1) {
      const x = (random.unit() - 0.5) * (i % 2 === 0 ? 2 : 1_400);
      const e = Math.exp(x);
      expect(Math.abs(exp(x) - e)).toBeLessThanOrEqual(Math.max(4.5e-16 * e, 5e-324));
      if (e > 0 && e < Infinity) {
        expect(Math.abs(ln(e) - Math.log(e))).toBeLessThanOrEqual(4.5e-16 * Math.abs(Math.log(e)));
      }
    }
  });

  it("handle the edges of the number range as IEEE 754 asks", () => {
    expect(ln(0)).toBe(-Infinity);
    expect(ln(-1)).toBeNaN();
    expect(ln(Number.NaN)).toBeNaN();
    expect(ln(Infinity)).toBe(Infinity);
    expect(ln(1)).toBe(0);
    expect(exp(0)).toBe(1);
    expect(exp(-Infinity)).toBe(0);
    expect(exp(Infinity)).toBe(Infinity);
    expect(exp(Number.NaN)).toBeNaN();
    expect(exp(710)).toBe(Infinity);
    expect(exp(-745)).toBe(5e-324);
    expect(exp(-746)).toBe(0);
    expect(lnOnePlus(-1)).toBe(-Infinity);
    expect(lnOnePlus(1e-18)).toBe(1e-18);
    expect(lnOnePlus(-2)).toBeNaN();
  });

  it("add in logarithms without overflow and with a neutral element", () => {
    expect(logAddExp(1_000, 1_000)).toBeCloseTo(1_000 + Math.LN2, 12);
    expect(logAddExp(-1_000, 3)).toBe(3);
    expect(logAddExp(-Infinity, -2)).toBe(-2);
    expect(logAddExp(-2, -Infinity)).toBe(-2);
    expect(logAddExp(-Infinity, -Infinity)).toBe(-Infinity);
    expect(logAddExp(0, Math.log(3))).toBe(logAddExp(Math.log(3), 0));
  });

  it("keep ln Phi monotone across the seams of its three methods", () => {
    for (const seam of [-2, 0, 2]) {
      let previous = lnNormalCdf(seam - 1e-6);
      for (let i = -999; i <= 1_000; i += 1) {
        const value = lnNormalCdf(seam + i * 1e-9);
        expect(value).toBeGreaterThanOrEqual(previous - 1e-15);
        previous = value;
      }
    }
    expect(lnNormalCdf(-1e200)).toBe(-Infinity);
    expect(lnNormalCdf(50)).toBe(0);
  });
});
