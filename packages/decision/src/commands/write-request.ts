// One write as its handlers see it, and how the writer's object and the stored one become the next.

import { addMissing, equalJson } from "@kingly/base";
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
  /** Row key of the object; made once, because a key costs as much as a look-up. */
  readonly key: string;
  readonly object: JsonObject;
  readonly uid: string;
  readonly resourceVersion: string;
}

/** The stored object with the writer's spec and metadata; status stays, generation follows spec. */
export function withSpec(request: Write, existing: StoredObject): StoredObject {
  const spec = request.object["spec"] ?? {};
  const same = equalJson(spec, existing.spec as unknown as JsonValue);
  const generation = existing.metadata.generation + (same ? 0 : 1);
  const next: Record<string, unknown> = { ...existing };
  next["metadata"] = mergedMeta(existing.metadata, metaOf(request), generation);
  next["spec"] = same ? existing.spec : spec;
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
export function mergedMeta(
  own: ObjectMeta,
  written: JsonObject,
  generation: number = own.generation,
): ObjectMeta {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = own;
  const merged: Record<string, JsonValue> =
    namespace === undefined
      ? { name, uid, resourceVersion, generation, creationTimestamp }
      : { name, namespace, uid, resourceVersion, generation, creationTimestamp };
  addMissing(merged, written);
  return merged as unknown as ObjectMeta;
}

/**
 * The request with its object checked and defaulted by the kind's schema, which everything behind it
 * relies on; as it is when admission has done that. Refuses InvalidField with every fault.
 */
export function validated(request: Write, isAdmitted: boolean): Write {
  const { kind, namespace, name, object } = request;
  const metadata: Record<string, JsonValue> = { ...metaOf(request) };
  metadata["name"] = name;
  if (namespace !== "") metadata["namespace"] = namespace;
  const spec = object["spec"] === undefined ? {} : { spec: object["spec"] };
  if (isAdmitted) return withObject(request, { metadata, ...spec });
  const { apiVersion } = kindInfo(kind);
  const result = validateObject(kind, { apiVersion, kind, metadata, ...spec });
  if (!result.ok) throw invalidObject(`${kind} "${name}"`, result.errors);
  return withObject(request, { metadata, spec: result.value.spec as unknown as JsonObject });
}

function withObject(request: Write, object: JsonObject): Write {
  const { kind, namespace, name, key, uid, resourceVersion } = request;
  return { kind, namespace, name, key, object, uid, resourceVersion };
}
