// What replicas do with evidence: everything an honest trial produces is accepted, everything that does
// not add up is refused by field, and nothing whatever its shape makes the check throw.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  advanceTrial,
  checkEvidence,
  finishTrial,
  startTrial,
  type ObjectiveEvidence,
  type ProcessRecord,
  type TrialEvidence,
  type TrialPlan,
} from "../src/index.ts";
import { LATENCY, PLAN, pairOf } from "./support/plan.ts";
import { createRandom } from "./support/random.ts";

function trialOf(seed: number, plan: TrialPlan): TrialEvidence {
  const random = createRandom(seed);
  const effect = [-0.2, -0.05, 0, 0.03, 0.1, 0.4][random.below(6)] ?? 0;
  const spread = [0, 0.02, 0.1, 0.5, 3][random.below(5)] ?? 0;
  const length = random.below(plan.maxPairs + 2);
  let state = startTrial(plan);
  for (let i = 0; i < length; i += 1) {
    const value = (sign: number): number | null =>
      random.unit() < 0.05 ? null : 100 * Math.exp(sign * effect + spread * random.studentT3());
    state = advanceTrial(state, plan, pairOf(value(1), value(-1)));
  }
  return finishTrial(state, plan, "property test");
}

describe("honest evidence", () => {
  it("is accepted for any trial: every decision, noise, drop and length", () => {
    const decisions = new Map<string, number>();
    for (let seed = 0; seed < 1_500; seed += 1) {
      const plan = { ...PLAN, requireImprovement: seed % 3 === 0, maxPairs: 1 + (seed % 120) };
      const evidence = JSON.parse(JSON.stringify(trialOf(seed, plan))) as TrialEvidence;
      const check = checkEvidence(evidence, plan);
      expect(check, `seed ${seed}`).toMatchObject({ ok: true, decision: evidence.decision });
      decisions.set(evidence.decision, (decisions.get(evidence.decision) ?? 0) + 1);
    }
    for (const decision of ["accept", "reject", "abstain"]) {
      expect(decisions.get(decision), decision).toBeGreaterThan(50);
    }
  });
});

type RecordChange = (record: ProcessRecord) => Partial<ProcessRecord>;

function withRecord(
  evidence: TrialEvidence,
  at: readonly [number, number],
  change: RecordChange,
): TrialEvidence {
  const objectives = evidence.objectives.map((objective, i) =>
    i !== at[0]
      ? objective
      : {
          ...objective,
          records: objective.records.map((record, j) =>
            j === at[1] ? { ...record, ...change(record) } : record,
          ),
        },
  );
  return { ...evidence, objectives };
}

describe("single changes", () => {
  const changes: Readonly<Record<string, RecordChange>> = {
    "one pair more": (r) => ({ pairs: r.pairs + 1 }),
    "one pair less": (r) => ({ pairs: r.pairs - 1 }),
    "a fraction of a pair": (r) => ({ pairs: r.pairs + 0.5 }),
    "one positive more": (r) => ({ positives: r.positives + 1 }),
    "one positive less": (r) => ({ positives: r.positives - 1 }),
    "a millionth on the sum": (r) => ({ sum: r.sum + 1e-6 }),
    "the sum's sign": (r) => ({ sum: -r.sum }),
    "a millionth on the squares": (r) => ({ sumSquares: r.sumSquares + 1e-6 }),
    "negative squares": (r) => ({ sumSquares: -r.sumSquares }),
    "one unit in the last place of ln E": (r) => ({ lnE: r.lnE + Math.abs(r.lnE) * 2.3e-16 }),
    "much more evidence": (r) => ({ lnE: r.lnE + 5 }),
    "no evidence": () => ({ lnE: Number.NaN }),
    "another stop": (r) => ({ stoppedAtPair: r.stoppedAtPair === 0 ? r.pairs : 0 }),
    "a stop one pair earlier": (r) => ({ stoppedAtPair: r.stoppedAtPair - 1 }),
    "another kind": (r) => ({ kind: r.kind === "harm" ? "improvement" : "harm" }),
    "a count": () => ({ kind: "count" }),
    "events on a pair": () => ({ events: 3 }),
  };
  for (const [name, change] of Object.entries(changes)) {
    it(`of a record are refused: ${name}`, () => {
      for (let seed = 0; seed < 60; seed += 1) {
        const evidence = trialOf(seed, PLAN);
        for (const at of [
          [0, 0],
          [0, 1],
          [1, 0],
          [1, 2],
        ] as const) {
          const record = evidence.objectives[at[0]]?.records[at[1]];
          if (record === undefined || record.pairs === 0 || record.sum === 0) continue;
          const check = checkEvidence(withRecord(evidence, at, change), PLAN);
          expect(check.ok, `seed ${seed}, record ${at.join()}`).toBe(false);
          if (!check.ok) {
            expect(check.field).toMatch(/^(objectives|decision|pairs)/);
            expect(check.problem.length).toBeGreaterThan(5);
          }
        }
      }
    });
  }

  const whole: Readonly<Record<string, (e: TrialEvidence) => Partial<TrialEvidence>>> = {
    "another decision": (e) => ({ decision: e.decision === "accept" ? "reject" : "accept" }),
    "one pair more": (e) => ({ pairs: e.pairs + 1 }),
    "one pair less": (e) => ({ pairs: e.pairs - 1 }),
    "more dropped pairs than the objectives": (e) => ({ droppedPairs: e.droppedPairs + 99 }),
    "fewer dropped pairs than an objective": () => ({ droppedPairs: -1 }),
    "a missing objective": (e) => ({ objectives: e.objectives.slice(1) }),
    "objectives in another order": (e) => ({ objectives: e.objectives.toReversed() }),
    "a reason of a kilobyte": () => ({ reason: "x".repeat(1_024) }),
    "a dropped pair in one objective only": (e) => ({
      objectives: e.objectives.map((o, i) =>
        i === 0 ? { ...o, droppedPairs: o.droppedPairs + 1 } : o,
      ),
    }),
    "an objective without records": (e) => ({
      objectives: e.objectives.map((o): ObjectiveEvidence => ({ ...o, records: [] })),
    }),
  };
  for (const [name, change] of Object.entries(whole)) {
    it(`of the whole are refused: ${name}`, () => {
      for (let seed = 0; seed < 60; seed += 1) {
        const evidence = trialOf(seed, PLAN);
        if (evidence.pairs === 0) continue;
        expect(checkEvidence({ ...evidence, ...change(evidence) }, PLAN).ok, `seed ${seed}`).toBe(
          false,
        );
      }
    });
  }
});

