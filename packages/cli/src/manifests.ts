// Reads manifests: YAML or JSON, several documents a file, files or folders or standard input. What
// comes out is exactly what was written: a value that JSON cannot say is refused with its place.

import { join } from "node:path";
import { KinglyError, isJsonObject, utf8Length } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import { parseAllDocuments } from "yaml";
import type { Io } from "./io.ts";
import { MANIFEST_BYTES_MAX } from "./limits.ts";
import { isJsonText, strictJson } from "./strict-input.ts";
import { jsonOfYaml } from "./yaml-value.ts";

/** One document and where it came from. */
export interface Manifest {
  readonly source: string;
  readonly object: JsonObject;
}

function filesOf(path: string, io: Io): readonly string[] {
  if (path === "-") return [path];
  let entries: readonly string[] | undefined;
  try {
    entries = io.listFolder(path);
  } catch {
    throw new KinglyError("Usage", `-f: cannot read ${path}`, { field: "-f", value: path });
  }
  if (entries === undefined) return [path];
  return entries.filter((name) => /\.(ya?ml|json)$/.test(name)).map((name) => join(path, name));
}

function yamlValues(text: string, source: string): readonly JsonValue[] {
  // Keys that are equal as text, such as 1 and "1", are found by our own walk.
  return parseAllDocuments(text, { uniqueKeys: false }).map((document) => {
    const [problem] = document.errors;
    if (problem !== undefined) {
      throw new KinglyError("MalformedJson", `${source}: ${problem.message}`, { field: source });
    }
    const unknown = document.warnings.find((warning) => warning.code === "TAG_RESOLVE_FAILED");
    if (unknown !== undefined) {
      throw new KinglyError("InvalidField", `${source}: ${unknown.message}`, {
        field: source,
        help: "allowed: text, numbers, true, false, null, lists and mappings",
      });
    }
    return jsonOfYaml(document, source);
  });
}

function documentsOf(text: string, source: string): readonly Manifest[] {
  const bytes = utf8Length(text);
  if (bytes > MANIFEST_BYTES_MAX) {
    const message = `${source}: ${bytes} bytes exceed the limit of ${MANIFEST_BYTES_MAX}`;
    throw new KinglyError("DocumentTooLarge", message, {
      field: source,
      limit: MANIFEST_BYTES_MAX,
      value: bytes,
    });
  }
  const isJson = source.endsWith(".json") || (/^\s*\{/.test(text) && isJsonText(text));
  const values = isJson ? [strictJson(text, source)] : yamlValues(text, source);
  return values.flatMap((value): readonly Manifest[] => {
    if (value === null) return [];
    if (isJsonObject(value)) return [{ source, object: value }];
    throw new KinglyError("MalformedJson", `${source}: a manifest must be a mapping`, {
      field: source,
    });
  });
}

/** All documents of the given paths, in order. */
export async function readManifests(
  paths: readonly string[],
  io: Io,
): Promise<readonly Manifest[]> {
  const manifests: Manifest[] = [];
  for (const path of paths) {
    for (const file of filesOf(path, io)) {
      manifests.push(...documentsOf(await io.readText(file), file === "-" ? "stdin" : file));
    }
  }
  if (manifests.length === 0) {
    throw new KinglyError("Usage", "no documents found in the given files", { field: "-f" });
  }
  return manifests;
}
