// After the commit: stages, acknowledgements, vetoes, pins, rollback, nodes that come and go.

import { describe, expect, it } from "vitest";
import type { JsonObject } from "@kingly/base";
import { explainVeto, renderAssignments, renderNodeConfigs } from "../src/index.ts";
import { BATCH_RULE, DATA, Fleet, NS, TEST_POLICY, configSpec, nodes } from "./support/fleet.ts";

const same = (): number => 0;

function assigned(fleet: Fleet, node: string): JsonObject {
  const [one] = renderAssignments(fleet.machine, node).assignments;
  if (one === undefined) throw new Error(`${node} is assigned nothing`);
  return one as unknown as JsonObject;
}

/** Nodes of the first `count` stages of a version's rollout. */
function staged(fleet: Fleet, version: number): string[] {
  const status = fleet.rollout(version).status;
  return (status?.stages ?? []).slice(0, (status?.stage ?? 0) + 1).flatMap((one) => [...one.nodes]);
}

/** A fleet whose version 2 ({batch: 16}) is in its first stage. */
function rollingOut(count: number, change: (onFirstVeto: string) => string = (x) => x): Fleet {
  const fleet = Fleet.settled({
    nodes: nodes(count),
    policy: (spec) => {
      const policy = TEST_POLICY(spec);
      const onFirstVeto = change("pause") as "pause" | "continue" | "rollback";
      return { ...policy, rollout: { ...policy.rollout, onFirstVeto } };
    },
  });
  expect(fleet.decide({ batch: 16 }, "p2", same)).toBe("RollingOut");
  return fleet;
}

/** Three nodes, of which two confirmed version 2; the last has been given it and says nothing yet. */
function upToLast(): { readonly fleet: Fleet; readonly last: string } {
  const fleet = rollingOut(3);
  for (let stage = 0; stage < 2; stage += 1) {
    fleet.acknowledge();
    fleet.advance(61_000);
  }
  const status = fleet.rollout(2).status;
  return { fleet, last: status?.stages[status.stage]?.nodes[0] ?? "" };
}

