// Keys of objects in the replicated table: `<plural>/<namespace>/<name>`, the namespace empty for
// cluster-scoped kinds. Names hold no slash, so a key has exactly one reading.

import { KinglyError } from "@kingly/base";
import { kindInfo, kindOfPlural } from "./kind-info.ts";
import type { KindName } from "./kind-info.ts";

/** The parts of a key. */
export interface ParsedKey {
  readonly kind: KindName;
  /** Absent for cluster-scoped kinds. */
  readonly namespace?: string;
  readonly name: string;
}

/**
 * The key of an object. Throws UnknownKind, or InvalidField when the name is empty, a part holds
 * a slash, or a namespace is missing or not wanted.
 */
export function objectKey(kind: string, namespace: string | undefined, name: string): string {
  const scope = namespace ?? "";
  const info = kindInfo(kind);
  if (info.namespaced !== (scope !== "")) {
    const rule = info.namespaced ? "needs a namespace" : "has no namespace";
    throw new KinglyError("InvalidField", `metadata.namespace: ${kind} ${rule}; got "${scope}"`, {
      field: "metadata.namespace",
      limit: rule,
      value: scope,
    });
  }
  requirePart("metadata.namespace", scope, true);
  requirePart("metadata.name", name, false);
  return `${info.plural}/${scope}/${name}`;
}

/** Beginning of the keys of a kind, in one namespace when it is given. */
export function objectKeyPrefix(kind: string, namespace?: string): string {
  const info = kindInfo(kind);
  if (namespace === undefined || namespace === "") return `${info.plural}/`;
  requirePart("metadata.namespace", namespace, false);
  return `${info.plural}/${namespace}/`;
}

/** The parts of a key; undefined when it is no key of an object. */
export function parseObjectKey(key: string): ParsedKey | undefined {
  const parts = key.split("/");
  const [plural = "", namespace = "", name = ""] = parts;
  const info = kindOfPlural(plural);
  if (info === undefined || parts.length !== 3 || name === "") return undefined;
  if (info.namespaced !== (namespace !== "")) return undefined;
  return namespace === "" ? { kind: info.kind, name } : { kind: info.kind, namespace, name };
}

function requirePart(field: string, value: string, emptyAllowed: boolean): void {
  if (value.includes("/") || (value === "" && !emptyAllowed)) {
    throw new KinglyError("InvalidField", `${field}: must be a name without "/"; got "${value}"`, {
      field,
      limit: "a name without slash",
      value,
    });
  }
}
