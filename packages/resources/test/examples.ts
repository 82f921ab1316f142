// One good object of every kind and one good document of every document kind, complete: every
// field that the kind knows is present, so that mutations reach all of them.

import type { JsonObject } from "@kingly/base";
import { defaultPolicySpec } from "@kingly/resources";
import type { DocumentKind, KindName } from "@kingly/resources";

const HASH = "ab".repeat(32);
const OTHER = "cd".repeat(32);
const UID = "6f1c9a52-0d0e-4a53-9a57-0a4f2c8f7f10";
const SIGNATURE = `${"A".repeat(86)}==`;
const TIME = "2026-01-31T12:00:00Z";

const condition = {
  type: "Ready",
  status: "True",
  reason: "AgentConnected",
  message: "The agent is connected.",
  lastTransitionTime: TIME,
  observedGeneration: 2,
};

function metadata(name: string, namespace?: string): JsonObject {
  return {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    generateName: "web-",
    uid: UID,
    resourceVersion: "42",
    generation: 2,
    creationTimestamp: TIME,
    labels: { "kingly.dev/team": "core", tier: "" },
    annotations: { "example.com/note": "any text: \u00e9" },
    managedFields: [{ manager: "kubectl" }],
  };
}

const own = (kind: KindName, name: string, namespace?: string): JsonObject => ({
  apiVersion: "kingly.dev/v1",
  kind,
  metadata: metadata(name, namespace),
});

const evidence = { objectives: [{ lnE: -1.5 }] };

