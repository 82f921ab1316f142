// OpenAPI v3 documents per group and version, made from the kinds' schemas: what `kubectl explain`,
// `apply` and `create` validate against. The hash in a document's URL changes with its content, so
// clients may cache it for ever.

import { createHash } from "node:crypto";
import type { JsonObject, JsonValue } from "@kingly/base";
import { openApiSchema } from "@kingly/resources";
import type { KindInfo } from "@kingly/resources";
import { groupVersions } from "./discovery.ts";

/** One document. */
export interface OpenApiDocument {
  /** `apis/kingly.dev/v1`, `api/v1`. */
  readonly path: string;
  readonly text: string;
  /** Hex SHA-256 of the text. */
  readonly hash: string;
}

function query(name: string, description: string, type: string = "string"): JsonObject {
  return { name, in: "query", description, schema: { type, uniqueItems: true } };
}

// kubectl decides by these parameters of PATCH whether the server can validate and dry-run.
const WRITE_PARAMETERS: readonly JsonObject[] = [
  query("dryRun", "All: check everything, write nothing."),
  query("fieldManager", "Name of the writer."),
  query("fieldValidation", "Strict, Warn or Ignore unknown fields."),
];

function operation(info: KindInfo, action: string, parameters: readonly JsonObject[]): JsonObject {
  const { group, version, kind } = info;
  return {
    operationId: `${action}${kind}`,
    "x-kubernetes-action": action,
    "x-kubernetes-group-version-kind": { group, version, kind },
    parameters: [...parameters],
    responses: { "200": { description: "OK" } },
  };
}

function pathsOf(root: string, info: KindInfo): Record<string, JsonValue> {
  const scope = info.namespaced ? "namespaces/{namespace}/" : "";
  const collection: Record<string, JsonValue> = {};
  const item: Record<string, JsonValue> = {};
  if (info.verbs.includes("list")) collection["get"] = operation(info, "list", []);
  if (info.verbs.includes("create")) {
    collection["post"] = operation(info, "post", WRITE_PARAMETERS);
  }
  item["get"] = operation(info, "get", []);
  if (info.verbs.includes("update")) item["put"] = operation(info, "put", WRITE_PARAMETERS);
  if (info.verbs.includes("delete")) {
    item["delete"] = operation(info, "delete", WRITE_PARAMETERS.slice(0, 1));
  }
  // Also where a kind cannot be patched: kubectl looks only here for what the server supports.
  item["patch"] = {
    ...operation(info, "patch", WRITE_PARAMETERS),
    requestBody: {
      content: { "application/merge-patch+json": {}, "application/json-patch+json": {} },
    },
  };
  return {
    [`/${root}/${scope}${info.plural}`]: collection,
    [`/${root}/${scope}${info.plural}/{name}`]: item,
  };
}

function documentFor(path: string, kinds: readonly KindInfo[]): OpenApiDocument {
  const paths: Record<string, JsonValue> = {};
  const schemas: Record<string, JsonValue> = {};
  for (const info of kinds) {
    Object.assign(paths, pathsOf(path, info));
    const group = info.group === "" ? "core" : info.group.split(".").toReversed().join(".");
    schemas[`${group}.${info.version}.${info.kind}`] = openApiSchema(info.kind);
  }
  const text = JSON.stringify({
    openapi: "3.0.0",
    info: { title: "Kingly", version: "v1" },
    paths,
    components: { schemas },
  });
  return { path, text, hash: createHash("sha256").update(text).digest("hex").toUpperCase() };
}

let documents: readonly OpenApiDocument[] | undefined;

/** All documents, made once. */
export function openApiDocuments(): readonly OpenApiDocument[] {
  documents ??= groupVersions().map(({ group, version, kinds }) =>
    documentFor(group === "" ? `api/${version}` : `apis/${group}/${version}`, kinds),
  );
  return documents;
}

/** The index of `/openapi/v3`. */
export function openApiIndex(): JsonObject {
  const entries = openApiDocuments().map(({ path, hash }): [string, JsonValue] => [
    path,
    { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` },
  ]);
  return { paths: Object.fromEntries(entries) };
}
