import type { JsonObject } from "@kingly/base";
import { checkEvidence } from "@kingly/evidence";
import type { TrialEvidence, TrialPlan } from "@kingly/evidence";
import { describe, expect, it } from "vitest";
import { assignment, hashOf, order, Plant, push, trialPlan } from "./support/plant.ts";
import type { Behaviour, PlantOptions } from "./support/plant.ts";

const V1 = { window: 0, size: 8 };
const V2 = { window: 2, size: 8 };
const bad = (factor: number): Behaviour => {
  return (data) => (data["window"] === 2 ? factor : 1);
};

/** Version 1 confirmed, and enough quiet time for the drift alarm to have a past. */
function guarded(options: PlantOptions, seconds = 15): Plant {
  const plant = new Plant(options).start().connect();
  plant.send(push(assignment(1, V1)));
  plant.until(() => plant.of("Calibration").length > 0, 60_000, "calibration");
  return plant.run(seconds * 1000);
}

describe("the guard of a committed version", () => {
  it("vetoes a regression without any server, reverts first, and reports when servers are back", () => {
    const plant = guarded({ behaviour: bad(2), noise: 0.2 });
    plant.send(push(assignment(2, V2)));
    plant.until(() => plant.acks().includes("2:APPLIED"), 10_000, "applied");
    plant.send({ type: "disconnected" });
    plant.until(() => plant.saw("Vetoed") > 0, 120_000, "veto");
    const vetoedAtMs = plant.logs.find((log) => log.event === "Vetoed")?.atMs ?? 0;
    const back = plant.applied.filter((a) => a.content.version === 1).at(-1);
    expect(Math.abs((back?.atMs ?? 0) - vetoedAtMs)).toBeLessThan(1_000);
    plant.run(30_000);
    expect(plant.running.data).toEqual(V1);
    expect(plant.of("Veto")).toEqual([]);
    plant.connect();
    plant.until(() => plant.of("Veto").length > 0, 5_000, "delivery");
    const veto = plant.of("Veto")[0];
    expect(veto).toMatchObject({ cause: "Regression", version: 2, runsVersion: 1 });
    expect(veto?.revertDelayMs).toBeLessThan(1_000);
    expect(veto?.pinnedKeys).toEqual(["size", "window"]);
    const plan = veto?.plan as unknown as TrialPlan;
    expect(plan.alpha).toBe(0.001);
    expect(plan.objectives[0]?.harmMarginRatio).toBe(0.1);
    expect(checkEvidence(veto?.evidence as unknown as TrialEvidence, plan)).toMatchObject({
      ok: true,
      decision: "reject",
    });
  });

  it("emits the revert before the record and the report of the veto", () => {
    const plant = guarded({ behaviour: bad(2) });
    const seen: string[] = [];
    plant.onEffect = (effect) => {
      if (effect.type === "apply") seen.push(`apply ${effect.content.version} ${effect.why}`);
      if (effect.type === "persist" && effect.record.includes('"cause":"Regression"'))
        seen.push("record");
      if (effect.type === "send" && effect.message.type === "submission") {
        seen.push(effect.message.kind);
      }
      return true;
    };
    plant.send(push(assignment(2, V2)));
    plant.until(() => plant.of("Veto").length > 0, 120_000, "veto");
    const record = seen.indexOf("record");
    const veto = seen.indexOf("Veto");
    expect(record).toBeGreaterThan(0);
    expect(veto).toBeGreaterThan(record);
    // The revert, or the baseline block that was running at that moment, came before.
    expect(
      seen
        .slice(0, record)
        .filter((entry) => entry.startsWith("apply"))
        .at(-1),
    ).toMatch(/^apply 1/);
  });

  it("resumes its evidence after a restart instead of beginning again", () => {
    const plant = guarded({ behaviour: bad(1.35), noise: 0.3 });
    plant.send(push(assignment(2, V2)));
    plant.until(() => plant.saw("GuardPair") >= 4, 200_000, "four pairs");
    const pairs = (): number =>
      (
        JSON.parse(plant.disk ?? "") as {
          slots: Record<string, { guard: { trial: { pairs: number } } }>;
        }
      ).slots["cfg-1"]?.guard.trial.pairs ?? -1;
    plant.run(50);
    const before = pairs();
    expect(before).toBeGreaterThanOrEqual(4);
    plant.restart().connect();
    plant.until(() => plant.saw("GuardPair") > before, 200_000, "more pairs");
    plant.run(50);
    expect(pairs()).toBeGreaterThan(before);
  });

  it("confirms a harmless version although the whole node drifts", () => {
    const plant = guarded({ noise: 0.05, driftPerSecond: 0.002 });
    plant.send(push(assignment(2, V2)));
    plant.until(() => plant.acks().includes("2:CONFIRMED"), 400_000, "confirmation");
    expect(plant.saw("Vetoed")).toBe(0);
  });

  it("spends at most the plan's pairs on one alarm, then compares with what is usual by now", () => {
    const steps: number[] = [];
    const slower: Behaviour = (_data, _signal, nowMs) =>
      steps.filter((atMs) => nowMs >= atMs).length + 1;
    const plant = guarded({ noise: 0.01, wander: 0, behaviour: slower });
    const guard = { ...assignment(2, V2).guard, maxPairs: 4, probationSeconds: 100_000 };
    plant.send(push(assignment(2, V2, { guard })));
    plant.until(() => plant.acks().includes("2:CONFIRMED"), 60_000, "confirmation");
    expect(plant.saw("DriftAlarm")).toBe(0);
    // The whole node becomes slower, whatever it runs: an alarm, four pairs, and no more.
    steps.push(plant.nowMs);
    plant.until(() => plant.saw("GuardCleared") === 1, 60_000, "the end of the first alarm");
    expect(plant.saw("GuardPair")).toBe(4);
    plant.run(60_000);
    expect([plant.saw("DriftAlarm"), plant.saw("GuardPair")]).toEqual([1, 4]);
    // Also not after a restart, which would know the old level only.
    plant.restart().connect().run(60_000);
    expect([plant.saw("DriftAlarm"), plant.saw("GuardPair")]).toEqual([1, 4]);
    // Slower again: the alarm compares with the new level and rings again, for four pairs.
    steps.push(plant.nowMs);
    plant.until(() => plant.saw("GuardCleared") === 2, 60_000, "the end of the second alarm");
    plant.run(60_000);
    expect(plant.saw("DriftAlarm")).toBe(2);
    expect(plant.saw("GuardPair")).toBeLessThanOrEqual(8);
    expect(plant.saw("Vetoed")).toBe(0);
  });

  it("keeps to the pairs of an alarm when a restart interrupts it", () => {
    const slowAt = { atMs: Infinity };
    const slower: Behaviour = (_data, _signal, nowMs) => (nowMs >= slowAt.atMs ? 2 : 1);
    const plant = guarded({ noise: 0.01, wander: 0, behaviour: slower });
    const guard = { ...assignment(2, V2).guard, maxPairs: 6, probationSeconds: 100_000 };
    plant.send(push(assignment(2, V2, { guard })));
    plant.until(() => plant.acks().includes("2:CONFIRMED"), 60_000, "confirmation");
    slowAt.atMs = plant.nowMs;
    plant.until(() => plant.saw("GuardPair") >= 3, 60_000, "three pairs").run(50);
    plant.restart().connect();
    plant.until(() => plant.saw("GuardCleared") === 1, 120_000, "the end of the alarm");
    expect(plant.saw("GuardPair")).toBeLessThanOrEqual(7);
  });

  it("reverts at once on a tripwire, also without a server, and says so in the veto", () => {
    const plant = guarded({});
    plant.send(push(assignment(2, V2)));
    plant.until(() => plant.acks().includes("2:APPLIED"), 10_000, "applied");
    plant.send({ type: "disconnected" });
    const atMs = plant.nowMs;
    plant.send({
      type: "tripwire",
      name: "health",
      target: "inference/main",
      message: "3 failures",
    });
    expect(plant.applied.at(-1)).toMatchObject({ atMs, why: "revert" });
    expect(plant.applied.at(-1)?.content.data).toEqual(V1);
    plant.connect().until(() => plant.of("Veto").length > 0, 5_000, "delivery");
    expect(plant.of("Veto")[0]).toMatchObject({ cause: "Tripwire", revertDelayMs: 0 });
  });

  it("goes one version further back when it fails again after a revert", () => {
    const plant = guarded({});
    plant.send(push(assignment(2, { window: 1, size: 8 })));
    plant.until(() => plant.acks().includes("2:CONFIRMED"), 60_000, "v2");
    plant.send(push(assignment(3, V2)));
    plant.until(() => plant.acks().includes("3:APPLIED"), 60_000, "v3");
    const trip = {
      type: "tripwire",
      name: "health",
      target: "inference/main",
      message: "down",
    } as const;
    plant.send(trip).run(6_000);
    expect(plant.running.version).toBe(2);
    plant.send(trip).run(1_000);
    expect(plant.running.version).toBe(1);
  });

  it("stays on its last known good when the vetoed version is assigned again, and pins later ones", () => {
    const plant = guarded({});
    plant.send(push(assignment(2, V2, { changedKeys: ["window"] })));
    plant.until(() => plant.acks().includes("2:APPLIED"), 10_000, "applied");
    plant.send({ type: "tripwire", name: "health", target: "", message: "down" }).run(2_000);
    plant.send(push(assignment(2, V2, { generation: 3, changedKeys: ["window"] }))).run(20_000);
    expect(plant.running.version).toBe(1);
    expect(plant.core.active()[0]?.state).toBe("vetoed");
    // A later version that does not change the pinned key runs with the pin in place.
    const v3 = { window: 2, size: 16 };
    plant.send(push(assignment(3, v3, { generation: 4, changedKeys: ["size"] })));
    plant.until(() => plant.acks().includes("3:CONFIRMED"), 60_000, "v3");
    expect(plant.running.data).toEqual({ window: 0, size: 16 });
    // One that changes it is tried with the pin lifted.
    const v4 = { window: 4, size: 16 };
    plant.send(push(assignment(4, v4, { generation: 5, changedKeys: ["window"] })));
    plant.until(() => plant.acks().includes("4:CONFIRMED"), 60_000, "v4");
    expect(plant.running.data).toEqual(v4);
    // And stays lifted in later versions that do not change it, also over a restart.
    const v5 = { window: 4, size: 32 };
    plant.restart().connect();
    plant.send(push(assignment(5, v5, { generation: 6, changedKeys: ["size"] })));
    plant.until(() => plant.acks().includes("5:CONFIRMED"), 120_000, "v5").run(5_000);
    expect(plant.running.data).toEqual(v5);
    // Until the version that lifted it is taken back: then the pin holds again.
    const pinned = { window: 0, size: 16 };
    const changedKeys = ["window", "size"];
    plant.send(push(assignment(3, pinned, { generation: 7, changedKeys })));
    plant.until(
      () => plant.acks().filter((ack) => ack === "3:CONFIRMED").length > 1,
      60_000,
      "back",
    );
    const v6 = { window: 2, size: 64 };
    plant.send(push(assignment(6, v6, { generation: 8, changedKeys: ["size"] })));
    plant.until(() => plant.acks().includes("6:CONFIRMED"), 120_000, "v6").run(5_000);
    expect(plant.running.data).toEqual({ window: 0, size: 64 });
  });

  it("executes and signs a veto that the node's owner asked for", () => {
    const plant = guarded({});
    plant.send(push(assignment(2, V2)));
    plant.until(() => plant.acks().includes("2:CONFIRMED"), 60_000, "v2");
    const wish = {
      type: "vetoRequest",
      configUid: "cfg-1",
      reason: "too hot",
      requestedBy: "ada",
    } as const;
    plant.send({ ...wish, version: 7 }).run(500);
    expect(plant.running.version).toBe(2);
    plant.send({ ...wish, version: 2 }).run(500);
    expect(plant.running.version).toBe(1);
    expect(plant.of("Veto")[0]).toMatchObject({ cause: "Manual", message: "ada: too hot" });
  });

  it("goes before a trial of another config on the same node, which goes on afterwards", () => {
    const targets = ["inference/main", "cache/main"];
    const cache = { namespace: "prod", name: "cache", uid: "cfg-2" };
    const c1 = assignment(1, V1, { config: cache, target: "cache/main" });
    const behaviour: Behaviour = (data) => (data["size"] === 9 ? 2 : 1);
    const plant = new Plant({ node: { targets }, behaviour, noise: 0.2 }).start().connect();
    plant.send(push(assignment(1, V1), c1));
    plant.until(() => plant.saw("Confirmed") === 2, 60_000, "both confirmed").run(20_000);
    const plan = trialPlan({ maxPairs: 400, beta: 1e-9 }) as unknown as JsonObject;
    plant.send({
      type: "trialOrder",
      order: order(plant, V2, { version: 1, data: V1 }, { plan, deadlineMs: plant.nowMs + 90_000 }),
    });
    plant.until(() => plant.saw("TrialStarted") > 0, 60_000, "trial").run(5_000);
    const c2 = { window: 0, size: 9 };
    plant.send(
      push(assignment(1, V1), { ...assignment(2, c2), config: cache, target: "cache/main" }),
    );
    plant.until(() => plant.saw("GuardStarted") > 0, 30_000, "guard");
    const from = plant.applied.length;
    plant.until(() => plant.saw("Vetoed") > 0, 60_000, "veto");
    const vetoedAtMs = plant.nowMs;
    const during = plant.applied
      .slice(from)
      .filter((a) => a.why === "trial" && a.atMs < vetoedAtMs);
    expect(during).toEqual([]);
    plant.until(() => plant.of("Vote").length > 0, 120_000, "vote");
    expect(plant.applied.slice(from).some((a) => a.why === "trial")).toBe(true);
    expect(plant.of("Vote")[0]).toMatchObject({ decision: "Abstain", declined: false });
  });

  it("stays below alphaLocal in false vetoes, and the harm at the margin is seldom vetoed", () => {
    let vetoes = 0;
    let measured = 0;
    const seeds = 120;
    for (let seed = 0; seed < seeds; seed += 1) {
      // Exactly at the margin of 10 %: the worst case of the null hypothesis.
      const plant = guarded(
        { seed: `null-${seed}`, behaviour: bad(1.1), noise: 0.08, wander: 0.1 },
        6,
      );
      plant.send(push(assignment(2, V2)));
      plant.until(() => plant.saw("Confirmed") > 1 || plant.saw("Vetoed") > 0, 300_000, "an end");
      vetoes += plant.saw("Vetoed");
      measured += Math.min(1, plant.saw("GuardStarted"));
    }
    expect(measured).toBeGreaterThan(seeds / 3);
    // alphaLocal is 0.001: three or more of 120 would have a chance below 3e-4.
    expect(vetoes).toBeLessThan(3);
  });

  it("vetoes a clear regression on nearly every node", () => {
    let vetoes = 0;
    const seeds = 40;
    for (let seed = 0; seed < seeds; seed += 1) {
      const plant = guarded(
        { seed: `harm-${seed}`, behaviour: bad(1.6), noise: 0.1, wander: 0.1 },
        6,
      );
      plant.send(push(assignment(2, V2)));
      plant.until(() => plant.saw("Confirmed") > 1 || plant.saw("Vetoed") > 0, 300_000, "an end");
      vetoes += plant.saw("Vetoed");
      plant.run(100);
      expect(hashOf(plant.running.data)).toBe(hashOf(plant.saw("Vetoed") > 0 ? V1 : V2));
    }
    expect(vetoes).toBeGreaterThan(36);
  });
});
