// What nodes write besides votes and vetoes: calibration, their own proposals, their bindings. And what
// leaves the state again after a while.

import { describe, expect, it } from "vitest";
import { rhoFor, startTrial } from "@kingly/evidence";
import type { TrialPlan } from "@kingly/evidence";
import type { JsonObject, JsonValue } from "@kingly/base";
import { pendingWork } from "../src/index.ts";
import type { ApplyResult } from "../src/index.ts";
import { CLUSTER, DATA, Fleet, NS, TEST_POLICY, nodes } from "./support/fleet.ts";

const json = (value: object): JsonObject => value as unknown as JsonObject;

function tunable(): Fleet {
  return Fleet.settled({
    nodes: nodes(5),
    policy: (spec) => ({ ...TEST_POLICY(spec), agentsMayPropose: true }),
  });
}

const PLAN: TrialPlan = {
  objectives: [
    {
      name: "latency",
      role: "primary",
      direction: "lower",
      floor: 0.001,
      weight: 1,
      marginRatio: 0.05,
      harmMarginRatio: 0.02,
      rho: rhoFor({ standardDeviation: 0.05 }),
    },
  ],
  alpha: 0.01,
  beta: 0.01,
  clip: 0.5,
  maxPairs: 120,
  requireImprovement: true,
};

function proposal(fleet: Fleet, effect: number, change: JsonObject = {}): JsonObject {
  return {
    kind: "Proposal",
    clusterId: CLUSTER,
    node: "node-01",
    idempotencyKey: `own-${fleet.entries.length}`,
    writtenAtMs: fleet.nowMs,
    configUid: fleet.config().metadata.uid,
    baseVersion: 1,
    patch: { batch: 10 },
    reason: "measured a gain",
    plan: json(PLAN),
    evidence: json(fleet.run(PLAN, effect)),
    ...change,
  };
}

describe("a proposal of an agent", () => {
  it("is opened once, carries its evidence, and must show improvement", () => {
    const fleet = tunable();
    const document = proposal(fleet, -0.2);
    const first = fleet.signed("agent-proposal", document);
    expect(first.outcome.ok).toBe(true);
    const before = fleet.machine.stateHash();
    expect(fleet.signed("agent-proposal", document).outcome).toMatchObject({
      ok: true,
      value: { changed: false },
    });
    expect(fleet.machine.stateHash()).toBe(before);
    const [stored] = fleet.machine.objects("Proposal", NS);
    expect(stored?.spec.source).toMatchObject({ type: "agent", name: "node-01" });
    fleet.lead();
    const name = stored?.metadata.name ?? "";
    fleet.vote(() => 0);
    expect(fleet.phase(name)).toBe("Inconclusive");
  });

  it("is refused without the policy's leave, improvement, a tunable key, or while one is open", () => {
    const closed = Fleet.settled({ nodes: nodes(3) });
    const send = (fleet: Fleet, document: JsonObject): ApplyResult["outcome"] =>
      fleet.signed("agent-proposal", document).outcome;
    expect(send(closed, proposal(closed, -0.2))).toMatchObject({ code: "PolicyDenied" });
    const fleet = tunable();
    expect(send(fleet, proposal(fleet, 0))).toMatchObject({ code: "EvidenceMismatch" });
    const mode = proposal(fleet, -0.2, { patch: { mode: "slow" } });
    expect(send(fleet, mode)).toMatchObject({ code: "PolicyDenied", details: { rule: "tunable" } });
    const [latency] = PLAN.objectives;
    const half: TrialPlan = {
      ...PLAN,
      objectives: latency === undefined ? [] : [latency, { ...latency, name: "goodput" }],
      requireImprovement: false,
    };
    const improvesOne = fleet.runEach(half, (name) => (name === "latency" ? -0.2 : 0));
    const partly = { ...proposal(fleet, -0.2), plan: json(half), evidence: json(improvesOne) };
    expect(send(fleet, partly)).toMatchObject({
      code: "EvidenceMismatch",
      message: "the evidence does not show improvement of goodput",
    });
    const forged = { ...proposal(fleet, -0.2), evidence: json(startTrial(PLAN)) };
    expect(send(fleet, forged)).toMatchObject({ code: "EvidenceMismatch" });
    expect(send(fleet, proposal(fleet, -0.2))).toMatchObject({ ok: true });
    const second = proposal(fleet, -0.2, { patch: { batch: 11 } });
    expect(send(fleet, second)).toMatchObject({ code: "Overloaded" });
  });
});

