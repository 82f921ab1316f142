// Writes: a checked document becomes a command for the replica. Structure, unknown fields and
// identity are settled here, so that every refusal names its field; admission on the leader and apply
// decide the rest. Proposals are opened by a command of their own.

import { randomBytes } from "node:crypto";
import { KinglyError, addMissing, isJsonObject, shortValue } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import type { WriteResult } from "@kingly/decision";
import { invalidObject, objectKey, validateObject } from "@kingly/resources";
import type { KindInfo } from "@kingly/resources";
import type { SubmitResult } from "../../replica/replica.ts";
import type { Principal } from "./auth.ts";
import type { ApiContext } from "./context.ts";
import { prepareProposal, proposalBody } from "./proposals.ts";
import { serve } from "./serve.ts";

/** What happens to fields that the kind does not define. */
export type FieldValidation = "Strict" | "Warn" | "Ignore";

/** One write of a client. */
export interface WriteCall {
  readonly info: KindInfo;
  /** "" for cluster-scoped kinds. */
  readonly namespace: string;
  readonly principal: Principal;
  readonly dryRun: boolean;
  readonly fieldValidation: FieldValidation;
  /** 0 = the server's default. */
  readonly deadlineMs: number;
  readonly idempotencyKey?: string | undefined;
}

/** What came of it. */
export interface Written {
  readonly object: JsonObject;
  readonly warnings: readonly string[];
  readonly revision: number;
  /** False when an equal request had been carried out before. */
  readonly created: boolean;
}

const NAME_SUFFIX = "bcdfghjklmnpqrstvwxz2456789";

const NO_BYTES = new Uint8Array(0);

function usage(field: string, message: string, value?: JsonValue): KinglyError {
  return new KinglyError("Usage", `${field}: ${message}`, {
    field,
    ...(value === undefined ? {} : { value: shortValue(value) }),
  });
}

function randomSuffix(): string {
  return Array.from(randomBytes(5), (byte) => NAME_SUFFIX[byte % NAME_SUFFIX.length]).join("");
}

function textAt(object: JsonObject, field: string): string {
  const value = object[field];
  return typeof value === "string" ? value : "";
}

/** Checks that a document is of the kind and place that the call names, and fills them in. */
function located(call: WriteCall, document: JsonValue, name: string | undefined): JsonObject {
  if (!isJsonObject(document)) throw usage("body", "must be an object", document);
  const { info } = call;
  for (const [field, wanted] of [
    ["apiVersion", info.apiVersion],
    ["kind", info.kind],
  ] as const) {
    const given = document[field];
    if (given !== undefined && given !== wanted) {
      throw usage(field, `must be ${wanted} here; got ${shortValue(given)}`, given);
    }
  }
  const metadata = document["metadata"] ?? {};
  if (!isJsonObject(metadata)) throw usage("metadata", "must be an object", metadata);
  // First, as everybody writes them: validation keeps the order, and a dry run shows it.
  const { apiVersion, kind } = info;
  const object = { apiVersion, kind, metadata: namedMetadata(call, metadata, name) };
  addMissing(object, document);
  return object;
}

function namedMetadata(
  call: WriteCall,
  metadata: JsonObject,
  name: string | undefined,
): JsonObject {
  const { info, namespace } = call;
  // Fields are left out by not copying them: deleting turns an object into a slow one.
  const { namespace: given, generateName: prefix, ...out }: Record<string, JsonValue> = metadata;
  if (given !== undefined && given !== "" && given !== namespace) {
    const expected = info.namespaced ? `must be "${namespace}" here` : "is not for this kind";
    throw usage("metadata.namespace", `${expected}; got ${shortValue(given)}`, given);
  }
  if (info.namespaced) out["namespace"] = namespace;
  if (name !== undefined && out["name"] !== undefined && out["name"] !== name) {
    throw usage("metadata.name", `must be "${name}" here; got ${shortValue(out["name"])}`);
  }
  const wanted = name ?? out["name"];
  if (wanted !== undefined && wanted !== "") out["name"] = wanted;
  else if (typeof prefix === "string" && prefix !== "" && info.kind !== "Proposal") {
    out["name"] = `${prefix}${randomSuffix()}`;
  }
  if (out["name"] === undefined && prefix !== undefined) out["generateName"] = prefix;
  return out;
}

const SERVER_METADATA: readonly string[] = [
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "managedFields",
];

/** Drops what the server owns; what is left is the writer's. */
function withoutServerFields(object: JsonObject): JsonObject {
  const metadata = isJsonObject(object["metadata"]) ? object["metadata"] : {};
  const kept: Record<string, JsonValue> = {};
  for (const field of Object.keys(metadata)) {
    if (!SERVER_METADATA.includes(field)) kept[field] = metadata[field] as JsonValue;
  }
  const rest: Record<string, JsonValue> = {};
  for (const field of Object.keys(object)) {
    if (field !== "status") rest[field] = object[field] as JsonValue;
  }
  rest["metadata"] = kept;
  return rest;
}

