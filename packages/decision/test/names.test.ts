// Names may hold dashes: what is named after two others must not be taken for something else.

import { describe, expect, it } from "vitest";
import { renderAssignments } from "../src/index.ts";
import type { ApplyResult } from "../src/index.ts";
import { DATA, Fleet, NS, configSpec } from "./support/fleet.ts";

describe("names that could be read in two ways", () => {
  it("do not mix up votes and vetoes of different proposals and Configs", () => {
    const fleet = Fleet.settled({
      nodes: [{ name: "x" }, { name: "a1-x" }, { name: "v2-x" }],
    });
    fleet.create("Config", "web-v2", configSpec(DATA, { target: "inference/other" }));
    for (const node of fleet.nodeNames) {
      fleet.ok("node-status", {
        node,
        targets: ["inference/main", "inference/other"],
        signals: ["goodput", "latencyMean"],
        agentVersion: "1",
      });
    }
    const manual = (node: string, config: string): ApplyResult => {
      const { uid, name } = fleet.config(config).metadata;
      const version = fleet.machine.object("ConfigVersion", NS, `${name}-v2`)?.spec;
      const document = fleet.vetoDocument(node, {
        configUid: uid,
        version: 2,
        contentHash: version?.contentHash ?? "",
        pinnedKeys: ["batch"],
        runsVersion: 1,
      });
      return fleet.signed("veto", document);
    };
    expect(fleet.decide({ batch: 9 }, "p", () => 0)).toBe("RollingOut");
    fleet.settle();
    expect(manual("v2-x", "web").outcome.ok).toBe(true);
    expect(fleet.propose({ batch: 12 }, "p-a1").outcome.ok).toBe(true);
    fleet.lead();
    fleet.vote(() => -0.2);
    expect(fleet.phase("p-a1")).toBe("RollingOut");
    fleet.settle();
    const votes = fleet.machine.objects("Vote", NS).map((one) => one.metadata.name);
    expect(votes).toHaveLength(6);
    expect(votes.filter((name) => name.startsWith("p-a1-a1-x"))).toHaveLength(2);
    const update = { namespace: NS, config: "web-v2", baseVersion: 1, reason: "r" };
    fleet.ok("propose", { ...update, name: "other", patch: { batch: 9 } });
    fleet.lead();
    fleet.vote(() => 0);
    fleet.settle();
    expect(manual("x", "web-v2").outcome.ok).toBe(true);
    const vetoes = fleet.vetoes();
    expect(vetoes.map((one) => one.spec.config)).toEqual(["web", "web-v2"]);
    expect(vetoes.every((one) => one.metadata.name.startsWith("web-v2-v2-x"))).toBe(true);
    const held = renderAssignments(fleet.machine, "x").assignments;
    expect(held.map((one) => one.version).sort((a, b) => a - b)).toEqual([1, 3]);
  });
});
