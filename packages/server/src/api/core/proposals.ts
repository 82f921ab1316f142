// Opening a proposal: fills in what a person need not say (base version, source, key against
// repetition) and recognises a repeated request, so that a retried pipeline finds its first proposal.

import { createHash, randomBytes } from "node:crypto";
import { KinglyError, canonicalJson, isJsonObject } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import type { ApiContext } from "./context.ts";
import type { WriteCall } from "./writer.ts";

/** Hex characters of a derived name: collisions of 32 bits within one Config do not happen. */
const NAME_HASH_CHARS = 8;

/** A proposal ready to be validated, or the one that the same request opened before. */
export interface PreparedProposal {
  readonly object: JsonObject;
  readonly idempotencyKey: string;
  readonly existing: JsonValue | undefined;
}

function objectAt(object: JsonObject, field: string): JsonObject {
  const value = object[field];
  return isJsonObject(value) ? value : {};
}

function textAt(object: JsonObject, field: string): string {
  const value = object[field];
  return typeof value === "string" ? value : "";
}

/** Fills in defaults that depend on the caller and on the Config. */
export function prepareProposal(
  context: ApiContext,
  call: WriteCall,
  given: JsonObject,
): PreparedProposal {
  const { state } = context.replica;
  const { principal, namespace } = call;
  const spec = { ...objectAt(given, "spec") };
  const metadata = { ...objectAt(given, "metadata") } as Record<string, JsonValue>;
  const configName = textAt(spec, "config");
  const givenName = textAt(metadata, "name");
  const key =
    textAt(spec, "idempotencyKey") ||
    call.idempotencyKey ||
    (givenName === "" ? randomBytes(16).toString("hex") : `name:${givenName}`);
  const name = givenName || derivedName(metadata, configName, principal.name, key);
  delete metadata["generateName"];
  const config = state.object("Config", namespace, configName);
  const source = objectAt(spec, "source");
  const object: JsonObject = {
    ...given,
    metadata: { ...metadata, name },
    spec: {
      ...spec,
      baseVersion: spec["baseVersion"] ?? config?.status?.version ?? 0,
      source: { ...source, name: textAt(source, "name") || principal.name },
      idempotencyKey: key,
    },
  };
  return { object, idempotencyKey: key, existing: repeated(context, call, object) };
}

function derivedName(metadata: JsonObject, config: string, principal: string, key: string): string {
  const prefix = textAt(metadata, "generateName") || `${config}-`;
  const hash = createHash("sha256")
    .update(canonicalJson([principal, config, key]))
    .digest("hex");
  return `${prefix}${hash.slice(0, NAME_HASH_CHARS)}`;
}

/** The proposal that the same caller opened with the same key; Conflict when it says other things. */
function repeated(context: ApiContext, call: WriteCall, wanted: JsonObject): JsonValue | undefined {
  const name = textAt(objectAt(wanted, "metadata"), "name");
  const found = context.replica.state.object("Proposal", call.namespace, name);
  if (found === undefined) return undefined;
  const spec = objectAt(wanted, "spec");
  if (found.spec.idempotencyKey !== spec["idempotencyKey"]) return undefined;
  const before = canonicalJson([found.spec.patch ?? null, found.spec.data ?? null]);
  const now = canonicalJson([spec["patch"] ?? null, spec["data"] ?? null]);
  if (before === now && found.spec.config === spec["config"]) return found as unknown as JsonValue;
  throw new KinglyError("Conflict", "this idempotency key was used for another change", {
    field: "spec.idempotencyKey",
    value: textAt(spec, "idempotencyKey"),
    help: "use a new key for a new change",
  });
}

/** Body of the `propose` command for a validated Proposal. */
export function proposalBody(object: JsonObject): JsonObject {
  const metadata = objectAt(object, "metadata");
  const { idempotencyKey: _key, ...spec } = objectAt(object, "spec");
  const { namespace, name, labels, annotations } = metadata;
  return {
    namespace: namespace ?? "",
    ...(name === undefined ? {} : { name }),
    ...(labels === undefined ? {} : { labels }),
    ...(annotations === undefined ? {} : { annotations }),
    ...spec,
  };
}
