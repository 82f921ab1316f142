// Documents of a server, small and quick: blocks of 0.1 s.
import { contentHash } from "@kingly/base";
import type { JsonObject } from "@kingly/base";
import { rhoFor } from "@kingly/evidence";
import { nodeCrypto } from "@kingly/protocol";
import type { Assignment, TrialOrder } from "@kingly/resources";
import type { FakeTarget } from "./servers.ts";

export const CONFIG = { namespace: "prod", name: "inference", uid: "cfg-1" };

export const hashOf = (data: JsonObject): string => contentHash(data, nodeCrypto);

export function assignment(
  version: number,
  data: JsonObject,
  more: Partial<Assignment> = {},
): Assignment {
  return {
    config: CONFIG,
    target: "inference/main",
    generation: version,
    version,
    contentHash: hashOf(data),
    data,
    changedKeys: Object.keys(data),
    keys: {},
    objectives: [
      {
        name: "lat",
        signal: "latency",
        direction: "lower",
        role: "primary",
        floor: 0.0001,
        weight: 1,
        marginRatio: 0.1,
        unit: "s",
      },
    ],
    guard: {
      alphaLocal: 0.001,
      clip: 0.5,
      blockSeconds: 0.1,
      washoutSeconds: 0.03,
      maxPairs: 40,
      soakSeconds: 0.5,
      confirmDeadlineSeconds: 20,
      probationSeconds: 300,
      vetoExpirySeconds: 3_600,
    },
    requiresConnectivity: false,
    agentsMayPropose: false,
    heldByVeto: false,
    ...more,
  };
}

export function order(
  candidate: JsonObject,
  baseline: { version: number; data: JsonObject },
): TrialOrder {
  return {
    proposal: { namespace: "prod", name: "p1", uid: "prop-1" },
    attempt: 1,
    config: CONFIG,
    target: "inference/main",
    seed: hashOf({ seed: 1 }),
    unit: "n1",
    candidate: { hash: hashOf(candidate), data: candidate },
    baseline: { ...baseline, hash: hashOf(baseline.data) },
    changedKeys: ["window"],
    blockSeconds: 0.1,
    washoutSeconds: 0.03,
    startedAtMs: Date.now(),
    deadlineMs: Date.now() + 60_000,
    plan: {
      objectives: [
        {
          name: "lat",
          role: "primary",
          direction: "lower",
          floor: 0.0001,
          weight: 1,
          marginRatio: 0.1,
          harmMarginRatio: 0.02,
          rho: rhoFor({ standardDeviation: 0.1 }),
        },
      ],
      alpha: 0.01,
      beta: 0.05,
      clip: 0.5,
      maxPairs: 60,
      requireImprovement: false,
    },
    signals: { lat: "latency" },
  };
}

/** The agent's file for a node with one HTTP target. */
export function httpConfig(parts: {
  readonly target: FakeTarget;
  readonly servers: readonly string[];
  readonly stateDir: string;
  readonly joinToken: string;
}): JsonObject {
  const { target, servers, stateDir, joinToken } = parts;
  return {
    node: "n1",
    servers: [...servers],
    stateDir,
    joinToken,
    statusPort: 0,
    binding: {
      targets: { "inference/main": { applier: { http: { url: target.url("/config") } } } },
      signals: {
        latency: {
          probe: {
            prometheus: {
              url: target.url("/metrics"),
              kind: "histogram-mean",
              metric: "req_seconds",
            },
          },
        },
      },
      tripwires: {
        health: {
          target: "inference/main",
          intervalMs: 50,
          failures: 3,
          http: { url: target.url("/health") },
        },
      },
    },
  };
}
