// The objects of a small example: a schema, two objectives, a policy and a Config.
import type { JsonObject } from "@kingly/base";
import type { TestApi } from "./support.ts";

const meta = (name: string): JsonObject => ({ name, namespace: "default" });
const API = "kingly.dev/v1";

export const SCHEMA: JsonObject = {
  apiVersion: API,
  kind: "ConfigSchema",
  metadata: meta("inference"),
  spec: {
    schema: {
      type: "object",
      additionalProperties: false,
      required: ["batchWindowMs"],
      properties: {
        batchWindowMs: { type: "integer", minimum: 0, maximum: 50 },
        workers: { type: "integer", minimum: 1 },
      },
    },
    keys: {
      batchWindowMs: {
        type: "integer",
        tunable: true,
        minimum: 0,
        maximum: 50,
        step: 2,
        hot: true,
        settleSeconds: 0.1,
        secret: false,
      },
    },
  },
};

export function objective(name: string, role: string = "primary"): JsonObject {
  return {
    apiVersion: API,
    kind: "Objective",
    metadata: meta(name),
    spec: {
      signal: role === "primary" ? "latencyMean" : "successRatio",
      direction: role === "primary" ? "lower" : "higher",
      role,
      floor: 0.00001,
      weight: 1,
      marginRatio: 0.2,
      unit: "s",
    },
  };
}

export const POLICY: JsonObject = {
  apiVersion: API,
  kind: "Policy",
  metadata: meta("demo"),
  spec: {
    electorate: { nodesPerClass: 4, minVotesPerClass: 1 },
    trial: {
      blockSeconds: 0.5,
      washoutSeconds: 0.1,
      maxPairs: 40,
      deadlineSeconds: 100,
      harmMarginRatio: 0.02,
      clip: 0.5,
    },
    rollout: { stages: [1], soakSeconds: 1, confirmedShare: 0.5, confirmDeadlineSeconds: 60 },
    agentsMayPropose: true,
  },
};

export const CONFIG: JsonObject = {
  apiVersion: API,
  kind: "Config",
  metadata: { ...meta("web"), labels: { tier: "front" } },
  spec: {
    target: "inference/main",
    schemaRef: "inference",
    policyRef: "demo",
    objectiveRefs: ["latency", "goodput"],
    selector: { matchLabels: { role: "inference" } },
    data: { batchWindowMs: 0, workers: 1 },
  },
};

export const DEFAULT = "/apis/kingly.dev/v1/namespaces/default";

/** Creates all of it over REST. */
export async function createExample(api: TestApi): Promise<void> {
  const objects: readonly (readonly [string, JsonObject])[] = [
    ["configschemas", SCHEMA],
    ["objectives", objective("latency")],
    ["objectives", objective("goodput", "guardrail")],
    ["policies", POLICY],
    ["configs", CONFIG],
  ];
  for (const [plural, body] of objects) {
    const answer = await api.call("POST", `${DEFAULT}/${plural}`, { body });
    if (answer.status !== 201) throw new Error(`${plural}: ${answer.text}`);
  }
}
