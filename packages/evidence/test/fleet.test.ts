// Many nodes: e-BH, binomial tails, veto budgets, spending.

import { describe, expect, it } from "vitest";
import {
  alphaLocal,
  binomialTail,
  eBenjaminiHochberg,
  spentBeta,
  vetoBudget,
} from "../src/index.ts";
import { createRandom } from "./support/random.ts";

/** The definition, literally: try every k. */
function slowEbh(e: readonly number[], q: number): number[] {
  const order = e.map((_, i) => i).toSorted((a, b) => (e[b] ?? 0) - (e[a] ?? 0) || a - b);
  for (let k = e.length; k >= 1; k -= 1) {
    if ((e[order[k - 1] ?? 0] ?? 0) >= e.length / (k * q))
      return order.slice(0, k).toSorted((a, b) => a - b);
  }
  return [];
}

describe("e-BH", () => {
  it("rejects all of N identical e-values from 1/q on, and none below", () => {
    for (const n of [1, 2, 7, 100]) {
      expect(eBenjaminiHochberg(new Array<number>(n).fill(20), 0.05)).toHaveLength(n);
      expect(eBenjaminiHochberg(new Array<number>(n).fill(19.99), 0.05)).toEqual([]);
    }
  });

  it("asks a lone e-value among N for N/q", () => {
    expect(eBenjaminiHochberg([1, 200, 1, 1, 1, 1, 1, 1, 1, 1], 0.05)).toEqual([1]);
    expect(eBenjaminiHochberg([1, 199, 1, 1, 1, 1, 1, 1, 1, 1], 0.05)).toEqual([]);
    expect(eBenjaminiHochberg([], 0.05)).toEqual([]);
    expect(eBenjaminiHochberg([0, Number.POSITIVE_INFINITY], 0.05)).toEqual([1]);
  });

  it("agrees with the definition on random e-values", () => {
    const random = createRandom(4);
    for (let run = 0; run < 300; run += 1) {
      const e = Array.from({ length: random.below(30) }, () => Math.exp(6 * random.normal()));
      expect(eBenjaminiHochberg(e, 0.1)).toEqual(slowEbh(e, 0.1));
    }
  });

  it("refuses what is not an e-value", () => {
    expect(() => eBenjaminiHochberg([1, -1], 0.05)).toThrow("eValues[1]");
    expect(() => eBenjaminiHochberg([Number.NaN], 0.05)).toThrow("eValues[0]");
    expect(() => eBenjaminiHochberg([1], 0)).toThrow("q must be");
  });
});

describe("binomial tails", () => {
  it("agree with exact sums over all outcomes", () => {
    for (const n of [1, 2, 5, 17, 40]) {
      for (const p of [0.001, 0.3, 0.5, 0.97]) {
        let exact = 0;
        let choose = 1;
        for (let m = n; m >= 0; m -= 1) {
          exact += choose * p ** m * (1 - p) ** (n - m);
          choose = (choose * m) / (n - m + 1);
          expect(Math.abs(binomialTail(n, p, m) - exact)).toBeLessThan(1e-12);
        }
      }
    }
  });

  it("are exact at the edges", () => {
    expect(binomialTail(10, 0.2, 0)).toBe(1);
    expect(binomialTail(10, 0.2, -3)).toBe(1);
    expect(binomialTail(10, 0.2, 11)).toBe(0);
    expect(binomialTail(10, 0, 1)).toBe(0);
    expect(binomialTail(10, 1, 10)).toBe(1);
    expect(binomialTail(0, 0.5, 1)).toBe(0);
  });

  it("make ten false vetoes among a thousand nodes as unlikely as published", () => {
    expect(binomialTail(1_000, 0.001, 10)).toBeGreaterThan(0.9e-7);
    expect(binomialTail(1_000, 0.001, 10)).toBeLessThan(1.2e-7);
  });
});

describe("veto budgets", () => {
  it.each([
    [5, 2],
    [1_000, 7],
    [1, 2],
    [50, 3],
    [100, 4],
    [10_000, 25],
  ])("of a stage of %i nodes at alpha 0.001 is %i", (nodes, expected) => {
    expect(vetoBudget({ nodes, alphaLocal: 0.001 })).toBe(expected);
  });

  it("are the least that keep chance below the ceiling", () => {
    for (const nodes of [2, 9, 33, 250, 4_000]) {
      for (const ceiling of [1e-2, 1e-4, 1e-8]) {
        const m = vetoBudget({ nodes, alphaLocal: alphaLocal(nodes), ceiling });
        expect(binomialTail(nodes, alphaLocal(nodes), m)).toBeLessThanOrEqual(ceiling);
        expect(binomialTail(nodes, alphaLocal(nodes), m - 1)).toBeGreaterThan(ceiling);
      }
    }
  });
});

describe("spending", () => {
  it("of beta over retries sums to beta and falls with the square", () => {
    let total = 0;
    for (let j = 1; j <= 10_000; j += 1) total += spentBeta(0.05, j);
    expect(total).toBeLessThan(0.05);
    expect(total).toBeGreaterThan(0.04999);
    expect(spentBeta(0.05, 3)).toBeCloseTo(spentBeta(0.05, 1) / 9, 15);
    expect(spentBeta(0.05, 1)).toBeCloseTo(0.0303963550927, 12);
    expect(() => spentBeta(0.05, 0)).toThrow("j must be");
  });

  it("of alpha over nodes is at most one false veto per harmless commit", () => {
    expect(alphaLocal(1)).toBe(0.001);
    expect(alphaLocal(1_000)).toBe(0.001);
    expect(alphaLocal(10_000)).toBe(0.0001);
    expect(() => alphaLocal(0)).toThrow("nodes must be");
  });
});
