// Config, ConfigVersion, ConfigSchema: what configures nodes, its committed history, its rules.

import type { JsonObject, JsonValue } from "@kingly/base";
import type { ApiObject, Condition, LabelSelector } from "../meta.ts";

/** A named document that configures a set of nodes. `data` is the intent, not the decision. */
export interface ConfigSpec {
  readonly data: JsonObject;
  /** Logical target that nodes bind themselves, for example `inference/main`. */
  readonly target: string;
  /** Name of a ConfigSchema in the same namespace. */
  readonly schemaRef: string;
  readonly selector: LabelSelector;
  /** Name of a Policy in the same namespace. */
  readonly policyRef: string;
  /** Names of Objectives in the same namespace; exactly one of them is primary. */
  readonly objectiveRefs: readonly string[];
  /** Only then does a node revert for lack of a server at the confirm deadline. Default false. */
  readonly requiresConnectivity: boolean;
}

/** What the fleet decided for a Config. */
export interface ConfigStatus {
  /** Newest committed version; 0 = nothing committed yet. */
  readonly version: number;
  /** Lower-case hex sha256 of the canonical content of that version; "" before the first. */
  readonly contentHash: string;
  /** Proposal in flight or opened by the last write of spec.data; absent when none. */
  readonly proposal?: string;
  readonly rollout?: string;
  readonly conditions: readonly Condition[];
  readonly observedGeneration: number;
  /** Computed on read, never stored. */
  readonly adoption?: {
    readonly assigned: number;
    readonly applied: number;
    readonly confirmed: number;
    readonly vetoed: number;
    readonly failed: number;
  };
}

/** A named document that configures a set of nodes. */
export type Config = ApiObject<ConfigSpec, ConfigStatus>;

/** One immutable committed content, named `<config>-v<N>`. */
export interface ConfigVersionSpec {
  readonly config: string;
  readonly configUid: string;
  readonly version: number;
  /** Hex sha256; the content itself is stored once, under its hash. */
  readonly contentHash: string;
  /** 0 for the first version. */
  readonly parent: number;
  readonly changedKeys: readonly string[];
  /** Name of the Proposal; "" for versions made without one. */
  readonly proposal: string;
  readonly verdict: "Accepted" | "Direct" | "Revert";
  /** Version whose content this one brings back; 0 = none. */
  readonly revertOf: number;
  /** Raft index of the entry that committed it. */
  readonly commitIndex: number;
  /** The content, inlined when read through an API; not stored here. */
  readonly data?: JsonObject;
}

/** One committed content of a Config. */
export type ConfigVersion = ApiObject<ConfigVersionSpec, JsonObject>;

/** What is known of one top-level key of a Config's data. */
export interface KeyRule {
  readonly type: "integer" | "number" | "string" | "boolean" | "object" | "array";
  /** May agents tune it? Needs minimum, maximum and step. */
  readonly tunable: boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly step?: number;
  /** Unit for people, for example `ms`. */
  readonly unit?: string;
  /** True when the target takes the change without a restart. */
  readonly hot: boolean;
  /** Seconds after a switch before measurements count (wash-out). Above 60: node-randomised. */
  readonly settleSeconds: number;
  /** Only `{secretRef}` values are accepted. */
  readonly secret: boolean;
}

/** The rules of a Config's data. */
export interface ConfigSchemaSpec {
  /** JSON Schema 2020-12 of `Config.spec.data`, at most 256 KiB. */
  readonly schema: JsonObject;
  readonly keys: Readonly<Record<string, KeyRule>>;
}

/** The rules of a Config's data, by JSON Schema and by key. */
export type ConfigSchema = ApiObject<ConfigSchemaSpec, JsonObject>;

/** A value at a top-level key, as quarantine and pins speak of it. */
export interface KeyDelta {
  readonly key: string;
  /** null means the key is removed. */
  readonly value: JsonValue;
}
