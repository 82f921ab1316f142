// One write as its handlers see it, and how the writer's object and the stored one become the next.

import { equalJson } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import { invalidObject, kindInfo, validateObject } from "@kingly/resources";
import type { ObjectMeta } from "@kingly/resources";
import type { StoredObject } from "../core/view.ts";

/** Kinds that `write` creates, replaces and deletes; a Proposal is opened and withdrawn by it. */
export const WRITABLE_KINDS: readonly [
  "Config",
  "ConfigSchema",
  "Objective",
  "Policy",
  "Namespace",
  "Node",
  "Proposal",
] = ["Config", "ConfigSchema", "Objective", "Policy", "Namespace", "Node", "Proposal"];

/** Name of one of these kinds. */
export type WritableKind = (typeof WRITABLE_KINDS)[number];

/** One write, read from the body. */
export interface Write {
  readonly kind: WritableKind;
  readonly namespace: string;
  readonly name: string;
  readonly object: JsonObject;
  readonly uid: string;
  readonly resourceVersion: string;
}

/** The stored object with the writer's spec and metadata; status stays, generation follows spec. */
export function withSpec(request: Write, existing: StoredObject): StoredObject {
  const spec = request.object["spec"] ?? {};
  const same = equalJson(spec, existing.spec as unknown as JsonValue);
  const metadata = mergedMeta(existing.metadata, metaOf(request));
  const generation = existing.metadata.generation + (same ? 0 : 1);
  const next = { ...existing, metadata: { ...metadata, generation }, spec };
  return next as unknown as StoredObject;
}

/** True when two objects are equal as JSON. */
export function sameObject(a: StoredObject, b: StoredObject): boolean {
  return equalJson(a as unknown as JsonValue, b as unknown as JsonValue);
}

/** The writer's metadata; "" fields of identity are the server's. */
export function metaOf(request: Write): JsonObject {
  const metadata = request.object["metadata"];
  return typeof metadata === "object" && metadata !== null && !Array.isArray(metadata)
    ? (metadata as JsonObject)
    : {};
}

/** Labels, annotations and the like from the writer; identity and bookkeeping from the server. */
export function mergedMeta(own: ObjectMeta, written: JsonObject): ObjectMeta {
  const { name, namespace, uid, resourceVersion, generation, creationTimestamp } = own;
  return {
    ...written,
    name,
    ...(namespace === undefined ? {} : { namespace }),
    uid,
    resourceVersion,
    generation,
    creationTimestamp,
  };
}

/**
 * The request with its object checked and defaulted by the kind's schema, which everything behind it
 * relies on; as it is when admission has done that. Refuses InvalidField with every fault.
 */
export function validated(request: Write, isAdmitted: boolean): Write {
  const { kind, namespace, name, object } = request;
  const metadata = {
    ...metaOf(request),
    name,
    ...(namespace === "" ? {} : { namespace }),
  };
  const spec = object["spec"] === undefined ? {} : { spec: object["spec"] };
  if (isAdmitted) return { ...request, object: { metadata, ...spec } };
  const { apiVersion } = kindInfo(kind);
  const result = validateObject(kind, { apiVersion, kind, metadata, ...spec });
  if (!result.ok) throw invalidObject(`${kind} "${name}"`, result.errors);
  return { ...request, object: { metadata, spec: result.value.spec as unknown as JsonObject } };
}
