// One e-process: published and own vectors, values, records, limits.

import { describe, expect, it } from "vitest";
import {
  advanceCount,
  advanceProcess,
  checkCount,
  checkProcess,
  emptyCount,
  emptyProcess,
  EvidenceInputError,
  harmValue,
  improvementValue,
  lnCombined,
  lnEventCount,
  lnSign,
  lnSnse,
  nonInferiorValue,
  pairDifference,
  rhoFor,
  type ProcessRecord,
} from "../src/index.ts";

const VECTOR = [0.12, -0.03, 0.08, 0.15, 0.02, 0.11, -0.01, 0.09, 0.14, 0.07];
const RHO = 0.01580063490685053;
const FOREVER = { rho: RHO, threshold: Number.POSITIVE_INFINITY };

function failure(run: () => unknown): EvidenceInputError {
  try {
    run();
  } catch (error) {
    if (error instanceof EvidenceInputError) return error;
    throw error;
  }
  throw new Error("expected an EvidenceInputError, nothing was thrown");
}

describe("published vectors", () => {
  it("tunes rho for one-sided tests as the reference implementation does", () => {
    expect(rhoFor({ standardDeviation: 1, pairs: 100, alpha: 0.05 })).toBeCloseTo(15.800635, 6);
    expect(rhoFor({ standardDeviation: 1, pairs: 100 })).toBeCloseTo(15.800635, 6);
    expect(rhoFor({ standardDeviation: 0.1, pairs: 10 })).toBeCloseTo(RHO, 15);
  });

  it("computes the one-sided normal mixture at (10, 100)", () => {
    const rho = rhoFor({ standardDeviation: 1, pairs: 100 });
    expect(lnSnse({ sum: 10, sumSquares: 100, rho })).toBeCloseTo(-0.06502391, 8);
  });

  it("computes the ten e-values of the sequence that was integrated numerically", () => {
    const expected = [
      0.326695, 0.12107, 0.43559, 0.778713, 0.892678, 1.279421, 1.211412, 1.586647, 1.989518,
      2.33656,
    ];
    let sum = 0;
    let sumSquares = 0;
    for (const [i, d] of VECTOR.entries()) {
      sum += d;
      sumSquares += d * d;
      expect(lnSnse({ sum, sumSquares, rho: RHO })).toBeCloseTo(expected[i] ?? Number.NaN, 5);
    }
  });

  it("computes the sign e-values of 5 of 5, 7 of 7 and 8 of 10", () => {
    expect(Math.exp(lnSign({ positives: 5, pairs: 5 }))).toBeCloseTo(10.5, 12);
    expect(Math.exp(lnSign({ positives: 7, pairs: 7 }))).toBeCloseTo(31.875, 12);
    expect(Math.exp(lnSign({ positives: 8, pairs: 10 }))).toBeCloseTo(4.00202020202, 10);
  });

  it("crosses 20 at the seventh pair and 1000 at the fourteenth of an overwhelming harm", () => {
    const first = (threshold: number): number => {
      let record = emptyProcess("harm");
      const rho = rhoFor({ standardDeviation: 0.1414 });
      while (record.stoppedAtPair === 0) {
        record = advanceProcess(record, 0.5, { rho, threshold });
      }
      return record.stoppedAtPair;
    };
    expect(first(20)).toBe(7);
    expect(first(1_000)).toBe(14);
  });
});

describe("sign and count mixtures", () => {
  it("are one before any trial, and the sign mixture equals the count mixture at equal odds", () => {
    expect(lnSign({ positives: 0, pairs: 0 })).toBe(0);
    for (const [k, n] of [
      [3, 9],
      [40, 77],
      [0, 5],
      [200, 200],
    ] as const) {
      const count = { candidateEvents: k, events: n, exposureShare: 0.5, margin: 0 };
      expect(lnEventCount(count)).toBe(lnSign({ positives: k, pairs: n }));
    }
  });

  it("have mean one under the null, summed over all outcomes of twelve fair coins", () => {
    let mean = 0;
    let choose = 1;
    for (let k = 0; k <= 12; k += 1) {
      mean += (choose / 4_096) * Math.exp(lnSign({ positives: k, pairs: 12 }));
      choose = (choose * (12 - k)) / (k + 1);
    }
    expect(mean).toBeCloseTo(1, 12);
  });

  it("grow with every further positive and stay finite for a hundred thousand pairs", () => {
    for (let k = 1; k <= 60; k += 1) {
      expect(lnSign({ positives: k, pairs: 60 })).toBeGreaterThan(
        lnSign({ positives: k - 1, pairs: 60 }),
      );
    }
    const value = lnSign({ positives: 100_000, pairs: 100_000 });
    expect(value).toBeCloseTo(100_001 * Math.LN2 - Math.log(100_001), 6);
  });

  it("sound the alarm for events after about as many as published", () => {
    const atDoubleRate = lnEventCount({
      candidateEvents: 48,
      events: 72,
      exposureShare: 0.5,
      margin: 0.1,
    });
    expect(atDoubleRate).toBeGreaterThan(Math.log(5));
    expect(atDoubleRate).toBeLessThan(Math.log(100));
    const harmless = lnEventCount({
      candidateEvents: 36,
      events: 72,
      exposureShare: 0.5,
      margin: 0.1,
    });
    expect(harmless).toBeLessThan(0);
  });
});