describe("the stages of a rollout", () => {
  it("go to one node per class, then to growing shares, the acceptors first", () => {
    const mixed = [
      ...nodes(16).map((node) => ({ ...node, class: "gpu" })),
      ...nodes(4).map((node) => ({ ...node, name: `edge-${node.name}`, class: "edge" })),
    ];
    const fleet = Fleet.settled({ nodes: mixed });
    fleet.propose({ batch: 16 }, "p2");
    fleet.lead();
    const voters = fleet.asked();
    fleet.vote(same);
    const stages = fleet.rollout(2).status?.stages ?? [];
    expect(stages.map((stage) => stage.nodes.length)).toEqual([2, 8, 10]);
    const first = stages[0]?.nodes ?? [];
    expect(first.filter((node) => node.startsWith("edge-"))).toHaveLength(1);
    for (const node of first) expect(voters).toContain(node);
    const early = stages.slice(0, 2).flatMap((stage) => [...stage.nodes]);
    for (const voter of voters) expect(early).toContain(voter);
  });

  it("hold every node exactly once, also for the first version", () => {
    const fleet = new Fleet({ nodes: nodes(7) });
    const all = (fleet.rollout(1).status?.stages ?? []).flatMap((stage) => [...stage.nodes]);
    expect(all).toHaveLength(7);
    expect(new Set(all)).toEqual(new Set(fleet.nodeNames));
  });

  it("do not end before the soak and the confirmed share, whatever the leader says", () => {
    const fleet = rollingOut(5);
    const body = { rolloutUid: fleet.rollout(2).metadata.uid, stage: 0, unreachable: [] };
    const early = fleet.submit("advance-rollout", body).outcome;
    expect(early).toMatchObject({ ok: false, code: "Conflict", details: { reason: "Soaking" } });
    fleet.nowMs += 61_000;
    const unconfirmed = fleet.submit("advance-rollout", body).outcome;
    expect(unconfirmed).toMatchObject({ ok: false, details: { reason: "TooFewConfirmed" } });
    fleet.acknowledge();
    expect(fleet.submit("advance-rollout", body).outcome.ok).toBe(true);
    expect(fleet.submit("advance-rollout", body).outcome.ok).toBe(false);
    expect(fleet.rollout(2).status?.stage).toBe(1);
  });

  it("wait while too few of the assigned nodes are reachable", () => {
    const fleet = rollingOut(5);
    fleet.acknowledge();
    fleet.nowMs += 61_000;
    fleet.reachable.delete(staged(fleet, 2)[0] ?? "");
    expect(fleet.lead()).toBe(0);
    expect(fleet.rollout(2).status?.stage).toBe(0);
  });

  it("do not wait for ever for a node that is there and never answers", () => {
    const { fleet, last } = upToLast();
    fleet.advance(61_000);
    expect(fleet.rollout(2).status?.phase).toBe("Progressing");
    fleet.advance(3_600_000);
    expect(fleet.rollout(2).status?.phase).toBe("Completed");
    expect(fleet.rollout(2).status?.message).toBe(
      `version 2 is confirmed by 2 node(s); no node said no; no answer from ${last}`,
    );
    expect(fleet.rollout(2).status?.confirmed).toHaveLength(2);
  });

  it("complete with a message that names the first of many nodes and counts the others", () => {
    const fleet = rollingOut(24);
    for (let i = 0; i < 3; i += 1) {
      fleet.acknowledge();
      fleet.advance(61_000);
    }
    const stage = fleet.rollout(2).status;
    const last = stage?.stages[stage.stage]?.nodes ?? [];
    expect(last.length).toBeGreaterThan(8);
    fleet.advance(3_700_000);
    const named = last.slice(0, 8).join(", ");
    expect(fleet.rollout(2).status?.message).toBe(
      `version 2 is confirmed by ${24 - last.length} node(s); no node said no; ` +
        `no answer from ${named} and ${last.length - 8} more`,
    );
  });

  it("complete when the last reachable node has failed instead, and say so", () => {
    const { fleet, last } = upToLast();
    const configUid = fleet.config().metadata.uid;
    fleet.ok("acks", {
      configUid,
      version: 2,
      state: "failed",
      nodes: [last],
      message: "check command exited with 1",
    });
    fleet.advance(61_000);
    expect(fleet.rollout(2).status).toMatchObject({
      phase: "Completed",
      failed: [last],
      message: `version 2 is confirmed by 2 node(s); no node said no; could not apply it: ${last}`,
    });
    const [config] = renderNodeConfigs(fleet.machine, { node: last });
    const error = "check command exited with 1";
    expect(config?.status).toMatchObject({ state: "failed", assigned: 2, active: 1, error });
    const events = fleet.machine.objects("Event", NS).map(({ spec }) => spec.message);
    expect(events).toContain(`version 2 could not be applied: ${error}; on ${last}`);
  });

  it("tell nodes how long their keys settle, and what the policy's own wash-out is", () => {
    const fleet = new Fleet({
      nodes: nodes(3),
      policy: (spec) => {
        const policy = TEST_POLICY(spec);
        return { ...policy, trial: { ...policy.trial, washoutSeconds: 2 } };
      },
    });
    const [node = ""] = staged(fleet, 1);
    // batch settles for 5 s.
    expect(assigned(fleet, node)["guard"]).toMatchObject({
      washoutSeconds: 5,
      baseWashoutSeconds: 2,
    });
  });

  it("pause when too many of their nodes cannot apply the version", () => {
    const fleet = rollingOut(5);
    fleet.acknowledge("failed");
    expect(fleet.rollout(2).status).toMatchObject({ phase: "Paused", reason: "NodesFailed" });
  });

  it("move a node only forward, and only for the version that it is assigned", () => {
    const fleet = rollingOut(5);
    const [node = ""] = staged(fleet, 2);
    const other = fleet.nodeNames.find((name) => name !== node) ?? "";
    const ack = (state: string, who: string): JsonObject =>
      fleet.ok("acks", {
        configUid: fleet.config().metadata.uid,
        version: 2,
        state,
        nodes: [who],
      });
    expect(ack("applied", other)).toEqual({ accepted: 0 });
    expect(ack("confirmed", node)).toEqual({ accepted: 1 });
    expect(ack("received", node)).toEqual({ accepted: 0 });
    expect(ack("failed", node)).toEqual({ accepted: 0 });
    expect(fleet.rollout(2).status).toMatchObject({ confirmed: [node], received: [] });
  });
});

