// kinglyctl apply -f FILE: creates what is missing and replaces the spec of what exists. A write to
// a Config's data opens a proposal; the server's warning names it.

import { KinglyError, isJsonObject } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import type { ApiObject } from "@kingly/resources";
import { resolveKind } from "../kinds.ts";
import { CONFLICT_ATTEMPTS_MAX } from "../limits.ts";
import { readManifests, type Manifest } from "../manifests.ts";
import type { Session } from "../session.ts";

interface Target {
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly name: string;
}

function stringField(value: unknown, field: string, source: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw new KinglyError("InvalidField", `${source}: ${field} is missing`, { field });
}

function targetOf(manifest: Manifest, session: Session): Target {
  const { object, source } = manifest;
  const info = resolveKind(stringField(object["kind"], "kind", source));
  const metadata = (object["metadata"] ?? {}) as Record<string, unknown>;
  const name = stringField(metadata["name"], "metadata.name", source);
  const namespace = info.namespaced
    ? typeof metadata["namespace"] === "string"
      ? metadata["namespace"]
      : session.namespace
    : undefined;
  return { kind: info.kind, namespace, name };
}

/** The objects of a manifest: those of a List, as `get` prints several, or the one that it is. */
function objectsOf(manifest: Manifest): readonly Manifest[] {
  const { object, source } = manifest;
  if (object["kind"] !== "List" || object["apiVersion"] !== "v1") return [manifest];
  const { items } = object;
  if (!Array.isArray(items)) {
    throw new KinglyError("InvalidField", `${source}: items of a List is no list`, {
      field: "items",
    });
  }
  return (items as readonly JsonValue[]).map((item, at) => {
    const name = `${source}: items[${at}]`;
    if (isJsonObject(item)) return { source: name, object: item };
    throw new KinglyError("InvalidField", `${name}: must be a mapping`, { field: `items[${at}]` });
  });
}

async function current(session: Session, target: Target): Promise<ApiObject | undefined> {
  try {
    return await session.client.get(target);
  } catch (error) {
    if (error instanceof KinglyError && error.code === "NotFound") return undefined;
    throw error;
  }
}

/** Labels or annotations of both; undefined when neither has any, so that nothing changes. */
function mergedMap(
  live: object | undefined,
  wanted: JsonValue | undefined,
): JsonObject | undefined {
  const both = { ...live, ...(isJsonObject(wanted) ? wanted : {}) } as JsonObject;
  return live === undefined && Object.keys(both).length === 0 ? undefined : both;
}

function merged(live: ApiObject, wanted: JsonObject): JsonObject {
  const metadata = isJsonObject(wanted["metadata"]) ? wanted["metadata"] : {};
  const { status: _status, ...rest } = live as unknown as JsonObject;
  const labels = mergedMap(live.metadata.labels, metadata["labels"]);
  const annotations = mergedMap(live.metadata.annotations, metadata["annotations"]);
  return {
    ...rest,
    ...wanted,
    metadata: {
      ...(live.metadata as unknown as JsonObject),
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    },
  };
}

/** Fields of metadata that the server fills in; a file that `get` printed has them. */
const SERVERS_METADATA = ["uid", "resourceVersion", "generation", "creationTimestamp"];

/** The object as it is created: without what the server fills in. */
function fresh(wanted: JsonObject): JsonObject {
  const { status: _status, metadata, ...rest } = wanted;
  const kept = Object.entries(isJsonObject(metadata) ? metadata : {}).filter(
    ([key]) => !SERVERS_METADATA.includes(key),
  );
  return { ...rest, metadata: Object.fromEntries(kept) };
}

async function applyOne(
  session: Session,
  manifest: Manifest,
  query: Readonly<Record<string, string>>,
): Promise<{
  readonly verb: string;
  readonly target: Target;
  readonly warnings: readonly string[];
}> {
  const target = targetOf(manifest, session);
  const { name: _name, ...collection } = target;
  for (let attempt = 1; ; attempt += 1) {
    const live = await current(session, target);
    try {
      if (live === undefined) {
        const { warnings } = await session.client.create(collection, fresh(manifest.object), query);
        return { verb: "created", target, warnings };
      }
      const body = merged(live, manifest.object);
      const { object, warnings } = await session.client.replace(target, body, query);
      const same = object.metadata.resourceVersion === live.metadata.resourceVersion;
      return { verb: same ? "unchanged" : "configured", target, warnings };
    } catch (error) {
      const racing =
        error instanceof KinglyError &&
        (error.code === "Conflict" || error.code === "AlreadyExists");
      if (!racing || attempt >= CONFLICT_ATTEMPTS_MAX) throw error;
    }
  }
}

/** Runs the command; returns the exit code. */
export async function runApply(
  session: Session,
  flags: { readonly filename: readonly string[]; readonly dryRun?: string },
): Promise<number> {
  const { dryRun = "" } = flags;
  if (dryRun !== "" && dryRun !== "server") {
    throw new KinglyError("Usage", `--dry-run: "${dryRun}" is not server`, {
      field: "--dry-run",
      limit: "server",
      value: dryRun,
    });
  }
  const query: Record<string, string> = dryRun === "server" ? { dryRun: "All" } : {};
  const manifests = await readManifests(flags.filename, session.io);
  for (const manifest of manifests.flatMap(objectsOf)) {
    const { verb, target, warnings } = await applyOne(session, manifest, query);
    for (const warning of warnings) session.io.stderr.write(`Warning: ${warning}\n`);
    const suffix = dryRun === "server" ? " (server dry run)" : "";
    const singular = resolveKind(target.kind).singular;
    session.io.stdout.write(`${singular}/${target.name} ${verb}${suffix}\n`);
  }
  return 0;
}
