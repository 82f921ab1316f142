import { checkEvidence } from "@kingly/evidence";
import type { TrialEvidence, TrialPlan } from "@kingly/evidence";
import { describe, expect, it } from "vitest";
import { assignment, hashOf, order, Plant, push, trialPlan } from "./support/plant.ts";

const V1 = { window: 0, size: 8 };
const V2 = { window: 2, size: 8 };

describe("a node that follows its servers", () => {
  it("checkpoints, acknowledges, applies and confirms an assigned version", () => {
    const plant = new Plant({ asFound: { window: 5, size: 1 } }).start().connect();
    plant.send(push(assignment(1, V1)));
    plant.until(() => plant.acks().includes("1:CONFIRMED"), 20_000, "confirmation");
    expect(plant.acks()).toEqual(["1:RECEIVED", "1:APPLIED", "1:CONFIRMED"]);
    expect(plant.running.data).toEqual(V1);
    expect(plant.core.active()[0]).toMatchObject({ version: 1, state: "confirmed" });
    const record = JSON.parse(plant.disk ?? "") as {
      slots: Record<string, { confirmed: unknown[] }>;
    };
    expect(record.slots["cfg-1"]?.confirmed).toHaveLength(1);
  });

  it("calibrates before its first trial and sends the noise as a signed document", () => {
    const plant = new Plant({ noise: 0.1 }).start().connect();
    plant.send(push(assignment(1, V1)));
    plant.until(() => plant.of("Calibration").length > 0, 60_000, "calibration");
    const noise = plant.of("Calibration")[0]?.signals["latency"];
    expect(noise?.pairs).toBe(12);
    // Two independent blocks of 10 %: about 14 %, known within a factor of two.
    expect(noise?.standardDeviation).toBeGreaterThan(0.07);
    expect(noise?.standardDeviation).toBeLessThan(0.28);
  });

  it("calibrates with the policy's wash-out, whatever the keys of its first version need", () => {
    const { guard } = assignment(1, V1);
    const slow = { ...guard, washoutSeconds: 30 };
    const calibratedAtMs = (more: Partial<typeof guard>): number => {
      const plant = new Plant({ noise: 0.1 }).start().connect();
      plant.send(push(assignment(1, V1, { guard: { ...slow, ...more } })));
      const fromMs = plant.nowMs;
      plant.until(() => plant.of("Calibration").length > 0, 3_600_000, "calibration");
      return plant.nowMs - fromMs;
    };
    // 12 pairs of two blocks of 0.5 s: half a minute, and not twelve.
    expect(calibratedAtMs({ baseWashoutSeconds: 0.2 })).toBeLessThan(60_000);
    // A server that does not say it: as before.
    expect(calibratedAtMs({})).toBeGreaterThan(12 * 2 * 30_000);
  });

  it("votes Accept on an improvement and is back on its baseline when the vote is written", () => {
    const behaviour = (data: Record<string, unknown>): number => (data["window"] === 2 ? 0.6 : 1);
    const plant = new Plant({ behaviour }).start().connect();
    plant.send(push(assignment(1, V1)));
    plant.until(() => plant.of("Calibration").length > 0, 60_000, "calibration");
    plant.send({ type: "trialOrder", order: order(plant, V2, { version: 1, data: V1 }) });
    plant.until(() => plant.of("Vote").length > 0, 300_000, "vote");
    const vote = plant.of("Vote")[0];
    expect(vote).toMatchObject({ decision: "Accept", declined: false, proposalUid: "prop-1" });
    expect(vote?.candidateHash).toBe(hashOf(V2));
    expect(plant.running.data).toEqual(V1);
    const checked = checkEvidence(vote?.evidence as unknown as TrialEvidence, trialPlan());
    expect(checked).toMatchObject({ ok: true, decision: "accept" });
    expect(plant.sent.some((message) => message.type === "progress")).toBe(true);
  });

  it("votes Reject on a harmful candidate with evidence that replicas recompute", () => {
    const behaviour = (data: Record<string, unknown>): number => (data["window"] === 2 ? 2 : 1);
    const plant = new Plant({ behaviour, noise: 0.2 }).start().connect();
    plant.send(push(assignment(1, V1)));
    plant.until(() => plant.of("Calibration").length > 0, 60_000, "calibration");
    plant.send({ type: "trialOrder", order: order(plant, V2, { version: 1, data: V1 }) });
    plant.until(() => plant.of("Vote").length > 0, 300_000, "vote");
    const vote = plant.of("Vote")[0];
    expect(vote?.decision).toBe("Reject");
    const plan: TrialPlan = trialPlan();
    expect(checkEvidence(vote?.evidence as unknown as TrialEvidence, plan)).toMatchObject({
      ok: true,
    });
    const evidence = vote?.evidence as unknown as TrialEvidence | undefined;
    expect(evidence?.pairs).toBeLessThan(30);
  });
});
