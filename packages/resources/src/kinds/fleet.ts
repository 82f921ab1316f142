// Rollout, Node, NodeConfig, Namespace, Event: the fleet, and what happens on it.

import type { JsonObject } from "@kingly/base";
import type { ApiObject, Condition } from "../meta.ts";

/** Where a rollout stands. */
export type RolloutPhase = "Progressing" | "Paused" | "Completed" | "RolledBack" | "Superseded";

/** One stage; times are 0 before it began or ended. */
export interface RolloutStage {
  readonly nodes: readonly string[];
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

/** Named like the ConfigVersion that it rolls out. */
export interface RolloutSpec {
  readonly config: string;
  readonly configUid: string;
  readonly version: number;
  readonly fromVersion: number;
  readonly proposal: string;
}

/** How far a rollout is: node names per state, each list sorted. */
export interface RolloutStatus {
  readonly phase: RolloutPhase;
  readonly reason: string;
  readonly message: string;
  /** 0-based index of the stage in progress. */
  readonly stage: number;
  readonly stages: readonly RolloutStage[];
  /** Nodes never assigned this version (their Reject in the trial stands as a veto). */
  readonly excluded: readonly string[];
  readonly received: readonly string[];
  readonly applied: readonly string[];
  readonly confirmed: readonly string[];
  readonly vetoed: readonly string[];
  readonly failed: readonly string[];
  readonly vetoBudget: number;
  readonly conditions: readonly Condition[];
}

/** The staged application of one ConfigVersion. */
export type Rollout = ApiObject<RolloutSpec, RolloutStatus>;

/** A signal's noise, from A/A pairs. */
export interface Calibration {
  /** Standard deviation of A/A log ratios. */
  readonly standardDeviation: number;
  readonly pairs: number;
}

/** Identity and place of a node; set at enrolment or by operators, never by the node. */
export interface NodeSpec {
  /** Base64 of the raw 32-byte Ed25519 public key. */
  readonly publicKey: string;
  readonly class: string;
  readonly ownerGroup: string;
  readonly pool: string;
  /** Nodes of one group share hardware and switch as one unit; "" = alone. */
  readonly interferenceGroup: string;
}

/** What a node told of itself. */
export interface NodeStatus {
  /** Targets and signals that the node has bound, sorted. */
  readonly targets: readonly string[];
  readonly signals: readonly string[];
  readonly agentVersion: string;
  /** Per signal, from the node's signed A/A runs. */
  readonly calibration: Readonly<Record<string, Calibration>>;
  readonly conditions: readonly Condition[];
}

/** A machine whose agent enrolled. */
export type Node = ApiObject<NodeSpec, NodeStatus>;

/** Rendered on read, named `<node>.<namespace>.<config>`: received -> applied -> confirmed. */
export interface NodeConfigStatus {
  readonly assigned: number;
  readonly active: number;
  readonly lastKnownGood: number;
  readonly state: "pending" | "received" | "applied" | "confirmed" | "vetoed" | "failed";
  readonly error: string;
}

/** Which node and Config a rendered NodeConfig is about. */
export interface NodeConfigSpec {
  readonly node: string;
  readonly namespace: string;
  readonly config: string;
  readonly target: string;
}

/** What one node runs for one Config. */
export type NodeConfig = ApiObject<NodeConfigSpec, NodeConfigStatus>;

/** A core/v1 namespace. */
export type Namespace = ApiObject<JsonObject, { readonly phase: "Active" | "Terminating" }>;

/** core/v1 shape, so that `kubectl describe` finds it. */
export interface EventSpec {
  readonly involvedObject: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly namespace?: string;
    readonly name: string;
    readonly uid: string;
  };
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
  readonly count: number;
}
