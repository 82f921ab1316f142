// A trial from its first pair to its evidence: decisions, stopping, dropped pairs, resuming.

import { describe, expect, it } from "vitest";
import {
  advanceTrial,
  checkEvidence,
  EvidenceInputError,
  finishTrial,
  lnHarmOf,
  pointEffect,
  readPlan,
  recordOf,
  startTrial,
  trialDecision,
  type ObjectiveValues,
  type TrialPlan,
  type TrialState,
} from "../src/index.ts";
import { GOODPUT, LATENCY, PLAN, pairOf } from "./support/plan.ts";

function run(plan: TrialPlan, pairs: number, make: (i: number) => ObjectiveValues[]): TrialState {
  let state = startTrial(plan);
  for (let i = 0; i < pairs; i += 1) state = advanceTrial(state, plan, make(i));
  return state;
}

describe("decisions", () => {
  it("reject a candidate whose guardrail alone is harmed, although other objectives improve", () => {
    const state = run(PLAN, 120, () => pairOf(80, 60));
    expect(trialDecision(state, PLAN)).toBe("reject");
    expect(state.pairs).toBeLessThan(20);
    expect(lnHarmOf(state.objectives, PLAN)).toBeGreaterThanOrEqual(Math.log(100));
  });

  it("let harm in one objective outgrow its weight instead of stopping it at 1/alpha", () => {
    const weighted = { ...PLAN, objectives: [{ ...LATENCY, weight: 50 }, GOODPUT] };
    const state = run(weighted, 120, () => pairOf(100, 60));
    expect(trialDecision(state, weighted)).toBe("reject");
    const harm = state.objectives[1]?.records[0];
    expect(harm?.lnE).toBeGreaterThan(Math.log(100 * 51) - 0.1);
    expect(harm?.stoppedAtPair).toBe(state.pairs);
  });

  it("accept a candidate that is equal, once every objective has excluded its margin", () => {
    const noise = [1.02, 0.98, 1.01, 0.99];
    const state = run(PLAN, 120, (i) =>
      pairOf(100 * (noise[i % 4] ?? 1), 100 / (noise[(i + 1) % 4] ?? 1)),
    );
    expect(trialDecision(state, PLAN)).toBe("accept");
    for (const evidence of state.objectives) {
      expect(recordOf(evidence, "nonInferior")?.stoppedAtPair).toBeGreaterThan(0);
    }
  });

  it("ask for improvement of the primary only where the plan does", () => {
    const strict = { ...PLAN, requireImprovement: true };
    const equal = run(strict, 120, (i) => pairOf(i % 2 === 0 ? 101 : 99, 100));
    expect(trialDecision(equal, strict)).toBeUndefined();
    const better = run(strict, 120, (i) => pairOf(i % 2 === 0 ? 91 : 89, i % 2 === 0 ? 101 : 99));
    expect(trialDecision(better, strict)).toBe("accept");
  });

  it("never accept under a plan with beta 0, which is how a guard goes on for ever", () => {
    const guard = { ...PLAN, beta: 0, alpha: 0.001 };
    const state = run(guard, 120, () => pairOf(50, 200));
    expect(trialDecision(state, guard)).toBeUndefined();
    const harmed = run(guard, 120, () => pairOf(150, 100));
    expect(trialDecision(harmed, guard)).toBe("reject");
    expect(checkEvidence(finishTrial(harmed, guard, "harm"), guard).ok).toBe(true);
  });

  it("call a tie of both thresholds in one pair a rejection", () => {
    // 41 % worse lies in the middle between no harm and a tolerated doubling, so both processes see
    // the same distance and cross at the same pair.
    const tie: TrialPlan = {
      ...PLAN,
      objectives: [{ ...LATENCY, marginRatio: 1, harmMarginRatio: 0 }],
      alpha: 0.05,
    };
    const values = [{ objective: LATENCY.name, candidate: 141.42, baseline: 100 }];
    const state = run(tie, 120, () => values);
    const records = state.objectives[0]?.records ?? [];
    expect(records[0]?.stoppedAtPair).toBe(records[1]?.stoppedAtPair);
    expect(trialDecision(state, tie)).toBe("reject");
    expect(checkEvidence(finishTrial(state, tie, "tie"), tie)).toMatchObject({
      decision: "reject",
    });
  });

  it("are final: later pairs change nothing", () => {
    const state = run(PLAN, 120, () => pairOf(160, 100));
    expect(advanceTrial(state, PLAN, pairOf(50, 100))).toBe(state);
  });

  it("end as Abstain when the pairs are used up", () => {
    const short = { ...PLAN, maxPairs: 3 };
    const state = run(short, 10, () => pairOf(100, 100));
    expect(state.pairs).toBe(3);
    const evidence = finishTrial(state, short, "3 pairs were not enough");
    expect(evidence.decision).toBe("abstain");
    expect(checkEvidence(evidence, short)).toMatchObject({ ok: true, decision: "abstain" });
  });

  it("abstain with no data at all, which checks out too", () => {
    const evidence = finishTrial(startTrial(PLAN), PLAN, "no traffic");
    expect(checkEvidence(evidence, PLAN)).toEqual({ ok: true, decision: "abstain", lnHarm: 0 });
  });
});