describe("a veto after the commit", () => {
  it("under the budget holds only its node, on the last known good", () => {
    const fleet = rollingOut(5, () => "continue");
    fleet.acknowledge();
    fleet.advance(61_000);
    const [node = ""] = staged(fleet, 2);
    const { outcome } = fleet.signed("veto", fleet.regressionVeto(node, 0.4));
    expect(outcome).toMatchObject({ ok: true });
    expect(fleet.rollout(2).status?.vetoed).toEqual([node]);
    expect(assigned(fleet, node)).toMatchObject({ version: 1, heldByVeto: true, data: DATA });
    fleet.settle();
    expect(fleet.rollout(2).status).toMatchObject({
      phase: "Completed",
      message: `version 2 is confirmed by 4 node(s); vetoed it in the rollout: ${node}`,
    });
    expect(fleet.config().status?.version).toBe(2);
    const why = explainVeto(fleet.machine, NS, `web-v2-${node}`);
    expect(why).toMatchObject({ cause: "Regression", active: true, runsVersion: 1 });
    expect(why?.harmE).toBeGreaterThan(1_000);
    expect(why?.objectives[0]?.effectPercent).toBeGreaterThan(30);
  });

  it("over the budget rolls the fleet back and quarantines the change", () => {
    const fleet = rollingOut(5, () => "continue");
    for (let i = 0; i < 2; i += 1) {
      fleet.acknowledge();
      fleet.advance(61_000);
    }
    const affected = staged(fleet, 2);
    expect(affected).toHaveLength(5);
    expect(fleet.rollout(2).status?.vetoBudget).toBe(2);
    fleet.signed("veto", fleet.vetoDocument(affected[0] ?? ""));
    expect(fleet.rollout(2).status?.phase).toBe("Progressing");
    fleet.signed("veto", fleet.vetoDocument(affected[1] ?? ""));
    expect(fleet.rollout(2).status).toMatchObject({
      phase: "RolledBack",
      reason: "VetoBudgetExceeded",
    });
    expect(fleet.phase("p2")).toBe("RolledBack");
    expect(fleet.config().status?.version).toBe(1);
    expect(fleet.config().spec.data).toEqual(DATA);
    for (const node of fleet.nodeNames) {
      expect(assigned(fleet, node)).toMatchObject({ version: 1, heldByVeto: false, data: DATA });
    }
    expect(fleet.propose({ batch: 16 }, "again").outcome).toMatchObject({ code: "Quarantined" });
    expect(fleet.propose({ batch: 24 }, "other").outcome.ok).toBe(true);
  });

  it("in a small stage pauses the rollout for a decision: resume", () => {
    const fleet = rollingOut(5);
    const [node = ""] = staged(fleet, 2);
    fleet.signed("veto", fleet.vetoDocument(node));
    expect(fleet.rollout(2).status).toMatchObject({ phase: "Paused", reason: "FirstVeto" });
    fleet.advance(3_600_000);
    expect(fleet.rollout(2).status?.stage).toBe(0);
    const rolloutUid = fleet.rollout(2).metadata.uid;
    fleet.ok("resume-rollout", { rolloutUid, reason: "that node has a broken fan" });
    fleet.settle();
    expect(fleet.rollout(2).status?.phase).toBe("Completed");
  });

  it("in a small stage pauses the rollout for a decision: roll back", () => {
    const fleet = rollingOut(5);
    fleet.signed("veto", fleet.vetoDocument(staged(fleet, 2)[0] ?? ""));
    const rolloutUid = fleet.rollout(2).metadata.uid;
    fleet.ok("rollback-rollout", { rolloutUid, reason: "not worth it" });
    expect(fleet.rollout(2).status?.phase).toBe("RolledBack");
    expect(fleet.phase("p2")).toBe("RolledBack");
    expect(fleet.vetoes().every((veto) => veto.status?.["active"] === false)).toBe(true);
  });

  it("rolls back at once where the policy says so", () => {
    const fleet = rollingOut(5, () => "rollback");
    fleet.signed("veto", fleet.vetoDocument(staged(fleet, 2)[0] ?? ""));
    expect(fleet.rollout(2).status).toMatchObject({ phase: "RolledBack", reason: "FirstVeto" });
  });

  it("still counts when the rollout has completed", () => {
    const fleet = rollingOut(5, () => "continue");
    fleet.settle();
    expect(fleet.rollout(2).status?.phase).toBe("Completed");
    for (const node of fleet.nodeNames.slice(0, 2)) {
      fleet.signed("veto", fleet.regressionVeto(node, 0.5));
    }
    expect(fleet.rollout(2).status?.phase).toBe("RolledBack");
    expect(fleet.config().status?.version).toBe(1);
  });

  it("never holds its node on a version that the node vetoes too", () => {
    const fleet = new Fleet({
      nodes: nodes(6),
      policy: (spec) => ({
        ...TEST_POLICY(spec),
        rollout: { ...TEST_POLICY(spec).rollout, onFirstVeto: "continue" },
      }),
    });
    const node = staged(fleet, 1)[0] ?? "";
    fleet.signed("veto", fleet.vetoDocument(node));
    fleet.settle();
    fleet.propose({ batch: 16, threads: 5, mode: "new" }, "p2");
    fleet.lead();
    fleet.vote(same);
    fleet.settle();
    expect(assigned(fleet, node)["version"]).toBe(2);
    expect(fleet.signed("veto", fleet.vetoDocument(node, { runsVersion: 1 })).outcome.ok).toBe(
      true,
    );
    expect(assigned(fleet, node)).toMatchObject({ version: 0, heldByVeto: true });
  });

  it("delivered twice is one veto", () => {
    const fleet = rollingOut(5, () => "continue");
    const document = fleet.vetoDocument(staged(fleet, 2)[0] ?? "");
    expect(fleet.signed("veto", document).outcome.ok).toBe(true);
    const before = fleet.machine.stateHash();
    expect(fleet.signed("veto", document).outcome.ok).toBe(true);
    expect(fleet.machine.stateHash()).toBe(before);
  });
});