/** Validates and defaults; unknown fields are refused, warned about or dropped. */
function validated(
  call: WriteCall,
  object: JsonObject,
): { readonly object: JsonObject; readonly warnings: readonly string[] } {
  const { info, fieldValidation } = call;
  const name = textAt((object["metadata"] ?? {}) as JsonObject, "name");
  const what = `${info.kind} "${name}"`;
  const result = validateObject(info.kind as string, object);
  const unknown = result.unknownFields;
  if (unknown.length > 0 && fieldValidation === "Strict") {
    const list = unknown.map((field) => `unknown field "${field}"`).join(", ");
    throw new KinglyError("UnknownField", `${what}: strict decoding error: ${list}`, {
      field: unknown[0] ?? "",
      causes: unknown.map((field) => ({
        reason: "FieldValueInvalid",
        field,
        message: "unknown field",
      })),
    });
  }
  if (!result.ok) throw invalidObject(what, result.errors);
  const warnings =
    fieldValidation === "Ignore" ? [] : unknown.map((field) => `unknown field "${field}"`);
  return { object: withoutServerFields(result.value as unknown as JsonObject), warnings };
}

function preconditionsOf(object: JsonObject): JsonObject {
  const found: Record<string, JsonValue> = {};
  const metadata = object["metadata"];
  if (!isJsonObject(metadata)) return found;
  for (const field of ["uid", "resourceVersion"]) {
    const wanted = textAt(metadata, field);
    if (wanted !== "") found[field] = wanted;
  }
  return found;
}

async function submit(
  context: ApiContext,
  call: WriteCall,
  command: "write" | "propose",
  bodyObject: JsonObject,
): Promise<SubmitResult> {
  const { idempotencyKey, dryRun, deadlineMs } = call;
  const isValidated = command === "write";
  return context.replica.submit(
    { command, body: NO_BYTES, bodyObject, isValidated, idempotencyKey, dryRun },
    call.principal,
    { deadlineMs },
  );
}

function writtenOf(
  context: ApiContext,
  call: WriteCall,
  result: SubmitResult,
  about: { readonly fallback: JsonObject; readonly warnings: readonly string[] },
): Written {
  // A dry run answers with the object as it would be proposed, a write with a WriteResult.
  const value = result.value as unknown as Partial<WriteResult> | null;
  const stored = call.dryRun ? result.value : value?.object;
  const object = isJsonObject(stored) ? stored : about.fallback;
  return {
    object: serve(context.replica, call.info.kind, object),
    warnings: [...about.warnings, ...(call.dryRun ? [] : (value?.warnings ?? []))],
    revision: result.revision,
    created: true,
  };
}

/** Creates an object. */
export async function createObject(
  context: ApiContext,
  call: WriteCall,
  document: JsonValue,
): Promise<Written> {
  const given = located(call, document, undefined);
  if (textAt(given["metadata"] as JsonObject, "resourceVersion") !== "") {
    throw usage("metadata.resourceVersion", "must not be set on objects to be created");
  }
  if (call.info.kind === "Proposal") return propose(context, call, given);
  const { object, warnings } = validated(call, given);
  const name = textAt(object["metadata"] as JsonObject, "name");
  const { kind, namespaced } = call.info;
  const body = {
    op: "create",
    kind,
    ...(namespaced ? { namespace: call.namespace } : {}),
    name,
    object,
  };
  const result = await submit(context, call, "write", body);
  return writtenOf(context, call, result, { fallback: object, warnings });
}

async function propose(context: ApiContext, call: WriteCall, given: JsonObject): Promise<Written> {
  const prepared = prepareProposal(context, call, given);
  if (prepared.existing !== undefined) {
    const revision = context.replica.state.meta().revision;
    const object = serve(context.replica, "Proposal", prepared.existing);
    return { object, warnings: [], revision, created: false };
  }
  const { object, warnings } = validated(call, prepared.object);
  const { idempotencyKey } = prepared;
  const result = await submit(
    context,
    { ...call, idempotencyKey },
    "propose",
    proposalBody(object),
  );
  return writtenOf(context, call, result, { fallback: object, warnings });
}

/** Replaces an object; metadata.resourceVersion and uid are preconditions when given. */
export async function replaceObject(
  context: ApiContext,
  call: WriteCall,
  name: string,
  document: JsonValue,
): Promise<Written> {
  const given = located(call, document, name);
  const preconditions = preconditionsOf(given);
  const { object, warnings } = validated(call, given);
  const { kind, namespaced } = call.info;
  const { namespace } = call;
  const body = namespaced
    ? { op: "replace", kind, namespace, name, object, preconditions }
    : { op: "replace", kind, name, object, preconditions };
  const result = await submit(context, call, "write", body);
  return writtenOf(context, call, result, { fallback: object, warnings });
}

/** Deletes an object; an open proposal is withdrawn with it. Answers the uid of what is gone. */
export async function deleteObject(
  context: ApiContext,
  call: WriteCall,
  name: string,
  preconditions: { readonly uid?: string; readonly resourceVersion?: string },
): Promise<{ readonly uid: string; readonly result: SubmitResult }> {
  const { kind, namespaced } = call.info;
  const key = objectKey(kind, call.namespace, name);
  const before = context.replica.state.get(key);
  const metadata = isJsonObject(before) ? before["metadata"] : undefined;
  const uid = isJsonObject(metadata) ? textAt(metadata, "uid") : "";
  const body = {
    op: "delete",
    kind,
    ...(namespaced ? { namespace: call.namespace } : {}),
    name,
    preconditions,
  };
  const result = await submit(context, call, "write", body);
  return { uid, result };
}
