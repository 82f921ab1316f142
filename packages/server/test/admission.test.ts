// Admission: what a person is told before anything reaches the log, through a real server.
import { utf8Encode } from "@kingly/base";
import type { JsonObject } from "@kingly/base";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SchemaCache } from "../src/admission/schema-cache.ts";
import type { RunningServer } from "../src/server.ts";
import { ACTOR, at, createCluster, write } from "./cluster.ts";
import type { Cluster } from "./cluster.ts";

let cluster: Cluster;
let server: RunningServer;

function put(op: string, kind: string, name: string, spec: JsonObject): Promise<unknown> {
  const object = {
    apiVersion: "kingly.dev/v1",
    kind,
    metadata: { name, namespace: "default" },
    spec,
  };
  const body = utf8Encode(JSON.stringify({ op, kind, namespace: "default", name, object }));
  return server.replica.submit({ command: "write", body }, ACTOR, { deadlineMs: 10_000 });
}

const KEYS = {
  threads: { type: "integer", tunable: false, hot: true, settleSeconds: 1, secret: false },
  mode: { type: "string", tunable: false, hot: true, settleSeconds: 1, secret: false },
  password: { type: "object", tunable: false, hot: true, settleSeconds: 1, secret: true },
};

function config(data: JsonObject, change: JsonObject = {}): JsonObject {
  return {
    data,
    target: "inference/main",
    schemaRef: "rules",
    selector: { matchLabels: {} },
    policyRef: "default",
    objectiveRefs: ["speed"],
    requiresConnectivity: false,
    ...change,
  };
}

function schema(properties: JsonObject): JsonObject {
  return { schema: { type: "object", properties, additionalProperties: false }, keys: KEYS };
}

beforeAll(async () => {
  cluster = await createCluster(1);
  server = await cluster.start(0);
  await write(server, "create", "speed");
  await put(
    "create",
    "ConfigSchema",
    "rules",
    schema({
      threads: { type: "integer", minimum: 1, maximum: 64 },
      mode: { type: "string", pattern: "^(fast|safe)$" },
      password: { type: "object" },
    }),
  );
  await put("create", "Config", "web", config({ threads: 4, mode: "fast" }));
});

afterAll(async () => {
  await cluster.close();
});

