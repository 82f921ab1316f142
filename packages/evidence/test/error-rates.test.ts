// The guarantees, measured: over ten thousand replays with heavy tails, autocorrelation and drift, coins
// keep false rejections and false acceptances below their bounds at the very boundary of each null.

import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  advanceProcess,
  advanceTrial,
  emptyProcess,
  finishTrial,
  harmValue,
  improvementValue,
  rhoFor,
  startTrial,
  switchbackOrder,
  trialDecision,
  type ProcessRecord,
  type Sha256,
  type TrialPlan,
} from "../src/index.ts";
import { blocks, NOISE_MODELS, pairAt, type NoiseModel } from "./support/noise.ts";
import { LATENCY, PLAN } from "./support/plan.ts";
import { createRandom } from "./support/random.ts";

const PAIRS = 120;
const rho = rhoFor({ standardDeviation: 0.1414 });
const sha256: Sha256 = (bytes) => createHash("sha256").update(bytes).digest();

function harmOfReplay(y: readonly number[], coins: readonly boolean[]): ProcessRecord {
  let record = emptyProcess("harm");
  for (const [i, coin] of coins.entries()) {
    if (record.stoppedAtPair !== 0) break;
    const { candidate, baseline } = pairAt(y, i, coin);
    const d = harmValue(candidate - baseline, { margin: 0, clip: 0.5 });
    record = advanceProcess(record, d, { rho, threshold: 20 });
  }
  return record;
}

function trialOf(
  plan: TrialPlan,
  effect: number,
  y: readonly number[],
  coins: (i: number) => boolean,
) {
  let state = startTrial(plan);
  for (let i = 0; i < plan.maxPairs && trialDecision(state, plan) === undefined; i += 1) {
    const pair = pairAt(y, i, coins(i));
    const values = {
      objective: LATENCY.name,
      candidate: 100 * Math.exp(pair.candidate + effect),
      baseline: 100 * Math.exp(pair.baseline),
    };
    state = advanceTrial(state, plan, [values]);
  }
  return finishTrial(state, plan, "replay");
}

function coinsOf(seed: number): boolean[] {
  const random = createRandom(seed);
  return Array.from({ length: PAIRS }, () => random.coin());
}

describe("ten thousand A/A replays", () => {
  const runs = 2_000;
  const crossed = new Map<NoiseModel, number>();
  it.each(NOISE_MODELS)("reach E >= 20 in at most 5 of 100 under %s noise", (model) => {
    let count = 0;
    for (let seed = 0; seed < runs; seed += 1) {
      const y = blocks(model, PAIRS, createRandom(seed));
      if (harmOfReplay(y, coinsOf(1_000_000 + seed)).stoppedAtPair !== 0) count += 1;
    }
    crossed.set(model, count);
    expect(count / runs).toBeLessThanOrEqual(0.05);
  });

  it("reach it sometimes, so that the bound above is not met by a test without power", () => {
    let total = 0;
    for (const count of crossed.values()) total += count;
    expect(crossed.size).toBe(NOISE_MODELS.length);
    expect(total).toBeGreaterThan(20);
  });
});

describe("ten thousand trials of a candidate that is worse by exactly the margin", () => {
  const plan: TrialPlan = { ...PLAN, objectives: [LATENCY], maxPairs: 60 };
  const runs = 2_000;
  let total = 0;
  it.each(NOISE_MODELS)("are accepted in at most beta of them under %s noise", (model) => {
    let accepted = 0;
    for (let seed = 0; seed < runs; seed += 1) {
      const y = blocks(model, plan.maxPairs, createRandom(20_000 + seed));
      const coins = coinsOf(3_000_000 + seed);
      const effect = Math.log(1 + LATENCY.marginRatio);
      const evidence = trialOf(plan, effect, y, (i) => coins[i] ?? false);
      if (evidence.decision === "accept") accepted += 1;
    }
    total += accepted;
    expect(accepted / runs).toBeLessThanOrEqual(plan.beta);
  });

  it("are accepted sometimes, as a bound that is nearly used must show", () => {
    expect(total).toBeGreaterThan(10);
  });
});

