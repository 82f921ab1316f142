// Reads manifests: YAML or JSON, several documents a file, files or folders or standard input.

import { join } from "node:path";
import { KinglyError, type JsonObject } from "@kingly/base";
import { parseAllDocuments } from "yaml";
import type { Io } from "./io.ts";

/** Bytes of one manifest file; a document is at most 1 MiB, a file may hold several. */
export const MANIFEST_BYTES_MAX: number = 16 * 1024 * 1024;

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

function documentsOf(text: string, source: string): readonly Manifest[] {
  if (text.length > MANIFEST_BYTES_MAX) {
    throw new KinglyError("DocumentTooLarge", `${source} has ${text.length} characters`, {
      limit: MANIFEST_BYTES_MAX,
      value: text.length,
    });
  }
  const manifests: Manifest[] = [];
  for (const document of parseAllDocuments(text, { uniqueKeys: true })) {
    const problem = document.errors[0];
    if (problem !== undefined) {
      throw new KinglyError("MalformedJson", `${source}: ${problem.message}`, { field: source });
    }
    const value: unknown = document.toJS();
    if (value === null || value === undefined) continue;
    if (typeof value !== "object" || Array.isArray(value)) {
      throw new KinglyError("MalformedJson", `${source}: a manifest must be a mapping`, {
        field: source,
      });
    }
    manifests.push({ source, object: value as JsonObject });
  }
  return manifests;
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
