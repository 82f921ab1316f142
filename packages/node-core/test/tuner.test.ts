import { checkEvidence } from "@kingly/evidence";
import type { TrialEvidence, TrialPlan } from "@kingly/evidence";
import { describe, expect, it } from "vitest";
import { assignment, order, Plant, push } from "./support/plant.ts";
import type { Behaviour, PlantOptions } from "./support/plant.ts";

const V1 = { window: 0, size: 8 };
const tuner = { enabled: true, targets: ["inference/main"], keys: [], minIntervalMs: 600_000 };

/** A dense node: a window of 1 helps, 2 and 4 help more, longer windows only add waiting. */
const dense: Behaviour = (data) => {
  const window = data["window"] as number;
  return window === 0 ? 1 : window <= 1 ? 0.75 : window <= 4 ? 0.62 : 0.62 + window / 20;
};

function tuning(options: PlantOptions = {}, more: object = {}): Plant {
  const plant = new Plant({ behaviour: dense, noise: 0.15, node: { tuner }, ...options });
  plant.start().connect();
  return plant.send(push(assignment(1, V1, { agentsMayPropose: true, ...more })));
}

describe("the tuner", () => {
  it("finds a better batch window in a few steps, proposes it with evidence, stays on its baseline", () => {
    for (let seed = 0; seed < 20; seed += 1) {
      const plant = tuning({ seed: `dense-${seed}` });
      plant.until(() => plant.saw("Calibrated") > 0, 60_000, "calibration");
      const fromMs = plant.nowMs;
      plant.until(() => plant.of("Proposal").length > 0, 200_000, "proposal");
      const proposal = plant.of("Proposal")[0];
      expect(proposal).toMatchObject({ configUid: "cfg-1", baseVersion: 1 });
      expect([1, 2, 4]).toContain(proposal?.patch["window"]);
      const evidence = proposal?.evidence as unknown as TrialEvidence;
      const checked = checkEvidence(evidence, proposal?.plan as unknown as TrialPlan);
      expect(checked).toMatchObject({ ok: true, decision: "accept" });
      // Half-second blocks: well under a minute of virtual time.
      expect(plant.nowMs - fromMs).toBeLessThan(60_000);
      plant.run(60_000);
      expect(plant.running.data).toEqual(V1);
      expect(plant.of("Proposal")).toHaveLength(1);
    }
  });

  it("waits for the policy's wash-out or its own key, not for the other keys of the version", () => {
    const { guard } = assignment(1, V1);
    const plan = { ...guard, washoutSeconds: 30, baseWashoutSeconds: 0.2 };
    const plant = tuning({}, { guard: plan });
    plant.until(() => plant.saw("Calibrated") > 0, 120_000, "calibration");
    const fromMs = plant.nowMs;
    plant.until(() => plant.of("Proposal").length > 0, 3_600_000, "proposal");
    expect(plant.nowMs - fromMs).toBeLessThan(120_000);
  });

  it("gives up a direction that hurts or brings nothing, and proposes nothing", () => {
    for (const factor of [1, 2]) {
      const behaviour: Behaviour = (data) => (data["window"] === 0 ? 1 : factor);
      const plant = tuning({ behaviour });
      plant.until(() => plant.saw("TunerGivesUp") > 0, 120_000, "giving up").run(5_000);
      expect(plant.of("Proposal")).toEqual([]);
      expect(plant.running.data).toEqual(V1);
    }
  });

  it("does nothing unless both the policy and the node's owner allow it", () => {
    const notAllowed = tuning({}, { agentsMayPropose: false }).run(60_000);
    const notEnabled = tuning({ node: { tuner: { ...tuner, enabled: false } } }).run(60_000);
    const otherTarget = tuning({ node: { tuner: { ...tuner, targets: ["other"] } } }).run(60_000);
    for (const plant of [notAllowed, notEnabled, otherTarget]) {
      expect(plant.saw("Calibrated")).toBe(1);
      expect(plant.saw("TunerTries")).toBe(0);
    }
  });

  it("never leaves the schema's range nor the owner's", () => {
    const behaviour: Behaviour = (data) => 1 / (1 + (data["window"] as number));
    const limits = { "inference/main": { window: { maximum: 5 } } };
    const plant = tuning({ behaviour, node: { tuner, ownerLimits: limits } });
    plant.until(() => plant.of("Proposal").length > 0, 200_000, "proposal");
    const tried = plant.applied
      .filter((a) => a.why === "tuner")
      .map((a) => a.content.data["window"]);
    expect(Math.max(...(tried as number[]))).toBe(4);
    // Bounds of the exploration alone do the same, and bind nobody else.
    const bounded = { ...tuner, limits: { window: { maximum: 2 } } };
    const other = tuning({ behaviour, node: { tuner: bounded } });
    other.until(() => other.of("Proposal").length > 0, 200_000, "proposal");
    expect(other.of("Proposal")[0]?.patch).toEqual({ window: 2 });
    other.send(push(assignment(2, { window: 25, size: 8 })));
    other.until(() => other.acks().includes("2:APPLIED"), 60_000, "v2");
  });

  it("gives way to a trial and goes back to the baseline on a tripwire", () => {
    const plant = tuning();
    const onCandidate = (): boolean => plant.running.data["window"] !== 0;
    plant.until(onCandidate, 60_000, "a candidate");
    plant.send({ type: "tripwire", name: "health", target: "inference/main", message: "down" });
    plant.run(100);
    expect(plant.running.data).toEqual(V1);
    expect(plant.of("Veto")).toEqual([]);
    const again = tuning({ seed: "again" });
    again.until(() => again.running.data["window"] !== 0, 60_000, "a candidate");
    const candidate = { window: 0, size: 32 };
    again.send({ type: "trialOrder", order: order(again, candidate, { version: 1, data: V1 }) });
    again.until(() => again.saw("TrialStarted") > 0, 10_000, "trial");
    again.until(() => again.of("Vote").length > 0, 200_000, "vote");
  });
});
