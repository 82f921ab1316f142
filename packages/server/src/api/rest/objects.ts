// The verbs of every kind: get, list, watch, create, replace, patch, delete. One handler serves all
// kinds; what differs between them is in the catalogue of kinds.

import { Readable } from "node:stream";
import { KinglyError, isJsonObject } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import type { KindInfo, Verb } from "@kingly/resources";
import { requireAllowed } from "../core/auth.ts";
import type { ApiContext } from "../core/context.ts";
import { patchObject } from "../core/patcher.ts";
import { listObjects, parseFreshness, readObject, settle } from "../core/reader.ts";
import { parseSelection } from "../core/selectors.ts";
import { serve, tableForm } from "../core/serve.ts";
import { deletedStatus } from "../core/status.ts";
import { liveCells } from "../core/views.ts";
import { createObject, deleteObject, replaceObject } from "../core/writer.ts";
import type { WriteCall, Written } from "../core/writer.ts";
import { PATCH_TYPES, representationOf, unsupportedPatch } from "./negotiate.ts";
import { kindOfPath } from "./path.ts";
import type { ResourcePath } from "./path.ts";
import { renderList, renderOne } from "./represent.ts";
import type { RenderOptions, Rendered } from "./represent.ts";
import {
  deleteOptionsOf,
  documentOf,
  fieldValidationOf,
  flag,
  isDryRun,
  nameSubject,
  warn,
  wholeNumber,
} from "./request.ts";
import type { RestRequest } from "./request.ts";
import type { WatchServer } from "./watch-server.ts";

/** What the handlers share. */
export interface ObjectRoutes {
  readonly context: ApiContext;
  readonly watches: WatchServer;
}

/** A value to be sent, with its HTTP status; undefined when the handler answered by itself. */
export type Answer =
  | { readonly status: number; readonly body: JsonObject }
  | { readonly status: number; readonly stream: Readable }
  | undefined;

interface Target {
  readonly request: RestRequest;
  readonly info: KindInfo;
  readonly namespace: string;
  readonly name: string;
}

const ITEM_VERBS: Readonly<Record<string, Verb>> = {
  GET: "get",
  HEAD: "get",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};

function verbOf(request: RestRequest, path: ResourcePath): Verb | undefined {
  if (path.name !== undefined) return ITEM_VERBS[request.method];
  if (request.method === "POST") return "create";
  if (request.method === "DELETE") return "deletecollection";
  if (request.method !== "GET" && request.method !== "HEAD") return undefined;
  return flag(request.query, "watch") ? "watch" : "list";
}

function notAllowed(info: KindInfo, what: string): KinglyError {
  return new KinglyError("MethodNotAllowed", `${info.plural} do not offer ${what}`, {
    field: "method",
    limit: info.verbs.join(", "),
    value: what,
  });
}

/** Serves one request below a group and version. */
export async function serveObjects(
  routes: ObjectRoutes,
  request: RestRequest,
  path: ResourcePath,
): Promise<Answer> {
  const info = kindOfPath(path);
  const verb = verbOf(request, path);
  if (verb === undefined || !info.verbs.includes(verb)) {
    throw notAllowed(info, verb ?? request.method);
  }
  requireAllowed(request.principal, verb, info.plural);
  const target: Target = { request, info, namespace: path.namespace, name: path.name ?? "" };
  if (path.subresource !== undefined) requireStatusRead(info, verb, path.subresource);
  if (path.name !== undefined && info.namespaced && path.namespace === "") {
    throw new KinglyError("UnknownKind", "the server could not find the requested resource", {
      field: "path",
      help: `${info.plural} are found below /namespaces/NAMESPACE/`,
    });
  }
  switch (verb) {
    case "get":
      return getOne(routes.context, target);
    case "list":
      return list(routes.context, target);
    case "watch":
      return routes.watches.open(request, info, path.namespace);
    case "create":
      return create(routes.context, target);
    case "update":
      return update(routes.context, target);
    case "patch":
      return patch(routes.context, target);
    case "delete":
      return remove(routes.context, target);
    case "deletecollection":
      return removeAll(routes.context, target);
  }
}

function requireStatusRead(info: KindInfo, verb: Verb, subresource: string): void {
  if (subresource !== "status" || !info.hasStatus) {
    throw new KinglyError("UnknownKind", "the server could not find the requested resource", {
      field: "path",
      value: subresource.slice(0, 80),
    });
  }
  if (verb !== "get") throw notAllowed(info, `${verb} of status; it is written by the system`);
}

function renderOptions(context: ApiContext, target: Target): RenderOptions {
  const include = target.request.query.get("includeObject");
  return {
    info: target.info,
    as: representationOf(target.request.accept),
    includeObject: include === "Object" || include === "None" ? include : "Metadata",
    nowMs: context.clock.nowMs(),
    liveCells: (stored) => liveCells(context.replica.state, target.info.kind, stored),
  };
}

function rendered(context: ApiContext, info: KindInfo, value: JsonValue): Rendered {
  const served = serve(context.replica, info.kind, value);
  return { stored: tableForm(info.kind, value, served), served };
}

async function getOne(context: ApiContext, target: Target): Promise<Answer> {
  const { request, info, namespace, name } = target;
  const options = renderOptions(context, target);
  await settle(context, parseFreshness(request.query.get("resourceVersion") ?? undefined));
  const value = readObject(context, info, { namespace, name });
  return { status: 200, body: renderOne(rendered(context, info, value), options) };
}