describe("dishonest evidence", () => {
  const single: TrialPlan = { ...PLAN, objectives: [LATENCY] };

  it("with sums that no clipped differences reach is refused although its arithmetic is right", () => {
    // Replace one record's sums and recompute its ln E by running a plan with a wider clip.
    const wide = { ...single, clip: 2 };
    let state = startTrial(wide);
    const values = [{ objective: LATENCY.name, candidate: 500, baseline: 100 }];
    for (let i = 0; i < 20; i += 1) state = advanceTrial(state, wide, values);
    const evidence = finishTrial(state, wide, "wide");
    expect(checkEvidence(evidence, wide).ok).toBe(true);
    expect(checkEvidence(evidence, single)).toMatchObject({
      ok: false,
      field: "objectives[0].records[0].sumSquares",
    });
  });

  it("with a looser plan's stopping is refused under the real plan", () => {
    const loose = { ...single, alpha: 0.5, beta: 0.5 };
    let state = startTrial(loose);
    const values = [{ objective: LATENCY.name, candidate: 90, baseline: 100 }];
    for (let i = 0; i < 20; i += 1) state = advanceTrial(state, loose, values);
    const evidence = finishTrial(state, loose, "loose");
    expect(checkEvidence(evidence, loose)).toMatchObject({ ok: true, decision: "accept" });
    expect(checkEvidence(evidence, single).ok).toBe(false);
  });

  it("that goes on after Accept was reached is refused", () => {
    let state = startTrial(single);
    const values = [{ objective: LATENCY.name, candidate: 90, baseline: 100 }];
    for (let i = 0; i < 60; i += 1) state = advanceTrial(state, single, values);
    const evidence = finishTrial(state, single, "accept");
    expect(evidence.decision).toBe("accept");
    const objective = evidence.objectives[0];
    if (objective === undefined) throw new Error("no objective");
    const later = { ...evidence, pairs: evidence.pairs + 1, droppedPairs: 1 };
    const stretched = { ...later, objectives: [{ ...objective, droppedPairs: 1 }] };
    // Pretending a dropped last pair keeps every record true; nothing more than that is possible.
    expect(checkEvidence(stretched, single).ok).toBe(true);
    expect(checkEvidence({ ...later, droppedPairs: 0 }, single).ok).toBe(false);
  });

  it("of any shape is answered, never thrown at", () => {
    const evidence = trialOf(3, PLAN);
    fc.assert(
      fc.property(fc.jsonValue(), fc.integer({ min: 0, max: 40 }), (value, spot) => {
        expect(checkEvidence(value as unknown as TrialEvidence, PLAN).ok).toBe(false);
        let left = spot;
        const planted = JSON.parse(JSON.stringify(evidence), (key: string, old: unknown) => {
          left -= 1;
          return left === 0 && key !== "reason" ? value : old;
        }) as TrialEvidence;
        const check = checkEvidence(planted, PLAN);
        if (!check.ok) expect(typeof check.field).toBe("string");
      }),
      { numRuns: 500, seed: 7 },
    );
  });
});