describe("the pins of a veto", () => {
  const fleet = rollingOut(5, () => "continue");
  const node = staged(fleet, 2)[0] ?? "";
  fleet.signed("veto", fleet.vetoDocument(node));
  fleet.settle();

  it("ride over a later version that changes other keys", () => {
    expect(fleet.decide({ threads: 8 }, "p3", same)).toBe("RollingOut");
    fleet.settle();
    const pinned = assigned(fleet, node);
    expect(pinned).toMatchObject({
      version: 3,
      heldByVeto: false,
      data: { ...DATA, threads: 8, batch: 8 },
      changedKeys: ["threads"],
    });
    const free = fleet.nodeNames.find((name) => name !== node) ?? "";
    expect(assigned(fleet, free)["data"]).toEqual({ ...DATA, threads: 8, batch: 16 });
    expect(pinned["contentHash"]).not.toBe(assigned(fleet, free)["contentHash"]);
  });

  it("keep their node out of trials of other keys, which would force the pinned key on it", () => {
    const other = rollingOut(5, () => "continue");
    const held = staged(other, 2)[0] ?? "";
    other.signed("veto", other.vetoDocument(held));
    other.settle();
    other.propose({ threads: 8 }, "p3");
    other.lead();
    expect(other.asked()).toEqual(other.nodeNames.filter((name) => name !== held));
  });

  it("are lifted by a version that changes the pinned key", () => {
    fleet.propose({ batch: 20 }, "p4");
    fleet.lead();
    fleet.vote(() => -0.2);
    expect(fleet.phase("p4")).toBe("RollingOut");
    fleet.settle();
    expect(assigned(fleet, node)).toMatchObject({
      version: 4,
      data: { ...DATA, threads: 8, batch: 20 },
    });
  });

  it("end when the veto expires, and the node gets the decided version", () => {
    const other = rollingOut(5, () => "continue");
    const held = staged(other, 2)[0] ?? "";
    other.signed("veto", other.vetoDocument(held));
    other.settle();
    const before = assigned(other, held);
    expect(before).toMatchObject({ version: 1, heldByVeto: true });
    other.advance(86_400_000);
    expect(assigned(other, held)).toMatchObject({ version: 2, heldByVeto: false });
    expect(Number(assigned(other, held)["generation"])).toBeGreaterThan(
      Number(before["generation"]),
    );
  });

  it("expire on a later version too, with a new generation for the new content", () => {
    const other = rollingOut(5, () => "continue");
    const held = staged(other, 2)[0] ?? "";
    other.signed("veto", other.vetoDocument(held, { expiresAtMs: other.nowMs + 172_800_000 }));
    other.settle();
    other.decide({ threads: 8 }, "p3", same);
    other.settle();
    const before = assigned(other, held);
    expect(before["data"]).toEqual({ ...DATA, threads: 8 });
    other.advance(172_800_000);
    const after = assigned(other, held);
    expect(after["data"]).toEqual({ ...DATA, threads: 8, batch: 16 });
    expect(Number(after["generation"])).toBeGreaterThan(Number(before["generation"]));
  });
});

