// Replicas are equal: the same entries give the same rows and results, also on a machine that was
// restored in the middle, and whatever the order in which its rows were loaded.

import { describe, expect, it } from "vitest";
import { createPrng } from "@kingly/base";
import type { JsonObject, Prng } from "@kingly/base";
import {
  StateMachine,
  renderAssignments,
  renderNodeConfigs,
  renderTrialOrders,
} from "../src/index.ts";
import type { StateMeta } from "../src/index.ts";
import { testCrypto } from "./support/crypto.ts";
import { Fleet, NS, TEST_POLICY, nodes } from "./support/fleet.ts";

/** One random step of a fleet's life; refused steps are as good as accepted ones. */
function live(fleet: Fleet, prng: Prng): void {
  const node = prng.pick(fleet.nodeNames);
  const patch: JsonObject = prng.chance(0.5)
    ? { batch: 1 + prng.below(64) }
    : { threads: 1 + prng.below(32) };
  const steps: readonly (() => void)[] = [
    () => fleet.propose(patch, `p-${fleet.entries.length}`),
    () => fleet.replaceData({ ...fleet.config().spec.data, ...patch }),
    () => fleet.advance(prng.below(600_000)),
    () => fleet.advance(prng.below(20_000_000)),
    () => fleet.vote(() => prng.pick([-0.2, 0, 0, 0, 0.02, 0.2])),
    () => fleet.acknowledge(prng.pick(["received", "applied", "confirmed", "confirmed", "failed"])),
    () => fleet.signed("veto", fleet.vetoDocument(node)),
    () => fleet.signed("veto", fleet.regressionVeto(node, 0.4)),
    () => void (prng.chance(0.5) ? fleet.reachable.delete(node) : fleet.reachable.add(node)),
    () => fleet.enroll({ name: `n-${fleet.entries.length}`, class: prng.pick(["gpu", "edge"]) }),
    () => {
      const config = fleet.config();
      const rollout = fleet.rollout(config.status?.version ?? 1);
      const rolloutUid = rollout.metadata.uid;
      const type = prng.pick(["rollback-rollout", "resume-rollout"] as const);
      fleet.submit(type, { rolloutUid, reason: "operator" });
    },
    () => {
      const proposals = fleet.machine.objects("Proposal", NS);
      if (proposals.length === 0) return;
      const proposalUid = prng.pick(proposals).metadata.uid;
      fleet.submit("withdraw", { proposalUid, reason: "changed my mind" });
    },
    () => {
      if (fleet.nodeNames.length < 4) return;
      fleet.submit("write", { op: "delete", kind: "Node", name: node });
      fleet.nodeNames.splice(fleet.nodeNames.indexOf(node), 1);
      fleet.reachable.delete(node);
    },
  ];
  try {
    prng.pick(steps)();
  } catch (error) {
    // The harness refuses some steps itself, such as a veto of a node that is assigned nothing.
    if (!(error instanceof Error) || error.name !== "Error") throw error;
  }
}

function randomFleet(seed: string): Fleet {
  const prng = createPrng(seed);
  const onFirstVeto = prng.pick(["pause", "continue", "rollback"] as const);
  const directCommits = prng.chance(0.2);
  const fleet = new Fleet({
    seed,
    nodes: nodes(3 + prng.below(10), 1 + prng.below(4)),
    policy: (spec) => {
      const policy = TEST_POLICY(spec);
      return { ...policy, directCommits, rollout: { ...policy.rollout, onFirstVeto } };
    },
  });
  for (let i = 0; i < 60; i += 1) live(fleet, prng);
  return fleet;
}

describe("replicas", () => {
  it("have equal rows and results at equal index, restored in the middle or not", () => {
    let committed = 0;
    for (let run = 0; run < 25; run += 1) {
      const fleet = randomFleet(`determinism-${run}`);
      const prng = createPrng(`restart-${run}`);
      let machine = new StateMachine({ crypto: testCrypto });
      for (const [i, entry] of fleet.entries.entries()) {
        if (prng.chance(0.05)) {
          const rows = prng.shuffle([...machine.rows()]);
          const copy = JSON.parse(JSON.stringify({ rows, meta: machine.meta() })) as {
            rows: typeof rows;
            meta: StateMeta;
          };
          machine = StateMachine.restore(copy, { crypto: testCrypto });
        }
        expect(machine.apply(entry)).toEqual(fleet.results[i]);
      }
      expect(machine.stateHash()).toBe(fleet.machine.stateHash());
      expect(machine.meta()).toEqual(fleet.machine.meta());
      for (const node of fleet.nodeNames) {
        expect(renderAssignments(machine, node)).toEqual(renderAssignments(fleet.machine, node));
        expect(renderTrialOrders(machine, node)).toEqual(renderTrialOrders(fleet.machine, node));
      }
      expect(renderNodeConfigs(machine)).toEqual(renderNodeConfigs(fleet.machine));
      committed += fleet.machine.objects("ConfigVersion", NS).length - 1;
    }
    // The property is worth something only when things happened.
    expect(committed).toBeGreaterThan(25);
  });

  it("number revisions without gaps, once per object change, and stamp them into the objects", () => {
    const fleet = randomFleet("revisions");
    let revision = 0;
    for (const result of fleet.results) {
      const objects = result.changes.filter((change) => !change.internal);
      expect(result.firstRevision).toBe(objects.length === 0 ? 0 : revision + 1);
      for (const change of objects) {
        revision += 1;
        expect(change.revision).toBe(revision);
        expect(change.key.startsWith("~")).toBe(false);
        const value = change.value as { metadata: { resourceVersion: string } };
        if (change.type !== "DELETED") {
          expect(value.metadata.resourceVersion).toBe(String(revision));
        }
      }
      expect(result.lastRevision).toBe(revision);
      expect(new Set(result.changes.map((change) => change.key)).size).toBe(result.changes.length);
    }
  });
});

describe("what must hold in every life of a fleet", () => {
  it("no node is assigned a version that it vetoes, and generations only rise", () => {
    for (let run = 0; run < 10; run += 1) {
      const seed = `invariants-${run}`;
      const recorded = randomFleet(seed);
      const machine = new StateMachine({ crypto: testCrypto });
      const generations = new Map<string, number>();
      for (const entry of recorded.entries) {
        machine.apply(entry);
        const config = machine.object("Config", NS, "web");
        if (config === undefined) continue;
        for (const veto of machine.objects("Veto", NS)) {
          if (veto.status?.["active"] !== true) continue;
          const row = renderAssignments(machine, veto.spec.node).assignments[0];
          if (row !== undefined) expect(row.version).not.toBe(veto.spec.version);
        }
        for (const rollout of machine.objects("Rollout", NS)) {
          const planned = (rollout.status?.stages ?? []).flatMap((stage) => [...stage.nodes]);
          expect(new Set(planned).size).toBe(planned.length);
        }
        for (const { metadata } of machine.objects("Node")) {
          const row = renderAssignments(machine, metadata.name).assignments[0];
          if (row === undefined) continue;
          const key = metadata.uid;
          expect(row.generation).toBeGreaterThanOrEqual(generations.get(key) ?? 0);
          generations.set(key, row.generation);
        }
        const running = machine
          .objects("Proposal", NS)
          .filter((one) => ["Trialing", "Voting", "RollingOut"].includes(one.status?.phase ?? ""));
        expect(running.length).toBeLessThanOrEqual(1);
      }
    }
  });
});
