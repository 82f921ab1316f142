// Rules across fields: each fault is refused at its field, each neighbour of the limit is not.

import { describe, expect, it } from "vitest";
import type { JsonValue } from "@kingly/base";
import {
  defaultPolicySpec,
  validateObject,
  validateSemantics,
  validateUpdate,
} from "@kingly/resources";
import type { KindName } from "@kingly/resources";
import { EXAMPLES } from "./examples.ts";
import { withField } from "./mutate.ts";
import type { Steps } from "./mutate.ts";

type Change = readonly [Steps, JsonValue | undefined];

function errorsOf(kind: KindName, ...changes: readonly Change[]): readonly string[] {
  let value: JsonValue = EXAMPLES[kind];
  for (const [steps, next] of changes) value = withField(value, steps, next);
  return validateObject(kind, value).errors.map((error) => `${error.reason} ${error.field}`);
}

const rule = ["spec", "keys", "workers"] as const;

describe("rules across fields", () => {
  it.each<[string, KindName, readonly Change[], string]>([
    ["both patch and data", "Proposal", [[["spec", "data"], {}]], "FieldValueInvalid spec.data"],
    [
      "neither patch nor data",
      "Proposal",
      [[["spec", "patch"], undefined]],
      "FieldValueRequired spec.patch",
    ],
    [
      "a proposal without its base version",
      "Proposal",
      [[["spec", "baseVersion"], undefined]],
      "FieldValueRequired spec.baseVersion",
    ],
    [
      "a patch above 512 KiB",
      "Proposal",
      [[["spec", "patch"], { a: "x".repeat(524_288) }]],
      "FieldValueTooLong spec.patch",
    ],
    [
      "data above 512 KiB",
      "Config",
      [[["spec", "data"], { a: "x".repeat(524_288) }]],
      "FieldValueTooLong spec.data",
    ],
    [
      "data that cannot be stored",
      "Config",
      [[["spec", "data"], { deep: ["\ud800"] }]],
      "FieldValueInvalid spec.data.deep[0]",
    ],
    [
      "a namespaced object without namespace",
      "Config",
      [[["metadata", "namespace"], undefined]],
      "FieldValueRequired metadata.namespace",
    ],
    [
      "annotations above 256 KiB together",
      "Config",
      [[["metadata", "annotations"], { a: "x".repeat(200_000), b: "x".repeat(100_000) }]],
      "FieldValueTooLong metadata.annotations",
    ],
    [
      "repeated objectives",
      "Config",
      [
        [
          ["spec", "objectiveRefs"],
          ["a", "b", "a"],
        ],
      ],
      "FieldValueInvalid spec.objectiveRefs[2]",
    ],
    [
      "another schema dialect",
      "ConfigSchema",
      [[["spec", "schema", "$schema"], "http://json-schema.org/draft-07/schema#"]],
      "FieldValueNotSupported spec.schema.$schema",
    ],
    [
      "a tunable key without a step",
      "ConfigSchema",
      [[[...rule, "step"], undefined]],
      "FieldValueRequired spec.keys.workers.step",
    ],
    [
      "a range of nothing",
      "ConfigSchema",
      [[[...rule, "minimum"], 64]],
      "FieldValueInvalid spec.keys.workers.minimum",
    ],
    [
      "a step beyond the range",
      "ConfigSchema",
      [[[...rule, "step"], 64]],
      "FieldValueInvalid spec.keys.workers.step",
    ],
    [
      "a broken step of an integer",
      "ConfigSchema",
      [[[...rule, "step"], 0.5]],
      "FieldValueInvalid spec.keys.workers.step",
    ],
    [
      "a tunable text",
      "ConfigSchema",
      [[[...rule, "type"], "string"]],
      "FieldValueInvalid spec.keys.workers.type",
    ],
    [
      "a tunable secret",
      "ConfigSchema",
      [[[...rule, "secret"], true]],
      "FieldValueInvalid spec.keys.workers.secret",
    ],
    [
      "more votes than nodes per class",
      "Policy",
      [[["spec", "electorate", "minVotesPerClass"], 6]],
      "FieldValueInvalid spec.electorate.minVotesPerClass",
    ],
    [
      "an accept threshold of half",
      "Policy",
      [[["spec", "acceptThreshold"], { numerator: 1, denominator: 2 }]],
      "FieldValueInvalid spec.acceptThreshold.numerator",
    ],
    [
      "a threshold above one",
      "Policy",
      [[["spec", "rejectThreshold"], { numerator: 4, denominator: 3 }]],
      "FieldValueInvalid spec.rejectThreshold.numerator",
    ],
    [
      "a deadline too short for its pairs",
      "Policy",
      [[["spec", "trial", "deadlineSeconds"], 7_199]],
      "FieldValueInvalid spec.trial.deadlineSeconds",
    ],
    [
      "stages that fall",
      "Policy",
      [
        [
          ["spec", "rollout", "stages"],
          [0, 0.5, 0.5, 1],
        ],
      ],
      "FieldValueInvalid spec.rollout.stages[2]",
    ],
    [
      "stages that end early",
      "Policy",
      [
        [
          ["spec", "rollout", "stages"],
          [0, 0.5],
        ],
      ],
      "FieldValueInvalid spec.rollout.stages[1]",
    ],
    ["alpha above one half", "Policy", [[["spec", "alpha"], 0.51]], "FieldValueInvalid spec.alpha"],
    ["beta of zero", "Policy", [[["spec", "beta"], 0]], "FieldValueInvalid spec.beta"],
    [
      "121 pairs",
      "Policy",
      [[["spec", "trial", "maxPairs"], 121]],
      "FieldValueInvalid spec.trial.maxPairs",
    ],
    [
      "an objective without weight",
      "Objective",
      [[["spec", "weight"], 0]],
      "FieldValueInvalid spec.weight",
    ],
    [
      "a margin above one",
      "Objective",
      [[["spec", "marginRatio"], 1.01]],
      "FieldValueInvalid spec.marginRatio",
    ],
  ])("refuse %s", (_name, kind, changes, expected) => {
    expect(errorsOf(kind, ...changes)).toEqual([expected]);
  });

  it.each<[string, KindName, readonly Change[]]>([
    [
      "data in place of a patch",
      "Proposal",
      [
        [["spec", "patch"], undefined],
        [["spec", "data"], {}],
      ],
    ],
    ["data of exactly 512 KiB", "Config", [[["spec", "data"], { a: "x".repeat(524_280) }]]],
    ["a deadline of exactly its pairs", "Policy", [[["spec", "trial", "deadlineSeconds"], 7_200]]],
    ["one stage for all", "Policy", [[["spec", "rollout", "stages"], [1]]]],
    [
      "levels of one half",
      "Policy",
      [
        [["spec", "alpha"], 0.5],
        [["spec", "beta"], 0.5],
      ],
    ],
    ["a margin of one", "Objective", [[["spec", "marginRatio"], 1]]],
    ["a step of the whole range", "ConfigSchema", [[[...rule, "step"], 63]]],
    [
      "a fixed key without a range",
      "ConfigSchema",
      [[["spec", "keys"], { workers: { type: "string" } }]],
    ],
    [
      "a null creation time, as clients send it",
      "Config",
      [[["metadata", "creationTimestamp"], null]],
    ],
  ])("accept %s", (_name, kind, changes) => {
    expect(errorsOf(kind, ...changes)).toEqual([]);
  });

  it("say limit and value in the message", () => {
    const policy = withField(EXAMPLES.Policy, ["spec", "trial", "deadlineSeconds"], 60);
    const [error] = validateObject("Policy", policy).errors;
    expect(error?.message).toBe(
      "spec.trial.deadlineSeconds: must be at least 7200 for 120 pairs of 60 s; got 60",
    );
  });

  it("know no other kinds", () => {
    expect(validateSemantics("Pod", {})[0]).toMatchObject({ field: "kind" });
    expect(validateObject("toString", {}).ok).toBe(false);
  });
});