describe("nodes that come and go", () => {
  it("join with the decided version, or with the last stage of a rollout in progress", () => {
    const fleet = rollingOut(5, () => "continue");
    fleet.enroll({ name: "late-1" });
    expect(assigned(fleet, "late-1")["version"]).toBe(1);
    const stages = fleet.rollout(2).status?.stages ?? [];
    expect(stages[stages.length - 1]?.nodes).toContain("late-1");
    fleet.settle();
    fleet.enroll({ name: "late-2" });
    expect(assigned(fleet, "late-2")["version"]).toBe(2);
  });

  it("lose their assignment when they are not selected any more, and get it back", () => {
    const fleet = Fleet.settled({ nodes: nodes(3) });
    const node = fleet.machine.object("Node", "", "node-01");
    const relabel = (labels: JsonObject): void => {
      fleet.ok("write", {
        op: "replace",
        kind: "Node",
        name: "node-01",
        object: { metadata: { labels }, spec: node?.spec as unknown as JsonObject },
      });
    };
    const before = Number(assigned(fleet, "node-01")["generation"]);
    relabel({ role: "spare" });
    expect(renderAssignments(fleet.machine, "node-01").assignments).toEqual([]);
    relabel({ role: "inference" });
    expect(assigned(fleet, "node-01")["version"]).toBe(1);
    expect(Number(assigned(fleet, "node-01")["generation"])).toBeGreaterThan(before);
  });
});

describe("the first version", () => {
  it("rolled back leaves nothing to compare with, so the next change is committed directly too", () => {
    const fleet = new Fleet({ nodes: nodes(3) });
    const rolloutUid = fleet.rollout(1).metadata.uid;
    fleet.ok("rollback-rollout", { rolloutUid, reason: "wrong file" });
    expect(fleet.config().status).toMatchObject({ version: 0, contentHash: "" });
    expect(assigned(fleet, "node-01")["version"]).toBe(0);
    expect(fleet.replaceData(DATA).outcome).toMatchObject({ ok: true });
    expect(fleet.replaceData({ ...DATA, mode: "safe" }).outcome).toMatchObject({ ok: true });
    expect(fleet.config().status?.version).toBe(2);
    expect(fleet.machine.object("ConfigVersion", NS, "web-v2")?.spec.verdict).toBe("Direct");
    fleet.settle();
    expect(assigned(fleet, "node-03")["data"]).toEqual({ ...DATA, mode: "safe" });
  });
});

describe("direct commits", () => {
  it("need no trial but the same stages, one after the other", () => {
    const fleet = Fleet.settled({
      nodes: nodes(5),
      policy: (spec) => ({ ...TEST_POLICY(spec), directCommits: true }),
    });
    fleet.propose({ batch: 16 }, "d1");
    fleet.propose({ threads: 8 }, "d2");
    expect([fleet.phase("d1"), fleet.phase("d2")]).toEqual(["RollingOut", "Validated"]);
    fleet.settle();
    expect(fleet.phase("d1")).toBe("Completed");
    fleet.settle();
    expect(fleet.phase("d2")).toBe("Completed");
    const version = fleet.machine.object("ConfigVersion", NS, "web-v3");
    expect(version?.spec).toMatchObject({ verdict: "Direct", parent: 2, changedKeys: ["threads"] });
  });

  it("are the way for keys that cannot be switched back and forth", () => {
    const restart = { ...BATCH_RULE, hot: false };
    const fleet = Fleet.settled({ nodes: nodes(3) });
    fleet.create("ConfigSchema", "cold", { schema: {}, keys: { heap: restart } });
    const patient = { ...configSpec({ heap: 4 }), target: "jvm/main", schemaRef: "cold" };
    fleet.create("Config", "java", patient);
    const body = { namespace: NS, config: "java", baseVersion: 1, patch: { heap: 8 }, reason: "r" };
    expect(fleet.submit("propose", body).outcome).toMatchObject({ code: "PolicyDenied" });
  });
});