describe("pair differences", () => {
  it("are positive when the candidate is worse, whichever way the signal is better", () => {
    const worse = { candidate: 110, baseline: 100, floor: 0.001 };
    expect(pairDifference({ ...worse, direction: "lower" })).toBeCloseTo(Math.log(1.1), 14);
    expect(pairDifference({ ...worse, direction: "higher" })).toBeCloseTo(-Math.log(1.1), 14);
  });

  it("are exactly antisymmetric and exactly zero for equal blocks", () => {
    const a = pairDifference({ candidate: 3.7, baseline: 4.1, direction: "lower", floor: 1e-6 });
    const b = pairDifference({ candidate: 4.1, baseline: 3.7, direction: "lower", floor: 1e-6 });
    expect(a).toBe(-b);
    expect(pairDifference({ candidate: 5, baseline: 5, direction: "higher", floor: 1e-6 })).toBe(0);
  });

  it("take the floor for zeros", () => {
    const r = pairDifference({ candidate: 0, baseline: 1, direction: "lower", floor: 0.01 });
    expect(r).toBeCloseTo(Math.log(0.01), 14);
    expect(pairDifference({ candidate: 0, baseline: 0, direction: "lower", floor: 0.01 })).toBe(0);
  });

  it("clip each process around its own margin", () => {
    const r = Math.log(1.1);
    expect(harmValue(r, { margin: 0.02, clip: 0.5 })).toBeCloseTo(r - Math.log(1.02), 14);
    expect(nonInferiorValue(r, { margin: 0.05, clip: 0.5 })).toBeCloseTo(Math.log(1.05) - r, 14);
    expect(improvementValue(r, { clip: 0.5 })).toBe(-r);
    expect(harmValue(3, { margin: 0.02, clip: 0.5 })).toBe(0.5);
    expect(harmValue(-3, { margin: 0.02, clip: 0.5 })).toBe(-0.5);
    expect(nonInferiorValue(-3, { margin: 0.05, clip: 0.25 })).toBe(0.25);
    expect(improvementValue(3, { clip: 0.5 })).toBe(-0.5);
  });
});

