// Calibration, prediction, and the drift detector.

import { describe, expect, it } from "vitest";
import {
  advanceDrift,
  advanceProcess,
  calibrate,
  emptyProcess,
  predictPairs,
  rhoFor,
  startDrift,
} from "../src/index.ts";
import { createRandom } from "./support/random.ts";

describe("calibration", () => {
  it("summarises a known sequence", () => {
    const found = calibrate([1, 2, 3, 4]);
    expect(found.pairs).toBe(4);
    expect(found.mean).toBe(2.5);
    expect(found.standardDeviation).toBeCloseTo(Math.sqrt(5 / 3), 14);
    expect(found.autocorrelation).toBeCloseTo(0.25, 14);
  });

  it("sees alternation as negative and constancy as no correlation", () => {
    expect(calibrate([1, -1, 1, -1, 1, -1]).autocorrelation).toBeCloseTo(-5 / 6, 14);
    expect(calibrate([0, 0, 0])).toEqual({
      pairs: 3,
      mean: 0,
      standardDeviation: 0,
      autocorrelation: 0,
    });
  });

  it("needs two finite pairs", () => {
    expect(() => calibrate([0.1])).toThrow("logRatios.length");
    expect(() => calibrate([0.1, Number.NaN])).toThrow("logRatios[1]");
  });
});

describe("prediction", () => {
  it("lies near the published medians", () => {
    const medians = [
      [0.5, 35, 54, 79],
      [1, 14, 20, 30],
      [2, 7, 10, 14],
    ] as const;
    for (const [ratio, ...expected] of medians) {
      for (const [i, threshold] of [20, 100, 1_000].entries()) {
        const input = { effect: ratio * 0.14, standardDeviation: 0.14, threshold, maxPairs: 300 };
        const found = predictPairs(input);
        expect(found.decidable).toBe(true);
        const median = expected[i] ?? Number.NaN;
        expect(found.pairs).toBeGreaterThan(0.75 * median);
        expect(found.pairs).toBeLessThan(1.3 * median + 1);
      }
    }
  });

  it("is close to the median of simulated processes", () => {
    const effect = 0.1;
    const standardDeviation = 0.14;
    const rho = rhoFor({ standardDeviation });
    const random = createRandom(8);
    const stops = Array.from({ length: 401 }, () => {
      let record = emptyProcess("harm");
      while (record.stoppedAtPair === 0 && record.pairs < 300) {
        const d = effect + standardDeviation * random.normal();
        record = advanceProcess(record, d, { rho, threshold: 100 });
      }
      return record.pairs;
    }).toSorted((a, b) => a - b);
    const found = predictPairs({ effect, standardDeviation, threshold: 100, maxPairs: 300 });
    expect(Math.abs(found.pairs / (stops[200] ?? 0) - 1)).toBeLessThan(0.3);
  });

  it("says when a trial cannot be decided", () => {
    const noisy = { effect: Math.log(1.05), standardDeviation: 0.5, threshold: 20, maxPairs: 120 };
    expect(predictPairs(noisy)).toEqual({ decidable: false, pairs: 0 });
    expect(predictPairs({ ...noisy, effect: -0.01, standardDeviation: 0.01 }).decidable).toBe(
      false,
    );
    expect(predictPairs({ ...noisy, standardDeviation: 0.14 }).decidable).toBe(true);
    expect(predictPairs({ ...noisy, effect: 0.05, standardDeviation: 0 }).decidable).toBe(true);
    expect(() => predictPairs({ ...noisy, maxPairs: 0 })).toThrow("maxPairs");
  });
});

describe("the drift detector", () => {
  const options = { mean: 2, standardDeviation: 0.1, threshold: 5, slack: 0.5 };

  it("follows the CUSUM recurrence", () => {
    let state = startDrift(options);
    const sums: number[] = [];
    for (const value of [2.1, 2.2, 1.9, 2.0, 1.5]) {
      state = advanceDrift(state, value).state;
      sums.push(state.sum);
    }
    for (const [i, sum] of [0.5, 2, 0.5, 0, 0].entries()) expect(sums[i]).toBeCloseTo(sum, 10);
    expect(state.blocks).toBe(5);
    expect(JSON.parse(JSON.stringify(state))).toEqual(state);
  });

  it("raises the alarm on a shift of two deviations within four blocks, upwards only", () => {
    const alarms = (value: number): number => {
      let state = startDrift(options);
      for (let block = 1; block <= 20; block += 1) {
        const next = advanceDrift(state, value);
        if (next.alarm) return block;
        state = next.state;
      }
      return 0;
    };
    expect(alarms(2.2)).toBe(4);
    expect(alarms(1.8)).toBe(0);
    expect(alarms(2.04)).toBe(0);
  });

  it("refuses a baseline without spread", () => {
    expect(() => startDrift({ ...options, standardDeviation: 0 })).toThrow("standardDeviation");
    expect(() => advanceDrift(startDrift(options), Number.NaN)).toThrow("value");
  });
});