describe("calibration", () => {
  it("fixes the variance scale of the node's next trial", () => {
    const fleet = Fleet.settled({ nodes: nodes(5) });
    const document: JsonObject = {
      kind: "Calibration",
      clusterId: CLUSTER,
      node: "node-01",
      idempotencyKey: "c1",
      writtenAtMs: fleet.nowMs,
      signals: { latencyMean: { standardDeviation: 0.03, pairs: 40 } },
    };
    expect(fleet.signed("calibration", document, "node-02").outcome).toMatchObject({
      code: "BadSignature",
    });
    expect(fleet.signed("calibration", document).outcome.ok).toBe(true);
    fleet.propose({ batch: 9 }, "p2");
    fleet.lead();
    const rhoOf = (node: string): JsonValue => {
      const plan = fleet.orders(node)[0]?.plan as { objectives: { rho: number }[] } | undefined;
      return plan?.objectives.map((objective) => objective.rho) ?? [];
    };
    const standard = rhoFor({ standardDeviation: Math.SQRT2 / 10 });
    const own = rhoOf("node-01") as number[];
    expect(own[0]).toBe(rhoFor({ standardDeviation: 0.03 }));
    expect(own[1]).toBeCloseTo(standard, 10);
    expect((rhoOf("node-02") as number[])[0]).toBeCloseTo(standard, 10);
  });
});

describe("bindings", () => {
  it("decide who can measure; reporting the same again makes no revision", () => {
    const fleet = Fleet.settled({ nodes: nodes(5) });
    const report = (signals: string[]): ApplyResult =>
      fleet.submit("node-status", {
        node: "node-03",
        targets: ["inference/main"],
        signals,
        agentVersion: "0.1.0",
      });
    const { revision } = fleet.machine.meta();
    report(["goodput", "latencyMean"]);
    expect(fleet.machine.meta().revision).toBe(revision);
    report(["latencyMean"]);
    expect(fleet.machine.meta().revision).toBe(revision + 1);
    fleet.propose({ batch: 9 }, "p2");
    fleet.lead();
    expect(fleet.asked()).toEqual(["node-01", "node-02", "node-04", "node-05"]);
  });
});

describe("the leader's work", () => {
  it("has the same keys until it is done, on any leader, and is empty at rest", () => {
    const fleet = Fleet.settled({ nodes: nodes(5) });
    const look = () => pendingWork(fleet.machine, { reachableNodes: fleet.reachable }, fleet.nowMs);
    expect(look()).toEqual([]);
    fleet.propose({ batch: 9 }, "p2");
    const [work] = look();
    expect(work).toMatchObject({ type: "trial-start", needsEntropy: true });
    expect(look()).toEqual([work]);
    fleet.lead();
    expect(look()).toEqual([]);
    fleet.vote(() => 0);
    fleet.acknowledge();
    expect(look()).toEqual([]);
    fleet.nowMs += 60_000;
    expect(look().map((one) => one.type)).toEqual(["advance-rollout"]);
  });
});

describe("retention", () => {
  it("removes old proposals with votes and contents, and old versions that nobody needs", () => {
    const fleet = Fleet.settled({
      nodes: nodes(1),
      policy: (spec) => ({ ...TEST_POLICY(spec), directCommits: true }),
    });
    for (let i = 0; i < 110; i += 1) {
      expect(fleet.propose({ mode: `m${i}` }, `p-${i}`).outcome.ok).toBe(true);
      fleet.settle();
    }
    const count = (kind: "Proposal" | "ConfigVersion" | "Rollout"): number =>
      fleet.machine.objects(kind, NS).length;
    fleet.advance(3_600_000);
    expect([count("Proposal"), count("ConfigVersion"), count("Rollout")]).toEqual([110, 100, 100]);
    expect(fleet.machine.object("ConfigVersion", NS, "web-v111")).toBeDefined();
    fleet.advance(7_776_000_000);
    expect(count("Proposal")).toBe(50);
    const contents = [...fleet.machine.list("~content/")].length;
    expect(contents).toBe(100);
    expect(fleet.config().spec.data).toEqual({ ...DATA, mode: "m109" });
    expect(fleet.lead()).toBe(0);
  });
});
