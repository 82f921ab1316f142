// Proposals that cannot be opened, with which code, and what the leader may not do with one.

import { describe, expect, it } from "vitest";
import type { JsonObject } from "@kingly/base";
import type { ApplyResult } from "../src/index.ts";
import { DATA, Fleet, NS, TEST_POLICY, nodes } from "./support/fleet.ts";
import { refused } from "./support/refused.ts";

describe("a proposal is refused", () => {
  const fleet = Fleet.settled({ nodes: nodes(4) });
  const propose = (body: JsonObject): (() => ApplyResult) => {
    const full = { namespace: NS, config: "web", baseVersion: 1, reason: "r", ...body };
    return () => fleet.submit("propose", full);
  };

  it("StaleBase, Unchanged, SchemaViolation, NotFound, InvalidField, UnknownField", () => {
    refused(fleet, "StaleBase", propose({ baseVersion: 0, patch: { batch: 9 } }));
    refused(fleet, "Unchanged", propose({ patch: { batch: 8 } }));
    const range = refused(fleet, "SchemaViolation", propose({ patch: { batch: 65 } }));
    expect(range.outcome).toMatchObject({
      details: { field: "data.batch", limit: "must be <= 64" },
    });
    refused(fleet, "SchemaViolation", propose({ patch: { batch: "many" } }));
    refused(fleet, "NotFound", propose({ config: "nowhere", patch: { batch: 9 } }));
    refused(fleet, "InvalidField", propose({}));
    refused(fleet, "InvalidField", propose({ patch: { batch: 9 }, data: DATA }));
    refused(fleet, "InvalidField", propose({ data: { ...DATA, mode: null } }));
    refused(fleet, "UnknownField", propose({ patch: { batch: 9 }, priority: "high" }));
  });

  it("AlreadyExists: a name that is taken", () => {
    fleet.propose({ batch: 9 }, "taken");
    refused(fleet, "AlreadyExists", propose({ name: "taken", patch: { batch: 10 } }));
  });

  it("Overloaded: a queue that is full", () => {
    const full = Fleet.settled({ nodes: nodes(2) });
    full.reachable.clear();
    for (let i = 0; i < 64; i += 1) full.propose({ batch: 9 + (i % 50) }, `p-${i}`);
    const last = full.propose({ batch: 10 }, "one-too-many").outcome;
    expect(last).toMatchObject({ ok: false, code: "Overloaded", details: { limit: 64 } });
  });
});

describe("the leader's commands are checked again", () => {
  it("a trial starts only with entropy, in its turn, with enough nodes", () => {
    const fleet = Fleet.settled({ nodes: nodes(4) });
    fleet.propose({ batch: 9 }, "first");
    fleet.propose({ batch: 10 }, "second");
    const entropy = new Uint8Array(32).fill(7);
    const start = (name: string, change: JsonObject = {}, withEntropy = true): ApplyResult => {
      const proposalUid = fleet.proposal(name).metadata.uid;
      const body = { proposalUid, attempt: 1, reachable: [...fleet.nodeNames], ...change };
      return fleet.submit("trial-start", body, withEntropy ? { entropy } : {});
    };
    refused(fleet, "InvalidField", () => start("first", {}, false));
    refused(fleet, "Conflict", () => start("second"));
    refused(fleet, "Conflict", () => start("first", { attempt: 2 }));
    refused(fleet, "Unavailable", () => start("first", { reachable: ["node-01"] }));
    refused(fleet, "Retry", () => start("first", { candidateHash: "a".repeat(64) }));
    const candidateHash = fleet.proposal("first").status?.candidateHash ?? "";
    expect(start("first", { candidateHash }).outcome.ok).toBe(true);
    refused(fleet, "Conflict", () => start("first"));
  });

  it("a candidate that admission found broken ends Denied, and the next has its turn", () => {
    const fleet = Fleet.settled({ nodes: nodes(4) });
    fleet.propose({ batch: 9 }, "first");
    fleet.propose({ batch: 10 }, "second");
    const body = {
      proposalUid: fleet.proposal("first").metadata.uid,
      attempt: 1,
      reachable: [...fleet.nodeNames],
      candidateHash: fleet.proposal("first").status?.candidateHash ?? "",
      invalid: "data.batch must be >= 10",
    };
    const entropy = new Uint8Array(32).fill(7);
    expect(fleet.submit("trial-start", body, { entropy }).outcome.ok).toBe(true);
    expect(fleet.proposal("first").status).toMatchObject({
      phase: "Denied",
      reason: "SchemaViolation",
      message: "on top of version 1 the content breaks its schema: data.batch must be >= 10",
    });
    fleet.lead();
    expect(fleet.phase("second")).toBe("Trialing");
  });

  it("a deadline that is not due or not of this phase is ignored", () => {
    const fleet = Fleet.settled({
      nodes: nodes(4),
      policy: (spec) => {
        const policy = TEST_POLICY(spec);
        return { ...policy, trial: { ...policy.trial, maxPairs: 5, deadlineSeconds: 600 } };
      },
    });
    fleet.propose({ batch: 9 }, "first");
    fleet.lead();
    const { uid } = fleet.proposal("first").metadata;
    const before = fleet.machine.stateHash();
    const deadlineMs = fleet.proposal("first").status?.trial?.deadlineMs ?? 0;
    const ignored = (body: JsonObject): void => {
      expect(fleet.ok("deadline", body)).toHaveProperty("ignored");
    };
    ignored({ uid, phase: "Trialing", deadlineMs });
    fleet.nowMs = deadlineMs;
    ignored({ uid, phase: "Voting", deadlineMs });
    ignored({ uid, phase: "Trialing", deadlineMs: deadlineMs - 1 });
    expect(fleet.machine.stateHash()).toBe(before);
    expect(fleet.ok("deadline", { uid, phase: "Trialing", deadlineMs })).not.toHaveProperty(
      "ignored",
    );
    expect(fleet.phase("first")).toBe("Inconclusive");
  });
});
