// Weights of votes: every cap holds whenever it can hold at all, over random electorates.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WEIGHT_TOTAL, capsOf, weightsOf } from "../src/model/weights.ts";
import type { WeighedNode } from "../src/model/weights.ts";

const NODE_CAP = 0.2;
const OWNER_CAP = 0.34;

/** Rounding moves every weight by at most half a part, and so the sum. */
const EPSILON = 1e-6;

interface Electorate {
  readonly nodes: readonly WeighedNode[];
  readonly sizes: Readonly<Record<string, number>>;
}

/** Between 1 and 32 nodes; owners of very different sizes, classes from nothing to thousands. */
const electorates: fc.Arbitrary<Electorate> = fc.record({
  nodes: fc.array(
    fc.record({
      ownerGroup: fc.constantFrom("x", "x", "x", "x", "x", "y", "y", "z", "w", "v", "u"),
      class: fc.constantFrom("a", "b", "c", "d"),
    }),
    { minLength: 1, maxLength: 32 },
  ),
  sizes: fc.record({ a: fc.nat(5_000), b: fc.nat(500), c: fc.nat(5), d: fc.constant(0) }),
});

function sharesOf({ nodes, sizes }: Electorate): number[] {
  const weights = weightsOf(nodes, sizes);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

function ownerSizes({ nodes }: Electorate): number[] {
  const sizes = new Map<string, number>();
  for (const node of nodes) sizes.set(node.ownerGroup, (sizes.get(node.ownerGroup) ?? 0) + 1);
  return [...sizes.values()];
}

function ownerShares(electorate: Electorate): number[] {
  const shares = sharesOf(electorate);
  const sums = new Map<string, number>();
  electorate.nodes.forEach(({ ownerGroup }, i) => {
    sums.set(ownerGroup, (sums.get(ownerGroup) ?? 0) + (shares[i] ?? 0));
  });
  return [...sums.values()];
}

/** The largest total that these caps leave room for: below 1 they cannot hold together. */
function room(owners: readonly number[], nodeCap: number): number {
  const limit = owners.length >= 3 ? OWNER_CAP : 1;
  return owners.reduce((sum, size) => sum + Math.min(limit, size * nodeCap), 0);
}

function always(check: (electorate: Electorate) => void): void {
  fc.assert(fc.property(electorates, check), { numRuns: 1_000 });
}

describe("weights of votes", () => {
  it("add up to the whole", () => {
    always((electorate) => {
      const weights = weightsOf(electorate.nodes, electorate.sizes);
      const sum = weights.reduce((total, weight) => total + weight, 0);
      expect(Math.abs(sum - WEIGHT_TOTAL)).toBeLessThanOrEqual(weights.length);
      for (const weight of weights) expect(weight).toBeGreaterThanOrEqual(1);
    });
    expect(weightsOf([], {})).toEqual([]);
  });

  it("give no owner more than 34 % where at least three exist", () => {
    always((electorate) => {
      fc.pre(ownerSizes(electorate).length >= 3);
      for (const share of ownerShares(electorate)) {
        expect(share).toBeLessThanOrEqual(OWNER_CAP + EPSILON);
      }
    });
  });

  it("give no node more than a fifth, or an equal share of fewer than five, where owners allow it", () => {
    let met = 0;
    always((electorate) => {
      const cap = Math.max(NODE_CAP, 1 / electorate.nodes.length);
      if (room(ownerSizes(electorate), cap) < 1 - 1e-9) return;
      met += 1;
      for (const share of sharesOf(electorate)) expect(share).toBeLessThanOrEqual(cap + EPSILON);
    });
    expect(met).toBeGreaterThan(500);
  });

  it("raise the node's cap only as far as the owners' cap needs, and never above it", () => {
    let met = 0;
    always((electorate) => {
      const owners = ownerSizes(electorate);
      if (room(owners, Math.max(NODE_CAP, 1 / electorate.nodes.length)) >= 1 - 1e-9) return;
      met += 1;
      const largest = Math.max(...sharesOf(electorate));
      expect(largest).toBeLessThanOrEqual(OWNER_CAP + EPSILON);
      expect(room(owners, largest - 2 * EPSILON)).toBeLessThan(1);
    });
    expect(met).toBeGreaterThan(50);
  });

  it("give what stands for more never less than another node of the same owner", () => {
    always((electorate) => {
      const { nodes, sizes } = electorate;
      const weights = weightsOf(nodes, sizes);
      const raw = nodes.map(({ class: own }) => {
        const count = nodes.filter((node) => node.class === own).length;
        return Math.max(1, sizes[own] ?? 1) / count;
      });
      for (const [i, one] of nodes.entries()) {
        for (const [k, other] of nodes.entries()) {
          if (one.ownerGroup !== other.ownerGroup || (raw[i] ?? 0) < (raw[k] ?? 0)) continue;
          expect(weights[i]).toBeGreaterThanOrEqual(weights[k] ?? 0);
        }
      }
    });
  });

  it("never shrink a class whose size grows", () => {
    fc.assert(
      fc.property(electorates, fc.integer({ min: 1, max: 5_000 }), (electorate, more) => {
        const before = sharesOf(electorate);
        const sizes = { ...electorate.sizes, a: (electorate.sizes["a"] ?? 0) + more };
        const after = sharesOf({ ...electorate, sizes });
        const weight = (shares: readonly number[]): number =>
          shares.reduce(
            (sum, share, i) => sum + (electorate.nodes[i]?.class === "a" ? share : 0),
            0,
          );
        expect(weight(after)).toBeGreaterThanOrEqual(weight(before) - EPSILON);
      }),
      { numRuns: 1_000 },
    );
  });

  it("follow the raw weights where no cap is touched", () => {
    const nodes = ["a", "a", "a", "a", "b", "b", "b", "b"].map((name, i) => ({
      class: name,
      ownerGroup: `owner-${i % 4}`,
    }));
    const weights = weightsOf(nodes, { a: 60, b: 40 });
    expect(weights.map((weight) => weight / WEIGHT_TOTAL)).toEqual([
      0.15, 0.15, 0.15, 0.15, 0.1, 0.1, 0.1, 0.1,
    ]);
  });

  it("do not depend on the order of the votes, to the last part", () => {
    fc.assert(
      fc.property(electorates, fc.infiniteStream(fc.nat()), ({ nodes, sizes }, random) => {
        const order = nodes.map((node, i) => ({ node, i, at: random.next().value }));
        order.sort((a, b) => a.at - b.at);
        const straight = weightsOf(nodes, sizes);
        const shuffled = weightsOf(
          order.map(({ node }) => node),
          sizes,
        );
        expect(shuffled).toEqual(order.map(({ i }) => straight[i]));
      }),
      { numRuns: 1_000 },
    );
  });

  it("are equal for equal nodes, to the last part", () => {
    for (let count = 1; count <= 60; count += 1) {
      const nodes = Array.from({ length: count }, () => ({ class: "gpu", ownerGroup: "ops" }));
      expect(new Set(weightsOf(nodes, { gpu: 1_000 })).size).toBe(1);
    }
  });
});

describe("owners of 4, 1 and 1 nodes", () => {
  const nodes = ["x", "x", "x", "x", "y", "z"].map((ownerGroup) => ({ class: "a", ownerGroup }));

  it("get about a third each: the owners' cap holds, the nodes' cap gives way", () => {
    expect(weightsOf(nodes, { a: 100 })).toEqual([
      85_000_000, 85_000_000, 85_000_000, 85_000_000, 330_000_000, 330_000_000,
    ]);
  });

  it("have caps that leave room for exactly the whole", () => {
    const caps = capsOf([4, 1, 1]);
    expect(caps.group).toBe(OWNER_CAP);
    expect(caps.node).toBeCloseTo(0.33, 12);
    expect(capsOf([2, 2, 2, 1])).toEqual({ node: NODE_CAP, group: OWNER_CAP });
    expect(capsOf([2, 1])).toEqual({ node: 1 / 3, group: 1 });
  });
});