/** A good object of each kind. */
export const EXAMPLES: Readonly<Record<KindName, JsonObject>> = {
  Config: {
    ...own("Config", "web", "prod"),
    spec: {
      data: { workers: 4, nested: { list: [1, "a", null] } },
      target: "inference/main",
      schemaRef: "web-schema",
      selector: { matchLabels: { role: "web" } },
      policyRef: "careful",
      objectiveRefs: ["latency", "goodput"],
      requiresConnectivity: true,
    },
    status: {
      version: 3,
      contentHash: HASH,
      proposal: "web-x1",
      rollout: "web-v3",
      conditions: [condition],
      observedGeneration: 2,
      adoption: { assigned: 5, applied: 5, confirmed: 4, vetoed: 1, failed: 0 },
    },
  },
  ConfigVersion: {
    ...own("ConfigVersion", "web-v3", "prod"),
    spec: {
      config: "web",
      configUid: UID,
      version: 3,
      contentHash: HASH,
      parent: 2,
      changedKeys: ["workers"],
      proposal: "web-x1",
      verdict: "Accepted",
      revertOf: 0,
      commitIndex: 900,
      data: { workers: 4 },
    },
  },
  ConfigSchema: {
    ...own("ConfigSchema", "web-schema", "prod"),
    spec: {
      schema: { $schema: "https://json-schema.org/draft/2020-12/schema", type: "object" },
      keys: {
        workers: {
          type: "integer",
          tunable: true,
          minimum: 1,
          maximum: 64,
          step: 2,
          unit: "threads",
          hot: true,
          settleSeconds: 2.5,
          secret: false,
        },
      },
    },
  },
  Proposal: {
    ...own("Proposal", "web-x1", "prod"),
    spec: {
      config: "web",
      baseVersion: 2,
      patch: { workers: 8, old: null },
      reason: "More workers for the evening.",
      source: {
        type: "ci",
        name: "example/app",
        commit: "0123abc",
        url: "https://example.com/app/pull/7",
        evidence,
      },
      idempotencyKey: "app@0123abc",
    },
    status: {
      phase: "Voting",
      reason: "TrialDone",
      message: "All nodes have measured.",
      candidateHash: HASH,
      changedKeys: ["workers"],
      trial: {
        attempt: 1,
        seed: OTHER,
        startedAtMs: 1_700_000_000_000,
        deadlineMs: 1_700_000_600_000,
        nodes: ["n1", "n2"],
        candidateHash: HASH,
        baselineHash: OTHER,
        baselineVersion: 2,
        changedKeys: ["workers"],
        blockSeconds: 20,
        washoutSeconds: 10,
        maxPairs: 120,
      },
      verdict: {
        outcome: "Accepted",
        reason: "QuorumAccepts",
        message: "Two thirds accept.",
        votes: { accept: 2, reject: 0, abstain: 1 },
        quorum: { share: 0.8, required: 0.6 },
        classes: [
          {
            class: "small",
            accept: 2,
            reject: 0,
            abstain: 1,
            meanHarmE: 0.25,
            outcome: "accepts",
          },
        ],
        alpha: 0.01,
        beta: 0.05,
      },
      committedVersion: 3,
      rollout: "web-v3",
      conditions: [condition],
    },
  },
  Vote: {
    ...own("Vote", "web-x1-a1-n1", "prod"),
    spec: {
      node: "n1",
      class: "small",
      proposal: "web-x1",
      proposalUid: UID,
      attempt: 1,
      candidateHash: HASH,
      baselineHash: OTHER,
      decision: "Accept",
      reason: "All objectives hold.",
      evidence,
      document: "e30=",
      signature: SIGNATURE,
    },
  },
  Veto: {
    ...own("Veto", "web-v3-n1", "prod"),
    spec: {
      node: "n1",
      class: "small",
      config: "web",
      configUid: UID,
      version: 3,
      cause: "Regression",
      message: "Latency rose by a fifth.",
      pinnedKeys: ["workers"],
      lnE: 7.25,
      evidence,
      runsVersion: 2,
      expiresAtMs: 1_700_600_000_000,
      document: "e30=",
      signature: SIGNATURE,
    },
  },
  Objective: {
    ...own("Objective", "latency", "prod"),
    spec: {
      signal: "latencyMean",
      direction: "lower",
      role: "primary",
      floor: 0.001,
      weight: 2,
      marginRatio: 0.05,
      unit: "ms",
    },
  },
  Policy: { ...own("Policy", "careful", "prod"), spec: defaultPolicySpec as unknown as JsonObject },
  Rollout: {
    ...own("Rollout", "web-v3", "prod"),
    spec: { config: "web", configUid: UID, version: 3, fromVersion: 2, proposal: "web-x1" },
    status: {
      phase: "Progressing",
      reason: "Soaking",
      message: "Stage 2 of 4.",
      stage: 1,
      stages: [
        { nodes: ["n1"], startedAtMs: 1, endedAtMs: 2 },
        { nodes: ["n2", "n3"], startedAtMs: 2, endedAtMs: 0 },
      ],
      excluded: ["n9"],
      received: ["n1", "n2"],
      applied: ["n1"],
      confirmed: ["n1"],
      vetoed: ["n4"],
      failed: ["n5"],
      vetoBudget: 2,
      conditions: [condition],
    },
  },
  Node: {
    ...own("Node", "n1.rack-2"),
    spec: {
      publicKey: `${"A".repeat(43)}=`,
      class: "small",
      ownerGroup: "web",
      pool: "prod",
      interferenceGroup: "host-7",
    },
    status: {
      targets: ["inference/main"],
      signals: ["latencyMean"],
      agentVersion: "0.1.0",
      calibration: { latencyMean: { standardDeviation: 0.08, pairs: 40 } },
      conditions: [condition],
    },
  },
  NodeConfig: {
    ...own("NodeConfig", "n1.prod.web"),
    spec: { node: "n1", namespace: "prod", config: "web", target: "inference/main" },
    status: { assigned: 3, active: 3, lastKnownGood: 2, state: "applied", error: "" },
  },
  Namespace: {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: metadata("prod"),
    spec: { pools: ["prod"] },
    status: { phase: "Active" },
  },
  Event: {
    apiVersion: "v1",
    kind: "Event",
    metadata: metadata("web.3f", "prod"),
    spec: {
      involvedObject: {
        apiVersion: "kingly.dev/v1",
        kind: "Config",
        namespace: "prod",
        name: "web",
        uid: UID,
      },
      type: "Warning",
      reason: "Vetoed",
      message: "Node n1 reverted version 3.",
      count: 2,
    },
  },
};

const header = (kind: DocumentKind): JsonObject => ({
  kind,
  clusterId: "c-1",
  node: "n1",
  idempotencyKey: `${kind.toLowerCase()}-n1-1`,
  writtenAtMs: 1_700_000_000_000,
});

/** A good document of each kind. */
export const DOCUMENTS: Readonly<Record<DocumentKind, JsonObject>> = {
  Vote: {
    ...header("Vote"),
    proposalUid: UID,
    attempt: 1,
    candidateHash: HASH,
    baselineHash: OTHER,
    decision: "Abstain",
    reason: "Too noisy.",
    declined: true,
    evidence,
  },
  Veto: {
    ...header("Veto"),
    configUid: UID,
    version: 3,
    contentHash: HASH,
    cause: "Tripwire",
    message: "Health check failed.",
    pinnedKeys: ["workers"],
    plan: { alpha: 0.001 },
    evidence,
    runsVersion: 0,
    expiresAtMs: 1_700_600_000_000,
    revertDelayMs: 12.5,
  },
  Proposal: {
    ...header("Proposal"),
    configUid: UID,
    baseVersion: 3,
    patch: { workers: 6 },
    reason: "Faster on this node.",
    plan: { alpha: 0.01 },
    evidence,
  },
  Calibration: {
    ...header("Calibration"),
    signals: { latencyMean: { standardDeviation: 0.08, pairs: 40 } },
  },
};