describe("records", () => {
  it("hold the sums of what they were given and the e-value of those sums", () => {
    let record = emptyProcess("harm");
    for (const d of VECTOR) record = advanceProcess(record, d, FOREVER);
    expect(record.pairs).toBe(10);
    expect(record.positives).toBe(8);
    expect(record.lnE).toBe(lnCombined({ ...record, rho: RHO }));
    expect(record.stoppedAtPair).toBe(0);
  });

  it("do not change when advanced, and not at all once stopped", () => {
    const before = Object.freeze(emptyProcess("nonInferior"));
    let record = advanceProcess(before, 0.4, { rho: RHO, threshold: 20 });
    expect(before.pairs).toBe(0);
    while (record.stoppedAtPair === 0)
      record = advanceProcess(record, 0.4, { rho: RHO, threshold: 20 });
    expect(record.lnE).toBeGreaterThanOrEqual(Math.log(20));
    expect(record.stoppedAtPair).toBe(record.pairs);
    expect(advanceProcess(record, -0.5, { rho: RHO, threshold: 20 })).toBe(record);
  });

  it("count a tie as not positive and keep zero free of a sign", () => {
    const record = advanceProcess(emptyProcess("harm"), -0, FOREVER);
    expect(record.positives).toBe(0);
    expect(Object.is(record.sum, 0)).toBe(true);
    expect(JSON.parse(JSON.stringify(record))).toEqual(record);
  });

  it("of events stop at their threshold and pass the check that replicas run", () => {
    let record = emptyCount(0.5);
    const options = { margin: 0.1, threshold: 1_000 };
    while (record.stoppedAtPair === 0) {
      record = advanceCount(record, { events: 5, candidateEvents: 5 }, options);
    }
    const limits = { ...options, exposureShare: 0.5, maxPairs: 100 };
    expect(checkCount(record, limits)).toEqual({ ok: true });
    expect(record.stoppedAtPair).toBeLessThan(6);
    expect(advanceCount(record, { events: 1, candidateEvents: 0 }, options)).toBe(record);
    const changes: Partial<ProcessRecord>[] = [
      { events: 100 },
      { candidateEvents: (record.candidateEvents ?? 0) - 1 },
      { exposureShare: 0.4 },
      { stoppedAtPair: 0 },
      { lnE: record.lnE + 1e-9 },
      { pairs: 101 },
      { positives: 1 },
      { sum: 0.1 },
      { sumSquares: 0.1 },
    ];
    for (const change of changes) {
      expect(checkCount({ ...record, ...change }, limits), JSON.stringify(change)).toMatchObject({
        ok: false,
      });
    }
  });

  it("of a guard can be checked alone against their own limits", () => {
    let record = emptyProcess("harm");
    for (const d of VECTOR) record = advanceProcess(record, d, FOREVER);
    const limits = { rho: RHO, clip: 0.5, maxPairs: 10, threshold: 1_000 };
    expect(checkProcess(record, limits)).toEqual({ ok: true });
    expect(checkProcess(record, { ...limits, maxPairs: 9 })).toMatchObject({ field: "pairs" });
    expect(checkProcess(record, { ...limits, rho: 0.02 })).toMatchObject({ field: "lnE" });
    expect(checkProcess(record, { ...limits, threshold: 2 })).toMatchObject({
      field: "stoppedAtPair",
    });
    expect(checkProcess(record, { ...limits, clip: 0.05 }).ok).toBe(false);
  });
});

describe("bad input", () => {
  const cases: readonly (readonly [string, () => unknown])[] = [
    [
      "candidate",
      () => pairDifference({ candidate: -1, baseline: 1, direction: "lower", floor: 1 }),
    ],
    [
      "baseline",
      () => pairDifference({ candidate: 1, baseline: Number.NaN, direction: "lower", floor: 1 }),
    ],
    ["floor", () => pairDifference({ candidate: 1, baseline: 1, direction: "lower", floor: 0 })],
    ["clip", () => harmValue(0, { margin: 0, clip: 0 })],
    ["margin", () => harmValue(0, { margin: -0.1, clip: 0.5 })],
    ["r", () => improvementValue(Number.POSITIVE_INFINITY, { clip: 0.5 })],
    ["rho", () => lnSnse({ sum: 0, sumSquares: 1, rho: 0 })],
    ["sumSquares", () => lnSnse({ sum: 0, sumSquares: -1, rho: 1 })],
    ["positives", () => lnSign({ positives: 3, pairs: 2 })],
    ["pairs", () => lnSign({ positives: 0, pairs: 1.5 })],
    ["alpha", () => rhoFor({ standardDeviation: 0.1, alpha: 0.5 })],
    ["standardDeviation", () => rhoFor({ standardDeviation: -1 })],
    ["exposureShare", () => emptyCount(1)],
    ["threshold", () => advanceProcess(emptyProcess("harm"), 0, { rho: 1, threshold: 1 })],
    ["d", () => advanceProcess(emptyProcess("harm"), Number.NaN, { rho: 1, threshold: 20 })],
    ["record.kind", () => advanceProcess(emptyProcess("count"), 0, { rho: 1, threshold: 20 })],
    [
      "record.kind",
      () =>
        advanceCount(
          emptyProcess("harm"),
          { events: 1, candidateEvents: 0 },
          { margin: 0, threshold: 20 },
        ),
    ],
    [
      "candidateEvents",
      () =>
        advanceCount(
          emptyCount(0.5),
          { events: 1, candidateEvents: 2 },
          { margin: 0, threshold: 20 },
        ),
    ],
  ];
  it.each(cases)("for %s is refused by field, limit and value", (field, run) => {
    const error = failure(run);
    expect(error.field).toBe(field);
    expect(error.limit.length).toBeGreaterThan(2);
    expect(error.message).toContain(field);
  });

  it("shows the value that was given", () => {
    expect(failure(() => emptyCount(7)).value).toBe(7);
    expect(failure(() => emptyCount(7)).message).toBe(
      "exposureShare must be a finite number > 0 and < 1, got 7",
    );
  });
});