describe("what the trial can do", () => {
  const plan: TrialPlan = { ...PLAN, objectives: [LATENCY] };
  const decided = (effect: number, decision: string): number => {
    let count = 0;
    for (let seed = 0; seed < 150; seed += 1) {
      const y = blocks("autocorrelated", plan.maxPairs, createRandom(50_000 + seed));
      const coins = coinsOf(5_000_000 + seed);
      if (trialOf(plan, effect, y, (i) => coins[i] ?? false).decision === decision) count += 1;
    }
    return count / 150;
  };

  it("reject a harm of 20 % nearly always and accept a gain of 5 % nearly always", () => {
    expect(decided(Math.log(1.2), "reject")).toBeGreaterThan(0.98);
    expect(decided(Math.log(0.95), "accept")).toBeGreaterThan(0.95);
  });

  it("never mistake the two for each other", () => {
    expect(decided(Math.log(1.2), "accept")).toBe(0);
    expect(decided(Math.log(0.95), "reject")).toBe(0);
  });
});

describe("the coins carry the guarantee", () => {
  it("so permuting them leaves the rate of false alarms where it was", () => {
    const runs = 1_000;
    const rate = (shift: number): number => {
      let count = 0;
      for (let seed = 0; seed < runs; seed += 1) {
        const y = blocks("drift", PAIRS, createRandom(70_000 + seed));
        const coins = coinsOf(seed);
        const permuted = coins.map((_, i) => coins[(i * 7 + shift) % PAIRS] ?? false);
        if (harmOfReplay(y, permuted).stoppedAtPair !== 0) count += 1;
      }
      return count / runs;
    };
    const rates = [0, 1, 61].map(rate);
    for (const value of rates) expect(value).toBeLessThanOrEqual(0.05);
    // Three standard errors of a difference of two rates near 3 %.
    expect(Math.max(...rates) - Math.min(...rates)).toBeLessThan(0.02);
  });

  it("and turning every coin over turns evidence of harm into evidence of improvement, exactly", () => {
    const y = blocks("autocorrelated", PAIRS, createRandom(9));
    const coins = coinsOf(10);
    let harm = emptyProcess("harm");
    let improvement = emptyProcess("improvement");
    for (const [i, coin] of coins.entries()) {
      const there = pairAt(y, i, coin);
      const back = pairAt(y, i, !coin);
      const options = { rho, threshold: Number.POSITIVE_INFINITY };
      const d = harmValue(there.candidate - there.baseline, { margin: 0, clip: 0.5 });
      harm = advanceProcess(harm, d, options);
      const e = improvementValue(back.candidate - back.baseline, { clip: 0.5 });
      improvement = advanceProcess(improvement, e, options);
    }
    expect(improvement).toEqual({ ...harm, kind: "improvement" });
  });

  it("without them a drift alone convicts a harmless candidate", () => {
    let count = 0;
    for (let seed = 0; seed < 50; seed += 1) {
      const y = blocks("drift", PAIRS, createRandom(90_000 + seed));
      // Before/after: the candidate's blocks all come from the second half.
      const reordered = y.slice(0, PAIRS).flatMap((before, i) => [before, y[PAIRS + i] ?? 0]);
      const never = Array.from({ length: PAIRS }, () => false);
      if (harmOfReplay(reordered, never).stoppedAtPair !== 0) count += 1;
    }
    expect(count).toBeGreaterThan(40);
  });

  it("and the hashed coin of the design is as good as a fair one", () => {
    let accepted = 0;
    const plan: TrialPlan = { ...PLAN, objectives: [LATENCY], maxPairs: 60 };
    for (let run = 0; run < 300; run += 1) {
      const seed = sha256(Uint8Array.of(run % 256, Math.floor(run / 256)));
      const y = blocks("drift", 60, createRandom(run));
      const coin = (pair: number): boolean =>
        switchbackOrder({ seed, unit: "node-1", pair }, sha256) === "candidate-first";
      if (trialOf(plan, Math.log(1.05), y, coin).decision === "accept") accepted += 1;
    }
    expect(accepted / 300).toBeLessThanOrEqual(0.05);
  });
});
