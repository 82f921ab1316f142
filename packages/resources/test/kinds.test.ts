// Every kind: its good example validates, every single-field fault that the schema knows is
// refused at the right path, unknown fields are listed, and hostile keys do no harm.

import { describe, expect, it } from "vitest";
import { canonicalJson } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import { KINDS, kindInfo, validateObject } from "@kingly/resources";
import { EXAMPLES } from "./examples.ts";
import { faults, pathOf, structs, withField } from "./mutate.ts";

describe.each(KINDS.map((info) => info.kind))("%s", (kind) => {
  const schema = kindInfo(kind).schema;
  const example = EXAMPLES[kind];

  it("accepts its good example as it is", () => {
    const result = validateObject(kind, example);
    expect(result.errors).toEqual([]);
    expect(result).toMatchObject({ ok: true, unknownFields: [] });
    expect(canonicalJson(result.value as unknown as JsonValue)).toBe(canonicalJson(example));
  });

  it("refuses each single-field fault with reason, path, limit and value", () => {
    let tried = 0;
    for (const fault of faults(schema, example)) {
      const result = validateObject(kind, withField(example, fault.steps, fault.value));
      const what = `${fault.field} ${fault.what}`;
      expect(result.ok, what).toBe(false);
      const same = result.errors.filter((error) => error.field === fault.field);
      expect(
        same.map((error) => error.reason),
        what,
      ).toContain(fault.reason);
      // Nothing else may be blamed for the fault of one field.
      const others = result.errors.filter((error) => !error.field.startsWith(fault.field));
      expect(others, what).toEqual([]);
      for (const error of same) expect(error.message, what).toContain(fault.field);
      tried += 1;
    }
    expect(tried).toBeGreaterThan(20);
  });

  it("lists an unknown field wherever it stands, drops it, and is otherwise content", () => {
    for (const steps of structs(schema, example)) {
      const at = [...steps, "typo"];
      const result = validateObject(kind, withField(example, at, 1));
      expect(result.unknownFields).toEqual([pathOf(at)]);
      expect(result.ok).toBe(true);
      expect(canonicalJson(result.value as unknown as JsonValue)).toBe(canonicalJson(example));
    }
  });

  it("refuses __proto__ and is not fooled by inherited names", () => {
    const hostile = JSON.parse(
      `{"__proto__":{"polluted":true},${canonicalJson(example).slice(1)}`,
    ) as JsonValue;
    const result = validateObject(kind, hostile);
    expect(result.ok).toBe(false);
    expect(result.errors[0]).toMatchObject({ reason: "FieldValueInvalid", field: "__proto__" });
    const inherited = validateObject(kind, { ...example, constructor: { x: 1 }, toString: "a" });
    expect(inherited.unknownFields).toEqual(["constructor", "toString"]);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  it("does not take required fields from a prototype", () => {
    const bare = Object.create(example) as JsonObject;
    const fields = validateObject(kind, bare).errors.map((error) => error.field);
    expect(fields).toContain("apiVersion");
    expect(fields).toContain("metadata");
  });

  it("answers any JSON value without throwing", () => {
    for (const value of [null, 1, "x", [], {}, [[]], { spec: null }, { metadata: [] }]) {
      expect(validateObject(kind, value).ok).toBe(false);
    }
  });
});

describe("the catalogue", () => {
  it("has unique plurals, singulars and short names", () => {
    const names = KINDS.flatMap((info) => [info.plural, info.singular, ...info.shortNames]);
    expect(new Set(names).size).toBe(names.length);
  });

  it("lets clients write intent only, never what nodes and the cluster say", () => {
    const readOnly = KINDS.filter((info) => !info.writable).map((info) => info.kind);
    expect(readOnly).toEqual(["ConfigVersion", "Vote", "Veto", "Rollout", "NodeConfig", "Event"]);
    expect(kindInfo("Proposal").verbs).toEqual(["get", "list", "watch", "create", "delete"]);
    expect(kindInfo("Node").verbs).not.toContain("create");
  });
});
