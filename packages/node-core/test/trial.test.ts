import type { JsonObject } from "@kingly/base";
import type { TrialEvidence } from "@kingly/evidence";
import { describe, expect, it } from "vitest";
import { assignment, hashOf, order, Plant, push, trialPlan } from "./support/plant.ts";
import type { Behaviour, PlantOptions } from "./support/plant.ts";

const V1 = { window: 0, size: 8 };
const V2 = { window: 2, size: 8 };

function calibrated(options: PlantOptions = {}): Plant {
  const plant = new Plant(options).start().connect();
  plant.send(push(assignment(1, V1)));
  return plant.until(() => plant.of("Calibration").length > 0, 60_000, "calibration");
}

describe("a trial on a node", () => {
  it("washes out at every block edge, and follows the coin of seed, unit and pair", () => {
    const plant = calibrated();
    const starts: number[] = [];
    plant.onEffect = (effect) => {
      if (effect.type === "startBlock") starts.push(plant.nowMs);
      return true;
    };
    plant.send({ type: "trialOrder", order: order(plant, V2, { version: 1, data: V1 }) });
    plant.until(() => plant.of("Vote").length > 0, 200_000, "vote");
    const trial = starts.slice(1, -2);
    // 0.5 s block and 0.2 s wash-out between any two starts, whether the arm changed or not.
    for (let i = 1; i < trial.length; i += 1) {
      expect((trial[i] ?? 0) - (trial[i - 1] ?? 0)).toBeGreaterThanOrEqual(700);
    }
    const arms = plant.applied.filter((a) => a.why === "trial").length;
    // Fair coins change the arm at about half of the pair edges.
    expect(arms).toBeLessThan(trial.length);
  });

  it("drops pairs with an empty block, counts them, and abstains when there is no data at all", () => {
    const plant = calibrated();
    plant.silent.add("latency");
    const plan = trialPlan({ maxPairs: 20 }) as unknown as JsonObject;
    plant.send({ type: "trialOrder", order: order(plant, V2, { version: 1, data: V1 }, { plan }) });
    plant.until(() => plant.of("Vote").length > 0, 60_000, "vote");
    const vote = plant.of("Vote")[0];
    expect(vote).toMatchObject({ decision: "Abstain", declined: false });
    expect(vote?.evidence as unknown as TrialEvidence).toMatchObject({
      pairs: 20,
      droppedPairs: 20,
    });
  });

  it("votes in time when the deadline comes first", () => {
    const plant = calibrated();
    const deadlineMs = plant.nowMs + 8_000;
    plant.send({
      type: "trialOrder",
      order: order(plant, V2, { version: 1, data: V1 }, { deadlineMs }),
    });
    plant.until(() => plant.of("Vote").length > 0, 20_000, "vote");
    expect(plant.nowMs).toBeLessThan(deadlineMs);
    expect(plant.of("Vote")[0]).toMatchObject({ decision: "Abstain" });
    expect(plant.of("Vote")[0]?.reason).toMatch(/^Deadline/);
    plant.run(100);
    expect(plant.running.data).toEqual(V1);
  });

  it("declines with its reason: unbound, wrong hash, owner's limit, refused check, invalid plan, noise", () => {
    const node = { ownerLimits: { "inference/main": { window: { maximum: 10 } } } };
    const plant = calibrated({ node, noise: 0.8 });
    const base = { version: 1, data: V1 };
    const no = { window: 3, size: 8 };
    plant.uncheckable.add(hashOf(no));
    const quiet = trialPlan({ maxPairs: 400 }) as unknown as JsonObject;
    const orders = [
      order(plant, V2, base, { target: "other" }),
      order(plant, V2, base, { signals: {} }),
      { ...order(plant, V2, base), candidate: { hash: hashOf(V1), data: V2 } },
      order(plant, { window: 11 }, base),
      order(plant, no, base, { plan: quiet }),
      order(plant, V2, base, { plan: { alpha: 2 } }),
      order(plant, V2, base, { plan: trialPlan({ maxPairs: 10 }) as unknown as JsonObject }),
    ];
    for (const [i, one] of orders.entries()) {
      plant.send({ type: "trialOrder", order: { ...one, attempt: i + 1 } });
    }
    plant.until(() => plant.of("Vote").length === orders.length, 60_000, "votes");
    const votes = plant.of("Vote");
    expect(votes.every((vote) => vote.declined && vote.decision === "Abstain")).toBe(true);
    const reasons = [...votes]
      .sort((a, b) => a.attempt - b.attempt)
      .map((v) => v.reason.split(":")[0]);
    expect(reasons).toEqual([
      "Unbound",
      "Unbound",
      "HashMismatch",
      "owner's limit",
      "CheckFailed",
      "InvalidPlan",
      "TooNoisy",
    ]);
  });

  it("is an Abstain when the agent dies in it, and is not run again when the order is repeated", () => {
    const plant = calibrated();
    const one = order(plant, V2, { version: 1, data: V1 });
    plant.send({ type: "trialOrder", order: one });
    plant.until(() => plant.running.data["window"] === 2, 60_000, "candidate");
    const from = plant.applied.length;
    plant.restart().connect();
    expect(plant.applied[from]?.content.data).toEqual(V1);
    plant.until(() => plant.of("Vote").length > 0, 5_000, "vote");
    expect(plant.of("Vote")[0]).toMatchObject({ decision: "Abstain", declined: false });
    plant.send({ type: "trialOrder", order: one }).run(20_000);
    expect(plant.of("Vote")).toHaveLength(1);
    expect(plant.saw("TrialStarted")).toBe(1);
  });

  it("ends without a vote when it is cancelled, and with an Abstain on a tripwire or a new version", () => {
    const cancelled = calibrated();
    const one = order(cancelled, V2, { version: 1, data: V1 });
    cancelled.send({ type: "trialOrder", order: one });
    cancelled.until(() => cancelled.running.data["window"] === 2, 60_000, "candidate");
    cancelled.send({ type: "trialCancel", proposalUid: "prop-1", attempt: 1, reason: "withdrawn" });
    cancelled.run(5_000);
    expect(cancelled.of("Vote")).toEqual([]);
    expect(cancelled.running.data).toEqual(V1);

    const tripped = calibrated();
    tripped.send({ type: "trialOrder", order: order(tripped, V2, { version: 1, data: V1 }) });
    tripped.until(() => tripped.running.data["window"] === 2, 60_000, "candidate");
    tripped.send({ type: "tripwire", name: "health", target: "inference/main", message: "down" });
    expect(tripped.applied.at(-1)?.content.data).toEqual(V1);
    tripped.until(() => tripped.of("Vote").length > 0, 5_000, "vote");
    expect(tripped.of("Vote")[0]?.reason).toMatch(/^Tripwire/);
    expect(tripped.of("Veto")).toEqual([]);

    const pushed = calibrated();
    pushed.send({ type: "trialOrder", order: order(pushed, V2, { version: 1, data: V1 }) });
    pushed.until(() => pushed.running.data["window"] === 2, 60_000, "candidate");
    pushed.send(push(assignment(2, { window: 1, size: 8 })));
    pushed.until(() => pushed.acks().includes("2:CONFIRMED"), 60_000, "v2");
    expect(pushed.of("Vote")[0]).toMatchObject({ decision: "Abstain" });
  });

  it("waits for a version that is just being rolled out, and then runs", () => {
    const plant = new Plant().start().connect();
    plant.send(push(assignment(1, V1)));
    plant.until(() => plant.acks().includes("1:APPLIED"), 5_000, "applied");
    plant.send({ type: "trialOrder", order: order(plant, V2, { version: 1, data: V1 }) });
    plant.send(push(assignment(1, V1)));
    plant.until(() => plant.saw("TrialStarted") > 0, 60_000, "trial");
    plant.until(() => plant.of("Vote").length > 0, 200_000, "vote");
    expect(plant.of("Vote")[0]?.declined).toBe(false);
  });

  it("switches a group of nodes as one unit, at common times", () => {
    const starts = ["a", "b"].map((node) => {
      const plant = calibrated({ seed: node });
      plant.run(30_000 - (plant.nowMs % 10_000) + (node === "b" ? 130 : 0));
      return plant;
    });
    const [a, b] = starts as [Plant, Plant];
    b.nowMs = a.nowMs + 330;
    const group = { unit: "rack-7", seed: hashOf({ seed: 1 }), startedAtMs: a.nowMs };
    const switches = [a, b].map((plant) => {
      const from = plant.applied.length;
      const plan = trialPlan({ maxPairs: 400, beta: 1e-9 }) as unknown as JsonObject;
      const deadlineMs = plant.nowMs + 40_000;
      const base = { version: 1, data: V1 };
      plant.send({
        type: "trialOrder",
        order: order(plant, V2, base, { ...group, plan, deadlineMs }),
      });
      plant.until(() => plant.of("Vote").length > 0, 60_000, "vote");
      return plant.applied
        .slice(from + 1, from + 8)
        .map((x) => [x.content.data["window"], x.atMs] as const);
    });
    expect(switches[0]).toHaveLength(7);
    for (const [i, [window, atMs]] of (switches[0] ?? []).entries()) {
      const other = switches[1]?.[i];
      expect(other?.[0]).toBe(window);
      expect(Math.abs((other?.[1] ?? 0) - atMs)).toBeLessThan(60);
    }
  });

  it("rarely accepts a candidate that is worse by exactly the margin", () => {
    let accepted = 0;
    const seeds = 60;
    for (let seed = 0; seed < seeds; seed += 1) {
      const behaviour: Behaviour = (data) => (data["window"] === 2 ? 1.1 : 1);
      const plant = calibrated({ seed: `edge-${seed}`, behaviour, noise: 0.07, wander: 0.1 });
      plant.send({ type: "trialOrder", order: order(plant, V2, { version: 1, data: V1 }) });
      plant.until(() => plant.of("Vote").length > 0, 300_000, "vote");
      if (plant.of("Vote")[0]?.decision === "Accept") accepted += 1;
    }
    // beta is 0.05: ten or more of 60 would have a chance below 1e-3.
    expect(accepted).toBeLessThan(10);
  });
});