describe("empty blocks", () => {
  it("drop the pair for the objective that has no data, and are counted on both levels", () => {
    const state = run(PLAN, 10, (i) =>
      pairOf(i === 2 ? null : 100, i === 2 || i === 5 ? null : 100),
    );
    expect(state.pairs).toBe(10);
    expect(state.droppedPairs).toBe(2);
    expect(state.objectives.map((o) => o.droppedPairs)).toEqual([1, 2]);
    expect(state.objectives.map((o) => o.records[0]?.pairs)).toEqual([9, 8]);
    expect(checkEvidence(finishTrial(state, PLAN, "deadline"), PLAN).ok).toBe(true);
  });

  it("treat an objective that is not reported as empty", () => {
    const state = run(PLAN, 5, () => pairOf(100, 100).slice(0, 1));
    expect(state.objectives.map((o) => o.droppedPairs)).toEqual([0, 5]);
  });

  it("make a trial without data for one objective undecidable, however good the other is", () => {
    const state = run(PLAN, 120, () => pairOf(60, null));
    expect(trialDecision(state, PLAN)).toBeUndefined();
  });
});

describe("states", () => {
  it("survive JSON at every pair, so that a trial resumed from disk ends the same", () => {
    let straight = startTrial(PLAN);
    let resumed = startTrial(PLAN);
    for (let i = 0; i < 60; i += 1) {
      const values = pairOf(100 + (i % 7) * 2, 100 - (i % 5));
      straight = advanceTrial(straight, PLAN, values);
      resumed = JSON.parse(JSON.stringify(advanceTrial(resumed, PLAN, values))) as TrialState;
    }
    expect(resumed).toEqual(straight);
    expect(finishTrial(resumed, PLAN, "")).toEqual(finishTrial(straight, PLAN, ""));
  });

  it("are never changed in place", () => {
    const before = startTrial(PLAN);
    const copy = JSON.stringify(before);
    advanceTrial(before, PLAN, pairOf(120, 90));
    expect(JSON.stringify(before)).toBe(copy);
  });

  it("do not depend on the order in which values are reported", () => {
    const forward = run(PLAN, 20, (i) => pairOf(100 + i, 100 - i));
    const backward = run(PLAN, 20, (i) => pairOf(100 + i, 100 - i).toReversed());
    expect(backward).toEqual(forward);
  });

  it("suggest an effect for people", () => {
    const state = run({ ...PLAN, beta: 0 }, 5, () => pairOf(107, 100));
    const latency = state.objectives[0];
    expect(latency && pointEffect(latency, LATENCY.harmMarginRatio)).toBeCloseTo(0.07, 10);
  });
});

describe("bad input", () => {
  const fields: readonly (readonly [string, Record<string, unknown>])[] = [
    ["plan.alpha", { alpha: 0 }],
    ["plan.alpha", { alpha: 0.6 }],
    ["plan.beta", { beta: -0.1 }],
    ["plan.clip", { clip: 0 }],
    ["plan.maxPairs", { maxPairs: 1.5 }],
    ["plan.objectives.length", { objectives: [] }],
    ["plan.objectives[1].name", { objectives: [LATENCY, LATENCY] }],
    ["plan.objectives[0].name", { objectives: [{ ...LATENCY, name: "" }] }],
    ["plan.objectives[0].role", { objectives: [{ ...LATENCY, role: "both" }] }],
    ["plan.objectives[0].direction", { objectives: [{ ...LATENCY, direction: "up" }] }],
    ["plan.objectives[0].floor", { objectives: [{ ...LATENCY, floor: 0 }] }],
    ["plan.objectives[0].weight", { objectives: [{ ...LATENCY, weight: 0 }] }],
    ["plan.objectives[0].marginRatio", { objectives: [{ ...LATENCY, marginRatio: 1.1 }] }],
    ["plan.objectives[0].harmMarginRatio", { objectives: [{ ...LATENCY, harmMarginRatio: -1 }] }],
    ["plan.objectives[0].rho", { objectives: [{ ...LATENCY, rho: Number.NaN }] }],
    ["plan.requireImprovement", { requireImprovement: true, objectives: [GOODPUT] }],
  ];
  it.each(fields)("in %s is refused by name", (field, change) => {
    const plan = { ...PLAN, ...change } as unknown as TrialPlan;
    expect(() => startTrial(plan)).toThrow(EvidenceInputError);
    expect(() => startTrial(plan)).toThrow(field);
    expect(() => readPlan(plan)).toThrow(field);
  });

  it("in a plan from outside is refused whatever its shape, and a good one is read unchanged", () => {
    expect(readPlan(JSON.parse(JSON.stringify(PLAN)))).toEqual(PLAN);
    for (const value of [
      null,
      [],
      "plan",
      {},
      { ...PLAN, objectives: {} },
      { ...PLAN, alpha: "1" },
    ]) {
      expect(() => readPlan(value)).toThrow(EvidenceInputError);
    }
  });

  it("names values of objectives that the plan does not know, or knows once", () => {
    const state = startTrial(PLAN);
    const unknown = [{ objective: "cpu", candidate: 1, baseline: 1 }];
    expect(() => advanceTrial(state, PLAN, unknown)).toThrow("values[0].objective");
    const twice = [...pairOf(1, 1), ...pairOf(1, 1)];
    expect(() => advanceTrial(state, PLAN, twice)).toThrow("values[2].objective");
    expect(() => advanceTrial(state, PLAN, pairOf(-1, 1))).toThrow("candidate");
    expect(() => finishTrial(state, PLAN, "x".repeat(600))).toThrow("reason");
    const other = { ...PLAN, objectives: [LATENCY] };
    expect(() => advanceTrial(state, other, [])).toThrow("state.objectives");
  });
});
