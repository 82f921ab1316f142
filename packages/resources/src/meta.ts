// What every object of the API carries, after the Kubernetes API conventions.

import type { JsonObject } from "@kingly/base";

/** Group and version of the product's own kinds. */
export const API_VERSION = "kingly.dev/v1";

/** Identity and bookkeeping of an object. Server-owned unless said otherwise. */
export interface ObjectMeta {
  /** RFC 1123 subdomain, 1 to 253 characters. Set by the writer. */
  readonly name: string;
  /** RFC 1123 label, 1 to 63 characters; absent for cluster-scoped kinds. Set by the writer. */
  readonly namespace?: string;
  /** Unique in space and time: a UUID derived in apply, so equal on all replicas. */
  readonly uid: string;
  /** Decimal replicated revision of the last change. */
  readonly resourceVersion: string;
  /** Advanced by one whenever spec changes; starts at 1. */
  readonly generation: number;
  /** RFC 3339, UTC, whole seconds, from the replicated clock. */
  readonly creationTimestamp: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Prefix the writer gave instead of a name. */
  readonly generateName?: string;
  /** Field ownership of server-side apply, kept by the server. */
  readonly managedFields?: readonly JsonObject[];
}

/** One observed aspect of an object. */
export interface Condition {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  /** CamelCase, for machines. */
  readonly reason: string;
  /** A sentence, for people. */
  readonly message: string;
  /** RFC 3339, UTC. */
  readonly lastTransitionTime: string;
  readonly observedGeneration?: number;
}

/** The common shape of every object. */
export interface ApiObject<Spec = JsonObject, Status = JsonObject> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly spec: Spec;
  readonly status?: Status;
}

/** Equality selector over labels; every pair must match, an empty selector matches all. */
export interface LabelSelector {
  readonly matchLabels: Readonly<Record<string, string>>;
}
