// The objects of the test fleets: what the target accepts, what performance means, and policies whose
// blocks are short enough for a test.

import type { JsonObject } from "@kingly/base";

/** What a target of the tests runs. */
export interface WorkData extends JsonObject {
  /** Hash rounds per request: its real cost. */
  readonly rounds: number;
  /** Costs nothing by itself. */
  readonly flavor: string;
}

/** Content of every target before anything manages it. */
export const AS_FOUND: WorkData = { rounds: 90, flavor: "found" };
/** Version 1 of the test configurations. */
export const FIRST: WorkData = { rounds: 100, flavor: "a" };

const NAMESPACE = "default";

function object(kind: string, name: string, spec: JsonObject): JsonObject {
  return {
    apiVersion: "kingly.dev/v1",
    kind,
    metadata: { name, namespace: NAMESPACE },
    spec,
  };
}

/** What a target accepts; `rounds` is a key that agents may tune, in steps of this size. */
export function schema(name: string, step: number): JsonObject {
  const hot = { hot: true, settleSeconds: 0.05, secret: false };
  return object("ConfigSchema", name, {
    schema: {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      additionalProperties: false,
      required: ["rounds", "flavor"],
      properties: {
        rounds: { type: "integer", minimum: 1, maximum: 2000 },
        flavor: { type: "string", maxLength: 20 },
      },
    },
    keys: {
      rounds: { type: "integer", tunable: true, minimum: 1, maximum: 2000, step, ...hot },
      flavor: { type: "string", tunable: false, ...hot },
    },
  });
}

/** The schema of most test configurations. */
export const SCHEMA: JsonObject = schema("work", 10);

/** CPU seconds per request decide. */
export const OBJECTIVE: JsonObject = object("Objective", "cost", {
  signal: "cpuSeconds",
  direction: "lower",
  role: "primary",
  floor: 0.000_001,
  weight: 1,
  marginRatio: 0.3,
  unit: "s",
});

/** What a test may choose about its policy. */
export interface PolicyOptions {
  readonly name: string;
  readonly direct?: boolean;
  readonly agentsMayPropose?: boolean;
  readonly nodesPerClass?: number;
  readonly maxPairs?: number;
  readonly deadlineSeconds?: number;
  readonly soakSeconds?: number;
  readonly confirmDeadlineSeconds?: number;
  readonly probationSeconds?: number;
  readonly stages?: readonly number[];
}

/** A policy with blocks of a quarter of a second. */
export function policy(options: PolicyOptions): JsonObject {
  return object("Policy", options.name, {
    electorate: { nodesPerClass: options.nodesPerClass ?? 3, minVotesPerClass: 1 },
    quorum: 0.5,
    alpha: 0.01,
    beta: 0.05,
    trial: {
      blockSeconds: 0.25,
      washoutSeconds: 0.05,
      maxPairs: options.maxPairs ?? 40,
      deadlineSeconds: options.deadlineSeconds ?? 60,
      harmMarginRatio: 0.02,
      clip: 1,
    },
    rollout: {
      stages: [...(options.stages ?? [0, 1])],
      soakSeconds: options.soakSeconds ?? 1,
      confirmedShare: 0.5,
      confirmDeadlineSeconds: options.confirmDeadlineSeconds ?? 60,
      probationSeconds: options.probationSeconds ?? 60,
      onFirstVeto: "continue",
    },
    onSplit: "narrow",
    directCommits: options.direct ?? false,
    agentsMayPropose: options.agentsMayPropose ?? false,
    vetoExpirySeconds: 86_400,
  });
}

/** A Config for the nodes with this role. */
export function config(options: {
  readonly name: string;
  readonly policy: string;
  readonly role?: string;
  readonly data?: WorkData;
  readonly schema?: string;
}): JsonObject {
  return object("Config", options.name, {
    target: "work/main",
    schemaRef: options.schema ?? "work",
    policyRef: options.policy,
    objectiveRefs: ["cost"],
    selector: { matchLabels: { role: options.role ?? "worker" } },
    requiresConnectivity: false,
    data: options.data ?? FIRST,
  });
}

/** A change as a person proposes it. */
export function proposal(options: {
  readonly name: string;
  readonly config: string;
  readonly patch: JsonObject;
}): JsonObject {
  return object("Proposal", options.name, {
    config: options.config,
    patch: options.patch,
    reason: "a test asks for it",
    source: { type: "human", name: "tester" },
  });
}
