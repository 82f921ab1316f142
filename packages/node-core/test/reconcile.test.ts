import { describe, expect, it } from "vitest";
import { assignment, hashOf, Plant, push } from "./support/plant.ts";

const V1 = { window: 0, size: 8 };
const V2 = { window: 2, size: 8 };

function nacks(plant: Plant): string[] {
  return plant.sent.filter((m) => m.type === "nack").map((m) => `${m.version}:${m.reason}`);
}

/** A node on which version 1 is confirmed. */
function settled(options: ConstructorParameters<typeof Plant>[0] = {}): Plant {
  const plant = new Plant(options).start().connect();
  plant.send(push(assignment(1, V1)));
  return plant.until(() => plant.acks().includes("1:CONFIRMED"), 30_000, "v1 confirmed");
}

describe("reconcile", () => {
  it("refuses a target that its owner did not bind", () => {
    const plant = new Plant().start().connect();
    plant.send(push(assignment(1, V1, { target: "inference/other" }))).run(100);
    expect(nacks(plant)).toEqual(["1:Unbound"]);
    expect(plant.applied).toEqual([]);
  });

  it("refuses another cluster's push, a wrong hash, a broken rule and an owner's limit", () => {
    const node = { ownerLimits: { "inference/main": { window: { maximum: 10 } } } };
    const plant = new Plant({ node }).start().connect();
    const v1 = assignment(1, V1);
    plant.send({
      type: "pushReceived",
      push: { clusterId: "other", node: "n1", assignments: [v1] },
      nonce: "x",
    });
    plant.send(push({ ...v1, contentHash: hashOf(V2) }));
    plant.send(push(assignment(1, { window: 99, size: 8 })));
    plant.send(push(assignment(1, { window: 20, size: 8 })));
    plant.run(200);
    expect(nacks(plant)).toEqual([
      "1:WrongCluster",
      "1:SchemaViolation",
      "1:SchemaViolation",
      "1:CheckFailed",
    ]);
    expect(plant.applied).toEqual([]);
  });

  it("accepts only a higher generation, and answers a repeated one with its state", () => {
    const plant = settled();
    const before = plant.applied.length;
    plant.send(push(assignment(2, V2, { generation: 1, version: 2 })));
    plant.send(push(assignment(9, V2, { generation: 0 })));
    plant.send(push(assignment(1, V1))).run(200);
    expect(nacks(plant)).toEqual(["2:OldGeneration", "9:OldGeneration"]);
    expect(plant.acks().at(-1)).toBe("1:CONFIRMED");
    expect(plant.applied.length).toBe(before);
  });

  it("answers CheckFailed and keeps what runs when the target's check refuses", () => {
    const plant = settled();
    plant.uncheckable.add(hashOf(V2));
    plant.send(push(assignment(2, V2))).run(2_000);
    expect(nacks(plant)).toEqual(["2:CheckFailed"]);
    expect(plant.running.data).toEqual(V1);
    expect(plant.core.active()[0]?.state).toBe("failed");
  });

  it("goes back to its last known good and vetoes when a version cannot be applied", () => {
    const plant = settled();
    plant.unappliable.add(hashOf(V2));
    plant.send(push(assignment(2, V2)));
    plant.until(() => plant.of("Veto").length > 0, 60_000, "veto");
    plant.until(() => plant.running.data["window"] === 0, 20_000, "revert");
    expect(plant.of("Veto")[0]).toMatchObject({ cause: "Unappliable", version: 2, runsVersion: 1 });
    expect(nacks(plant)).toEqual(["2:ApplyFailed"]);
  });

  it("leaves the content of a config that no longer selects it, and takes it up again", () => {
    const plant = settled();
    const before = plant.applied.length;
    plant.send(push()).run(1_000);
    expect(plant.core.active()[0]?.message).toBe("Orphaned");
    expect(plant.applied.length).toBe(before);
    expect(plant.running.data).toEqual(V1);
    // The servers forgot the node, so their generation for it starts again.
    plant.send(push(assignment(2, V2, { generation: 1 })));
    plant.until(() => plant.acks().includes("2:CONFIRMED"), 60_000, "v2 confirmed");
  });

  it("keeps the last three confirmed contents and what it found", () => {
    const plant = settled({ asFound: { window: 7 } });
    for (let version = 2; version <= 5; version += 1) {
      plant.send(push(assignment(version, { window: 0, size: version })));
      plant.until(() => plant.acks().includes(`${version}:CONFIRMED`), 120_000, `v${version}`);
    }
    const record = JSON.parse(plant.disk ?? "") as {
      slots: Record<
        string,
        { asFound: { data: object }; confirmed: { content: { version: number } }[] }
      >;
    };
    const slot = record.slots["cfg-1"];
    expect(slot?.confirmed.map((c) => c.content.version)).toEqual([5, 4, 3]);
    expect(slot?.asFound.data).toEqual({ window: 7 });
  });

  it("goes back to what it found when the fleet takes its first version back", () => {
    const plant = settled({ asFound: { window: 7 } });
    plant.send(push(assignment(0, {}, { generation: 2, contentHash: "" })));
    plant.until(() => plant.running.data["window"] === 7, 5_000, "as found");
    expect(plant.core.active()[0]).toMatchObject({ version: 0, lastKnownGood: 0 });
  });

  it("never fights a hand edit silently: it steps aside, says so, and goes on when it is undone", () => {
    const plant = settled();
    plant.send({ type: "fileEdited", target: "inference/main", message: "hash differs" });
    const before = plant.applied.length;
    plant.send(push(assignment(2, V2))).run(5_000);
    expect(plant.core.active()[0]?.state).toBe("overridden");
    expect(nacks(plant)).toEqual(["2:CheckFailed"]);
    expect(plant.applied.length).toBe(before);
    plant.send({ type: "editCleared", target: "inference/main" });
    plant.until(() => plant.acks().includes("2:CONFIRMED"), 60_000, "v2 confirmed");
  });

  it("reverts for lack of a server only where the config asks for connectivity", () => {
    for (const requiresConnectivity of [false, true]) {
      const plant = settled();
      plant.send(push(assignment(2, V2, { requiresConnectivity })));
      plant.until(() => plant.acks().includes("2:APPLIED"), 10_000, "applied");
      plant.send({ type: "disconnected" }).run(70_000);
      expect(plant.running.data).toEqual(requiresConnectivity ? V1 : V2);
      expect(plant.of("Veto")).toEqual([]);
      plant.connect().send(push(assignment(2, V2, { requiresConnectivity })));
      plant.until(() => plant.acks().includes("2:CONFIRMED"), 60_000, "confirmed after all");
    }
  });

  it("stops gracefully on its last known good while a version is unconfirmed, and tries it again", () => {
    const plant = settled();
    plant.send(push(assignment(2, V2)));
    plant.until(() => plant.acks().includes("2:APPLIED"), 10_000, "applied");
    plant.send({ type: "stopping" });
    plant.until(() => plant.stopped, 5_000, "stopped");
    expect(plant.running.data).toEqual(V1);
    plant.restart().connect();
    plant.until(() => plant.acks().includes("2:CONFIRMED"), 60_000, "v2 confirmed after restart");
  });

  it("takes an assignment up again when it stopped before the checkpoint", () => {
    const plant = settled({ checkMs: 500 });
    // The assignment reaches the disk; the process ends while the target's check is under way.
    plant.send(push(assignment(2, V2)));
    const remembered = (): boolean => plant.disk?.includes(hashOf(V2)) === true;
    plant.until(remembered, 1_000, "the assignment on disk");
    expect(JSON.parse(plant.disk ?? "null")).toMatchObject({
      slots: { "cfg-1": { pending: null } },
    });
    plant.restart().connect();
    plant.send(push(assignment(2, V2)));
    plant.until(() => plant.acks().includes("2:CONFIRMED"), 60_000, "v2 confirmed after restart");
  });

  it("refuses a state record of another cluster or of unknown shape", () => {
    const plant = settled();
    plant.disk = JSON.stringify({ ...JSON.parse(plant.disk ?? ""), clusterId: "other" });
    expect(() => plant.restart()).toThrow(/another cluster/);
    plant.disk = "[]";
    expect(() => plant.restart()).toThrow(/not an object/);
  });
});
