// Reading replicated state: one interface for the state machine between entries and for the
// transaction inside one. Helpers type the rows of the API's kinds.

import type { JsonValue } from "@kingly/base";
import type {
  Config,
  ConfigSchema,
  ConfigVersion,
  Namespace,
  Node,
  Objective,
  Policy,
  Proposal,
  Rollout,
  Veto,
  Vote,
} from "@kingly/resources";
import type { EventObject } from "./event-object.ts";
import { objectKey, objectKeyPrefix } from "./keys.ts";

/** Bookkeeping of the whole state, stored atomically with the rows. */
export interface StateMeta {
  readonly appliedIndex: number;
  readonly appliedTerm: number;
  /** Replicated time: the largest stamp applied, milliseconds since the Unix epoch. */
  readonly timeMs: number;
  /** Advanced once per object change. */
  readonly revision: number;
  /** "" before genesis. */
  readonly clusterId: string;
  readonly featureLevel: number;
}

/** The stored kinds and their types. NodeConfig is rendered, never stored. */
export interface StoredKinds {
  readonly Config: Config;
  readonly ConfigVersion: ConfigVersion;
  readonly ConfigSchema: ConfigSchema;
  readonly Proposal: Proposal;
  readonly Vote: Vote;
  readonly Veto: Veto;
  readonly Objective: Objective;
  readonly Policy: Policy;
  readonly Rollout: Rollout;
  readonly Node: Node;
  readonly Namespace: Namespace;
  readonly Event: EventObject;
}

/** Name of a stored kind. */
export type StoredKind = keyof StoredKinds;

/** Any stored object. */
export type StoredObject = StoredKinds[StoredKind];

/** Read access to replicated state. */
export interface StateView {
  /** Value of a row, or undefined. */
  get(key: string): JsonValue | undefined;
  /** Rows whose key begins with the prefix, in ascending order of key (UTF-16 code units). */
  list(prefix: string): Iterable<readonly [string, JsonValue]>;
  meta(): StateMeta;
}

/** One object by kind and name; `namespace` is "" for cluster-scoped kinds. */
export function readObject<K extends StoredKind>(
  view: StateView,
  kind: K,
  namespace: string,
  name: string,
): StoredKinds[K] | undefined {
  const value = view.get(objectKey(kind, namespace === "" ? undefined : namespace, name));
  return value as unknown as StoredKinds[K] | undefined;
}

/** All objects of a kind, sorted by namespace and name; of one namespace when it is given. */
export function readObjects<K extends StoredKind>(
  view: StateView,
  kind: K,
  namespace?: string,
): StoredKinds[K][] {
  const found: StoredKinds[K][] = [];
  for (const [, value] of view.list(objectPrefix(kind, namespace))) {
    found.push(value as unknown as StoredKinds[K]);
  }
  return found;
}

/** Row key prefix of a kind, or of a kind within a namespace. */
export function objectPrefix(kind: StoredKind, namespace?: string): string {
  return objectKeyPrefix(kind, namespace);
}