async function list(context: ApiContext, target: Target): Promise<Answer> {
  const { request, info, namespace } = target;
  const { query } = request;
  const options = renderOptions(context, target);
  const selection = parseSelection(
    info,
    query.get("labelSelector") ?? "",
    query.get("fieldSelector") ?? "",
  );
  const page = await listObjects(context, {
    info,
    namespace,
    selection,
    freshness: parseFreshness(query.get("resourceVersion") ?? undefined),
    limit: wholeNumber(query, "limit") ?? 0,
    continueToken: query.get("continue") ?? "",
  });
  const selected = selection.labels !== undefined || selection.fields !== undefined;
  const metadata: JsonObject = {
    resourceVersion: String(page.revision),
    ...(page.continueToken === "" ? {} : { continue: page.continueToken }),
    ...(page.remaining === 0 || selected ? {} : { remainingItemCount: page.remaining }),
  };
  const objects = page.rows.map((row) => row.value);
  function* all(): Generator<Rendered> {
    for (const value of objects) yield rendered(context, info, value);
  }
  return { status: 200, stream: Readable.from(renderList(all(), metadata, options)) };
}

function writeCall(target: Target, dryRun: boolean): WriteCall {
  const { request, info, namespace } = target;
  const key = request.raw.headers["idempotency-key"];
  return {
    info,
    namespace,
    principal: request.principal,
    dryRun,
    fieldValidation: fieldValidationOf(request.query),
    deadlineMs: 0,
    idempotencyKey: typeof key === "string" && key !== "" ? key : undefined,
  };
}

function written(context: ApiContext, target: Target, result: Written, status: number): Answer {
  warn(target.request.reply, result.warnings);
  const options = renderOptions(context, target);
  const { object } = result;
  return { status, body: renderOne({ stored: object, served: object }, options) };
}

async function create(context: ApiContext, target: Target): Promise<Answer> {
  const { request, info } = target;
  if (info.namespaced && target.namespace === "") {
    throw new KinglyError("MethodNotAllowed", `${info.plural} are created inside a namespace`, {
      field: "path",
      help: `POST below /namespaces/NAMESPACE/${info.plural}`,
    });
  }
  const call = writeCall(target, isDryRun(request.query));
  const document = documentOf(request);
  nameSubject(request, document);
  const result = await createObject(context, call, document);
  return written(context, target, result, result.created ? 201 : 200);
}

async function update(context: ApiContext, target: Target): Promise<Answer> {
  const { request, name } = target;
  const call = writeCall(target, isDryRun(request.query));
  const result = await replaceObject(context, call, name, documentOf(request));
  return written(context, target, result, 200);
}

async function patch(context: ApiContext, target: Target): Promise<Answer> {
  const { request, info, name } = target;
  const { contentType } = request;
  // kubectl knows Namespaces and patches them in its own format; with labels and annotations only,
  // that is a merge patch with directives.
  const strategic =
    info.kind === "Namespace" && contentType === "application/strategic-merge-patch+json";
  const type = strategic ? "merge" : PATCH_TYPES.get(contentType);
  if (type === undefined) throw unsupportedPatch(contentType);
  const document = documentOf(request, [contentType]);
  const change = { type, patch: strategic ? withoutDirectives(document) : document };
  const call = writeCall(target, isDryRun(request.query));
  return written(context, target, await patchObject(context, call, name, change), 200);
}

function withoutDirectives(value: JsonValue): JsonValue {
  if (!isJsonObject(value)) return value;
  const kept = Object.entries(value).filter(([key]) => !key.startsWith("$"));
  return Object.fromEntries(kept.map(([key, item]) => [key, withoutDirectives(item)]));
}

function preconditionsIn(options: JsonObject): {
  readonly uid?: string;
  readonly resourceVersion?: string;
} {
  const given = options["preconditions"];
  if (!isJsonObject(given)) return {};
  const { uid, resourceVersion } = given;
  return {
    ...(typeof uid === "string" && uid !== "" ? { uid } : {}),
    ...(typeof resourceVersion === "string" && resourceVersion !== "" ? { resourceVersion } : {}),
  };
}

async function remove(context: ApiContext, target: Target): Promise<Answer> {
  const { request, info, namespace, name } = target;
  const options = deleteOptionsOf(request);
  const call = writeCall(target, isDryRun(request.query, options));
  await settle(context, { kind: "linearizable" });
  readObject(context, info, { namespace, name });
  const { uid } = await deleteObject(context, call, name, preconditionsIn(options));
  return { status: 200, body: deletedStatus(info, name, uid) };
}

async function removeAll(context: ApiContext, target: Target): Promise<Answer> {
  const { request, info, namespace } = target;
  const { query } = request;
  const options = deleteOptionsOf(request);
  const call = writeCall(target, isDryRun(query, options));
  const selection = parseSelection(
    info,
    query.get("labelSelector") ?? "",
    query.get("fieldSelector") ?? "",
  );
  const page = await listObjects(context, {
    info,
    namespace,
    selection,
    freshness: { kind: "linearizable" },
    limit: 0,
    continueToken: "",
  });
  for (const row of page.rows) {
    const [, inside = "", name = ""] = row.key.split("/");
    await deleteObject(context, { ...call, namespace: inside }, name, {});
  }
  return { status: 200, body: deletedStatus(info, "", "") };
}
