// A change that had to wait takes its turn: where no trial is needed it is committed, unless admission
// found that the content, as it would be decided now, breaks the schema.

import { describe, expect, it } from "vitest";
import type { JsonObject } from "@kingly/base";
import { pendingWork } from "../src/index.ts";
import type { ApplyResult, PendingCommand } from "../src/index.ts";
import { Fleet, NS, TEST_POLICY, nodes } from "./support/fleet.ts";
import { refused } from "./support/refused.ts";

/** Version 2 is on its way; two changes wait behind it. */
function waiting(): Fleet {
  const fleet = Fleet.settled({
    nodes: nodes(3),
    policy: (spec) => ({ ...TEST_POLICY(spec), directCommits: true }),
  });
  for (const [name, patch] of [
    ["now", { batch: 16 }],
    ["second", { threads: 8 }],
    ["third", { mode: "safe" }],
  ] as const) {
    expect(fleet.propose(patch, name).outcome.ok).toBe(true);
  }
  return fleet;
}

/** Everybody confirms; the leader ends the stages and gives nobody a turn. */
function endRollout(fleet: Fleet): void {
  for (;;) {
    fleet.acknowledge();
    fleet.nowMs += 61_000;
    const work = workOf(fleet).filter(({ type }) => type === "advance-rollout");
    if (work.length === 0) return;
    for (const { type, body } of work) fleet.ok(type, body);
  }
}

function workOf(fleet: Fleet): PendingCommand[] {
  return pendingWork(fleet.machine, { reachableNodes: fleet.reachable }, fleet.nowMs);
}

function take(fleet: Fleet, name: string, change: JsonObject = {}): ApplyResult {
  const { metadata, status } = fleet.proposal(name);
  const candidateHash = status?.candidateHash ?? "";
  return fleet.submit("direct-commit", { proposalUid: metadata.uid, candidateHash, ...change });
}

describe("a change that needs no trial", () => {
  it("is committed at once when nothing is in its way, and otherwise in its turn", () => {
    const fleet = waiting();
    expect(fleet.phase("now")).toBe("RollingOut");
    expect(fleet.phase("second")).toBe("Validated");
    refused(fleet, "Conflict", () => take(fleet, "second"));
    endRollout(fleet);
    expect([fleet.phase("now"), fleet.phase("second")]).toEqual(["Completed", "Validated"]);
    refused(fleet, "Conflict", () => take(fleet, "third"));
    expect(workOf(fleet).map(({ type }) => type)).toEqual(["direct-commit"]);
    fleet.lead();
    expect(fleet.phase("second")).toBe("RollingOut");
    const { message } = fleet.proposal("third").status ?? {};
    expect(message).toBe("moved onto version 3, waiting for its turn");
    expect(fleet.config().spec.data).toEqual({ batch: 16, threads: 8, mode: "fast" });
    refused(fleet, "Conflict", () => take(fleet, "second"));
    fleet.settle();
    fleet.settle();
    expect(fleet.config().spec.data).toEqual({ batch: 16, threads: 8, mode: "safe" });
  });

  it("ends Denied when admission found it broken where it stands now, and the next has its turn", () => {
    const fleet = waiting();
    endRollout(fleet);
    const invalid = "data must match one of the alternatives";
    expect(take(fleet, "second", { invalid }).outcome.ok).toBe(true);
    expect(fleet.proposal("second").status).toMatchObject({
      phase: "Denied",
      reason: "SchemaViolation",
      message: `on top of version 2 the content breaks its schema: ${invalid}`,
    });
    expect(fleet.config().status?.version).toBe(2);
    fleet.lead();
    expect(fleet.phase("third")).toBe("RollingOut");
    expect(fleet.config().spec.data).toEqual({ batch: 16, threads: 4, mode: "safe" });
  });

  it("is judged again when its content moved, or when a trial is wanted by now", () => {
    const fleet = waiting();
    const { candidateHash = "" } = fleet.proposal("second").status ?? {};
    endRollout(fleet);
    const before = fleet.proposal("second").status?.candidateHash;
    expect(before).toBe(candidateHash);
    fleet.ok("rollback-rollout", { rolloutUid: fleet.rollout(2).metadata.uid, reason: "no" });
    expect(fleet.proposal("second").status?.candidateHash).not.toBe(candidateHash);
    refused(fleet, "Retry", () => take(fleet, "second", { candidateHash }));
    const policy = fleet.machine.object("Policy", NS, "standard")?.spec;
    const object = { spec: { ...policy, directCommits: false } } as unknown as JsonObject;
    fleet.ok("write", { op: "replace", kind: "Policy", namespace: NS, name: "standard", object });
    const { outcome } = refused(fleet, "Conflict", () => take(fleet, "second"));
    expect(outcome).toMatchObject({ details: { rule: "directCommits" } });
    expect(workOf(fleet).map(({ type }) => type)).toEqual(["trial-start"]);
  });
});