describe("defaults", () => {
  it("make an empty spec the whole default policy", () => {
    for (const spec of [{}, { trial: {}, rollout: {}, electorate: null }, undefined]) {
      const result = validateObject("Policy", withField(EXAMPLES.Policy, ["spec"], spec));
      expect(result.errors).toEqual([]);
      expect(result.value.spec).toEqual(defaultPolicySpec);
    }
  });

  it("are the numbers of the design", () => {
    expect(defaultPolicySpec).toMatchObject({
      quorum: 0.6,
      acceptThreshold: { numerator: 2, denominator: 3 },
      rejectThreshold: { numerator: 1, denominator: 3 },
      alpha: 0.01,
      beta: 0.05,
      trial: {
        blockSeconds: 20,
        washoutSeconds: 10,
        maxPairs: 120,
        harmMarginRatio: 0.02,
        clip: 0.5,
      },
      rollout: { stages: [0, 0.1, 0.5, 1], probationSeconds: 86_400 },
    });
  });

  it("keep what was given, field by field", () => {
    const spec = { trial: { maxPairs: 10 }, quorum: 1 };
    const { value } = validateObject("Policy", withField(EXAMPLES.Policy, ["spec"], spec));
    expect(value.spec.trial).toEqual({ ...defaultPolicySpec.trial, maxPairs: 10 });
    expect(value.spec.quorum).toBe(1);
  });

  it("fill a minimal Config, key rule and Proposal", () => {
    const config = validateObject("Config", {
      apiVersion: "kingly.dev/v1",
      kind: "Config",
      metadata: { name: "web", namespace: "prod" },
      spec: { data: {}, target: "t", schemaRef: "s", objectiveRefs: ["o"] },
    });
    expect(config.errors).toEqual([]);
    expect(config.value.spec).toMatchObject({
      selector: { matchLabels: {} },
      policyRef: "default",
      requiresConnectivity: false,
    });
    const keys = { k: { type: "string" } };
    const schema = validateObject(
      "ConfigSchema",
      withField(EXAMPLES.ConfigSchema, ["spec", "keys"], keys),
    );
    expect(schema.value.spec.keys["k"]).toEqual({
      type: "string",
      tunable: false,
      hot: true,
      settleSeconds: 0,
      secret: false,
    });
    const bare = withField(EXAMPLES.Proposal, ["spec", "idempotencyKey"], undefined);
    const proposal = validateObject("Proposal", bare);
    expect(proposal.errors).toEqual([]);
    expect(proposal.value.spec.idempotencyKey).toBe("name:web-x1");
  });

  it("never share a mutable default between objects", () => {
    const one = validateObject("Policy", withField(EXAMPLES.Policy, ["spec"], {})).value;
    const two = validateObject("Policy", withField(EXAMPLES.Policy, ["spec"], {})).value;
    expect(one.spec.rollout).not.toBe(two.spec.rollout);
    expect(one.spec.rollout.stages).not.toBe(two.spec.rollout.stages);
  });
});

describe("updates", () => {
  it("may not change identity or immutable fields, and may change the rest", () => {
    const node = EXAMPLES.Node;
    const key = withField(node, ["spec", "publicKey"], `${"B".repeat(42)}A=`) as typeof node;
    expect(validateUpdate("Node", node, key).map((error) => error.field)).toEqual([
      "spec.publicKey",
    ]);
    const moved = withField(node, ["spec", "pool"], "other") as typeof node;
    expect(validateUpdate("Node", node, moved)).toEqual([]);
    const proposal = EXAMPLES.Proposal;
    const changed = withField(proposal, ["spec", "reason"], "else") as typeof proposal;
    expect(validateUpdate("Proposal", proposal, changed).map((error) => error.field)).toEqual([
      "spec",
    ]);
    const renamed = withField(proposal, ["metadata", "name"], "else") as typeof proposal;
    expect(validateUpdate("Proposal", proposal, renamed).map((error) => error.field)).toEqual([
      "metadata.name",
    ]);
  });
});