describe("admission of a Config", () => {
  it("names the field, the rule and the schema that its data breaks", async () => {
    await expect(put("create", "Config", "bad", config({ threads: 65 }))).rejects.toMatchObject({
      code: "SchemaViolation",
      details: { field: "spec.data.threads", rule: "ConfigSchema.spec.schema", step: "validate" },
    });
    await expect(put("create", "Config", "bad", config({ mode: "wild" }))).rejects.toMatchObject({
      details: { field: "spec.data.mode" },
    });
    await expect(put("create", "Config", "bad", config({ other: 1 }))).rejects.toThrow(/other/);
  });

  it("lets no secret in, only a reference to one", async () => {
    const secret = config({ threads: 1, password: { value: "hunter2" } });
    await expect(put("create", "Config", "bad", secret)).rejects.toMatchObject({
      code: "SchemaViolation",
      details: { field: "spec.data.password" },
    });
  });

  it("refuses references to what does not exist", async () => {
    for (const [field, change] of [
      ["spec.policyRef", { policyRef: "none" }],
      ["spec.schemaRef", { schemaRef: "none" }],
      ["spec.objectiveRefs[0]", { objectiveRefs: ["none"] }],
    ] as const) {
      const wanted = put("create", "Config", "bad", config({ threads: 1 }, change));
      await expect(wanted).rejects.toMatchObject({ code: "InvalidField", details: { field } });
    }
  });

  it("refuses unknown fields, with every one as a cause", async () => {
    await expect(
      put("create", "Config", "bad", config({ threads: 1 }, { tresholds: 1, targett: 2 })),
    ).rejects.toMatchObject({ code: "UnknownField", details: { causes: [{}, {}] } });
  });

  it("refuses documents that hide something from one of two parsers", async () => {
    const submit = (text: string): Promise<unknown> =>
      server.replica.submit({ command: "write", body: utf8Encode(text) }, ACTOR, { deadlineMs: 1 });
    await expect(submit('{"op":"create","op":"delete"}')).rejects.toMatchObject({
      code: "DuplicateKey",
    });
    await expect(submit('{"op":"create","n":9007199254740993}')).rejects.toMatchObject({
      code: "UnsafeNumber",
    });
  });

  it("admits concurrent changes of what others depend on, each decided on what is true", async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 40 }, (_, i) =>
        i % 4 === 0
          ? write(server, "replace", "speed", { weight: i + 1 })
          : put("create", "Config", `racing-${i}`, config({ threads: 1 }, { target: `t/x${i}` })),
      ),
    );
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") {
        expect((outcome.reason as { code: string }).code).toBe("Retry");
      }
    }
    const done = outcomes.filter((outcome) => outcome.status === "fulfilled").length;
    expect(done).toBeGreaterThanOrEqual(30);
  });

  it("checks what a proposal would lead to, before it is opened", async () => {
    const propose = (patch: JsonObject): Promise<unknown> => {
      const source = { type: "human", name: "test" };
      const body = { namespace: "default", config: "web", baseVersion: 1, reason: "r", source };
      return server.replica.submit(
        { command: "propose", body: new Uint8Array(0), bodyObject: { ...body, patch } },
        ACTOR,
        { deadlineMs: 10_000 },
      );
    };
    await expect(propose({ threads: 1_000 })).rejects.toMatchObject({
      code: "SchemaViolation",
      details: { field: "patch.threads" },
    });
    const opened = await propose({ threads: 8 });
    expect(at(opened as JsonObject, "value", "object", "kind")).toBe("Proposal");
  });
});

describe("admission of a ConfigSchema", () => {
  it("refuses a schema that is none, and patterns that need backtracking", async () => {
    const refused = (properties: JsonObject): Promise<unknown> =>
      put("create", "ConfigSchema", "bad", schema(properties));
    await expect(refused({ a: { type: "nonsense" } })).rejects.toMatchObject({
      code: "InvalidField",
      details: { field: "spec.schema" },
    });
    await expect(refused({ a: { type: "string", pattern: "(a)\\1" } })).rejects.toMatchObject({
      code: "InvalidField",
    });
    await expect(refused({ a: { $ref: "https://example.com/x" } })).rejects.toMatchObject({
      code: "InvalidField",
    });
  });

  it("keeps the patterns of several schemas apart", () => {
    const cache = new SchemaCache();
    const word = { type: "string", pattern: "^[a-z]+$" };
    const digits = { type: "string", pattern: "^[0-9]+$" };
    expect(() => cache.validate("word", word, "abc", "data")).not.toThrow();
    expect(() => cache.validate("digits", digits, "abc", "data")).toThrow(/pattern/);
    expect(() => cache.validate("digits", digits, "123", "data")).not.toThrow();
    expect(() => cache.validate("word", word, "123", "data")).toThrow(/pattern/);
  });

  it("takes two schemas with the same $id for two", () => {
    const cache = new SchemaCache();
    const $id = "https://example.com/config";
    cache.validate("a/1", { $id, type: "string" }, "text", "data");
    expect(() => cache.validate("a/2", { $id, type: "integer" }, "text", "data")).toThrow(
      /integer/,
    );
  });

  it("matches a hostile pattern in linear time, and not without end", () => {
    const cache = new SchemaCache();
    const evil = { type: "string", pattern: "^(a+)+$" };
    const attack = (length: number): void =>
      cache.validate("evil", evil, `${"a".repeat(length)}!`, "data");
    expect(() => attack(10_000)).toThrow(/pattern/);
    expect(() => attack(40_000)).toThrow(/more than 32768 characters/);
    expect(() => cache.validate("evil", evil, "aaa", "data")).not.toThrow();
  });
});
