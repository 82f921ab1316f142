// Objects that people write: preconditions, references, revisions and generations.

import { describe, expect, it } from "vitest";
import type { JsonObject } from "@kingly/base";
import type { ApplyResult } from "../src/index.ts";
import { DATA, Fleet, NS, configSpec, nodes } from "./support/fleet.ts";
import { refused } from "./support/refused.ts";

describe("writing objects", () => {
  const write = (fleet: Fleet, body: JsonObject): ApplyResult =>
    fleet.submit("write", { namespace: NS, ...body });

  it("keeps preconditions, references and namespaces", () => {
    const fleet = Fleet.settled({ nodes: nodes(2) });
    const policy = fleet.machine.object("Policy", NS, "standard");
    const spec = policy?.spec as unknown as JsonObject;
    const replace = { op: "replace", kind: "Policy", name: "standard", object: { spec } };
    const uid = "00000000-0000-8000-8000-000000000000";
    refused(fleet, "Conflict", () => write(fleet, { ...replace, preconditions: { uid } }));
    const preconditions = { resourceVersion: "1" };
    refused(fleet, "Conflict", () => write(fleet, { ...replace, preconditions }));
    refused(fleet, "NotFound", () => write(fleet, { ...replace, name: "other" }));
    refused(fleet, "NotFound", () => write(fleet, { ...replace, op: "create", namespace: "none" }));
    refused(fleet, "AlreadyExists", () => write(fleet, { ...replace, op: "create" }));
    for (const [kind, name] of [
      ["Policy", "standard"],
      ["ConfigSchema", "inference"],
      ["Objective", "latency"],
    ] as const) {
      refused(fleet, "Conflict", () => write(fleet, { op: "delete", kind, name }));
    }
    const namespace = { op: "delete", kind: "Namespace", name: NS };
    refused(fleet, "Conflict", () => fleet.submit("write", namespace));
    refused(fleet, "Forbidden", () => write(fleet, { op: "delete", kind: "Vote", name: "x" }));
    const demoted = { ...(fleet.machine.object("Objective", NS, "latency")?.spec as object) };
    const object = { spec: { ...demoted, role: "guardrail" } as JsonObject };
    const objective = { op: "replace", kind: "Objective", name: "latency", object };
    refused(fleet, "InvalidField", () => write(fleet, objective));
  });

  it("refuses a Config that refers to nothing, breaks its schema, or takes another's target", () => {
    const fleet = Fleet.settled({ nodes: nodes(2) });
    const create = (change: JsonObject): (() => ApplyResult) => {
      const object = { spec: configSpec(DATA, { target: "inference/other", ...change }) };
      return () => write(fleet, { op: "create", kind: "Config", name: "second", object });
    };
    refused(fleet, "NotFound", create({ schemaRef: "none" }));
    refused(fleet, "NotFound", create({ policyRef: "none" }));
    refused(fleet, "NotFound", create({ objectiveRefs: ["latency", "none"] }));
    refused(fleet, "InvalidField", create({ objectiveRefs: ["goodput"] }));
    refused(fleet, "SchemaViolation", create({ data: { batch: 0 } }));
    refused(fleet, "InvalidField", create({ data: "text" }));
    const taken = refused(fleet, "Conflict", create({ target: "inference/main" }));
    expect(taken.outcome).toMatchObject({ details: { rule: "OneConfigPerTarget" } });
    expect(create({})().outcome.ok).toBe(true);
  });

  it("makes no revision when nothing changes, and a generation only when spec does", () => {
    const fleet = Fleet.settled({ nodes: nodes(2) });
    const read = () => fleet.machine.object("Policy", NS, "standard");
    const before = read();
    const spec = before?.spec as unknown as JsonObject;
    const replace = (object: JsonObject): ApplyResult =>
      write(fleet, { op: "replace", kind: "Policy", name: "standard", object });
    const { revision } = fleet.machine.meta();
    expect(replace({ spec }).outcome).toMatchObject({ ok: true, value: { changed: false } });
    expect(fleet.machine.meta().revision).toBe(revision);
    replace({ spec, metadata: { labels: { team: "a" } } });
    expect(read()?.metadata).toMatchObject({ generation: 1, labels: { team: "a" } });
    replace({ spec: { ...spec, quorum: 0.7 }, metadata: { labels: { team: "a" } } });
    expect(read()?.metadata).toMatchObject({ generation: 2, uid: before?.metadata.uid });
    expect(Number(read()?.metadata.resourceVersion)).toBe(revision + 2);
  });

  it("deletes a Config with its history, frees its nodes, and lets the name be used again", () => {
    const fleet = Fleet.settled({ nodes: nodes(3) });
    fleet.propose({ batch: 9 }, "p2");
    fleet.lead();
    const gone = { op: "delete", kind: "Config", name: "web" };
    refused(fleet, "Conflict", () => write(fleet, gone));
    fleet.vote(() => 0);
    fleet.settle();
    expect(write(fleet, gone).outcome.ok).toBe(true);
    expect(fleet.machine.objects("ConfigVersion", NS)).toEqual([]);
    expect(fleet.machine.objects("Vote", NS)).toEqual([]);
    expect([...fleet.machine.list("~trial/")]).toEqual([]);
    expect([...fleet.machine.list("~assign/")]).toEqual([]);
    fleet.create("Config", "web", configSpec(DATA));
    expect(fleet.config().status?.version).toBe(1);
  });

  it("refuses a policy that is not whole, so that nothing behind it meets one", () => {
    const fleet = Fleet.settled({ nodes: nodes(1) });
    const object = { spec: { quorum: 7 } };
    const body = { op: "create", kind: "Policy", name: "broken", object };
    refused(fleet, "InvalidField", () => write(fleet, body));
  });
});
