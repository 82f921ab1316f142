// Reads the path of a request: which group, namespace, kind, name and subresource it means. The
// Kubernetes paths are regular enough that one small parser is clearer than a table of routes.

import { KinglyError } from "@kingly/base";
import { KINDS, kindByPlural } from "@kingly/resources";
import type { KindInfo } from "@kingly/resources";

/** A path below `/api/v1` or `/apis/<group>/<version>`. */
export interface ResourcePath {
  readonly group: string;
  readonly version: string;
  /** Undefined: the group and version themselves. */
  readonly plural: string | undefined;
  /** "" when the path names none. */
  readonly namespace: string;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
}

/** Subresources of a Namespace object; anything else behind its name is a collection inside it. */
const NAMESPACE_SUBRESOURCES = ["status", "finalize"];

function decode(part: string): string {
  try {
    const text = decodeURIComponent(part);
    if (text !== "" && !text.includes("/")) return text;
  } catch {
    // Falls through: not percent-encoded UTF-8.
  }
  throw new KinglyError("Usage", `the path part "${part.slice(0, 80)}" is not a name`, {
    field: "path",
    value: part.slice(0, 80),
  });
}

/** Parses the path of a resource request; undefined when it is not one. */
export function parseResourcePath(path: string): ResourcePath | undefined {
  const parts = path.split("/").slice(1);
  if (parts[parts.length - 1] === "") parts.pop();
  const root = parts.shift();
  if (root !== "api" && root !== "apis") return undefined;
  const group = root === "api" ? "" : decode(parts.shift() ?? "");
  const version = parts.shift();
  if (version === undefined) return undefined;
  const rest = parts.map(decode);
  const base = { group, version: decode(version) };
  const [first, second, third] = rest;
  const scoped = first === "namespaces" && second !== undefined && third !== undefined;
  const insideNamespace =
    scoped && !(group === "" && rest.length === 3 && NAMESPACE_SUBRESOURCES.includes(third));
  const namespace = insideNamespace ? second : "";
  const [plural, name, subresource, ...more] = insideNamespace ? rest.slice(2) : rest;
  if (more.length > 0) return undefined;
  return { ...base, plural, namespace, name, subresource };
}

/** The kind that a path names. Throws UnknownKind, or Usage when the scope is wrong. */
export function kindOfPath(path: ResourcePath): KindInfo {
  const info = kindByPlural(path.group, path.plural ?? "");
  const served = KINDS.some((kind) => kind.group === path.group && kind.version === path.version);
  if (info === undefined || !served) {
    throw new KinglyError("UnknownKind", "the server could not find the requested resource", {
      field: "path",
      value: `${path.group}/${path.version}/${path.plural ?? ""}`.slice(0, 200),
    });
  }
  if (!info.namespaced && path.namespace !== "") {
    throw new KinglyError("UnknownKind", `${info.plural} are not namespaced`, {
      field: "path",
      value: path.namespace,
    });
  }
  return info;
}
