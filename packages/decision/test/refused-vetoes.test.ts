// A veto is refused only when its writer, its version or its numbers are not what they say.

import { beforeEach, describe, expect, it } from "vitest";
import type { JsonObject } from "@kingly/base";
import { Fleet, TEST_POLICY, nodes } from "./support/fleet.ts";
import { refused } from "./support/refused.ts";

describe("a veto is refused and changes nothing", () => {
  let fleet: Fleet;
  const node = "node-01";
  const other = "node-02";

  beforeEach(() => {
    fleet = Fleet.settled({
      nodes: nodes(5),
      policy: (spec) => ({ ...TEST_POLICY(spec), directCommits: true }),
    });
    fleet.propose({ batch: 16 }, "p2");
    fleet.settle();
  });

  it("BadSignature, WrongCluster, NotFound, Conflict: not its own, not here, not assigned", () => {
    refused(fleet, "BadSignature", () => fleet.signed("veto", fleet.vetoDocument(node), other));
    const elsewhere = fleet.vetoDocument(node, { clusterId: "another" });
    refused(fleet, "WrongCluster", () => fleet.signed("veto", elsewhere));
    const unknown = fleet.vetoDocument(node, { configUid: "00000000-0000-8000-8000-000000000000" });
    refused(fleet, "NotFound", () => fleet.signed("veto", unknown));
    refused(fleet, "Conflict", () =>
      fleet.signed("veto", fleet.vetoDocument(node, { version: 1 })),
    );
    const content = fleet.vetoDocument(node, { contentHash: "a".repeat(64) });
    refused(fleet, "Conflict", () => fleet.signed("veto", content));
  });

  it("EvidenceMismatch: a regression that was not shown at the local error probability", () => {
    const harmless = fleet.regressionVeto(node, 0);
    refused(fleet, "EvidenceMismatch", () => fleet.signed("veto", harmless));
    const good = fleet.regressionVeto(node, 0.4);
    const plan = good["plan"] as JsonObject;
    const lax = { ...good, plan: { ...plan, alpha: 0.4 } };
    refused(fleet, "EvidenceMismatch", () => fleet.signed("veto", lax));
    const bare = { ...good, plan: {}, evidence: {} };
    refused(fleet, "EvidenceMismatch", () => fleet.signed("veto", bare));
    expect(fleet.signed("veto", good).outcome.ok).toBe(true);
  });

  it("EvidenceMismatch: a margin looser than the objective's, while an owner may be stricter", () => {
    const loose = fleet.regressionVeto(node, 0.9, 0.06);
    expect(fleet.signed("veto", loose).outcome).toMatchObject({
      code: "EvidenceMismatch",
      details: { field: "plan.objectives[0].harmMarginRatio", limit: "0 to 0.05", value: 0.06 },
    });
    // 4 % are within the fleet's margin of 5 %, and beyond this owner's 1 %.
    expect(fleet.signed("veto", fleet.regressionVeto(node, 0.04)).outcome.ok).toBe(false);
    const strict = fleet.regressionVeto(node, 0.04, 0.01);
    expect(fleet.signed("veto", strict).outcome).toMatchObject({ ok: true });
  });

  it("InvalidField: no reason, or a version that it cannot run instead", () => {
    const silent = fleet.vetoDocument(node, { message: "" });
    refused(fleet, "InvalidField", () => fleet.signed("veto", silent));
    const ahead = fleet.vetoDocument(node, { runsVersion: 7 });
    refused(fleet, "InvalidField", () => fleet.signed("veto", ahead));
  });
});
