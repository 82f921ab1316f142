// Contexts: which server, whom to trust, who we are. The file is kubeconfig-compatible, so the
// same one serves kubectl and kinglyctl. Other cluster entries that say that they are servers of the
// same cluster may be asked when the context's own cannot be reached (failover.ts).

import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { KinglyError } from "@kingly/base";
import { parse } from "yaml";

/** What a client needs to reach a cluster. */
export interface Context {
  /** Base URL of the REST API, https. */
  readonly server: string;
  /**
   * Base URLs of the other servers of the same cluster, in the order of the file: cluster entries with
   * the same `clusterId` in their extension `kingly.dev/cluster` and the same CA. None without one.
   */
  readonly alternatives: readonly string[];
  /** PEM of the cluster's CA; absent = the system's roots. */
  readonly authority: string | undefined;
  /** Bearer token; absent = anonymous. */
  readonly token: string | undefined;
  /** Namespace used when none is given. */
  readonly namespace: string;
  readonly name: string;
}

/** Name of the extension of a cluster entry that carries the cluster's id. */
const CLUSTER_EXTENSION = "kingly.dev/cluster";

interface Named {
  readonly name?: unknown;
  readonly [key: string]: unknown;
}

type Fields = Readonly<Record<string, unknown>>;

function fail(file: string, field: string, problem: string): never {
  throw new KinglyError("Usage", `${file}: ${field} ${problem}`, { field });
}

function section(document: Fields, list: string, name: unknown, file: string): Fields {
  const entries = document[list];
  if (!Array.isArray(entries)) fail(file, list, "is not a list");
  const entry = (entries as readonly Named[]).find((candidate) => candidate?.name === name);
  const body = entry?.[list.slice(0, -1)];
  if (typeof body !== "object" || body === null) fail(file, list, `has no entry ${String(name)}`);
  return body as Fields;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function fromFileOrData(fields: Fields, key: string, folder: string): string | undefined {
  const data = text(fields[`${key}-data`]);
  if (data !== undefined) return Buffer.from(data, "base64").toString("utf8");
  const path = text(fields[key]);
  return path === undefined ? undefined : readFileSync(resolve(folder, path), "utf8");
}

/** Id in the extension that `kinglyd init` writes; undefined when an entry has none. */
function clusterIdOf(cluster: Fields): string | undefined {
  const extensions = cluster["extensions"];
  if (!Array.isArray(extensions)) return undefined;
  const found = (extensions as readonly Named[]).find((one) => one?.name === CLUSTER_EXTENSION);
  return text((found?.["extension"] as Fields | null | undefined)?.["clusterId"]);
}

/** The same id alone is not enough: our token goes only to whom the cluster's own CA vouches for. */
function alternativesOf(document: Fields, chosen: Fields, folder: string): readonly string[] {
  const clusterId = clusterIdOf(chosen);
  const authority = fromFileOrData(chosen, "certificate-authority", folder);
  if (clusterId === undefined || authority === undefined) return [];
  const servers = (document["clusters"] as readonly Named[]).flatMap((entry) => {
    const cluster = entry?.["cluster"] as Fields | null | undefined;
    if (typeof cluster !== "object" || cluster === null) return [];
    if (clusterIdOf(cluster) !== clusterId) return [];
    const same = fromFileOrData(cluster, "certificate-authority", folder) === authority;
    const server = text(cluster["server"]);
    return same && server !== undefined && server !== chosen["server"] ? [server] : [];
  });
  return [...new Set(servers)];
}

/**
 * Reads one context of a kubeconfig file.
 * @throws KinglyError `Usage` naming the file and the field.
 */
export function loadContext(file: string, contextName?: string): Context {
  let document: Fields;
  try {
    document = parse(readFileSync(file, "utf8")) as Fields;
  } catch (error) {
    throw new KinglyError(
      "Usage",
      `cannot read the context file ${file}: ${error instanceof Error ? error.message : String(error)}`,
      { field: "kubeconfig", help: "give --kubeconfig FILE or set KUBECONFIG" },
    );
  }
  if (typeof document !== "object" || document === null) fail(file, "document", "is empty");
  const name = contextName ?? text(document["current-context"]);
  if (name === undefined) fail(file, "current-context", "is missing");
  const context = section(document, "contexts", name, file);
  const cluster = section(document, "clusters", context["cluster"], file);
  const user = section(document, "users", context["user"], file);
  const server = text(cluster["server"]);
  if (server === undefined) fail(file, "clusters[].cluster.server", "is missing");
  const folder = dirname(resolve(file));
  const tokenFile = text(user["tokenFile"]);
  return {
    name,
    server,
    alternatives: alternativesOf(document, cluster, folder),
    authority: fromFileOrData(cluster, "certificate-authority", folder),
    token:
      text(user["token"]) ??
      (tokenFile === undefined
        ? undefined
        : readFileSync(resolve(folder, tokenFile), "utf8").trim()),
    namespace: text(context["namespace"]) ?? "default",
  };
}
