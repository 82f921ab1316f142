// ConfigService: the same reads, watches and writes as the REST API, for libraries in any language.

import { KinglyError, isJsonObject, parseStrictJson } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import { safeUint } from "@kingly/protocol";
import type {
  ConfigServiceHandlers,
  GetRequest,
  GetResponseInput,
  ListRequest,
  ListResponseInput,
  ProposeRequest,
  ProposeResponseInput,
  WriteRequest,
  WriteResponseInput,
} from "@kingly/protocol";
import { findKind, kindInfo } from "@kingly/resources";
import type { KindInfo } from "@kingly/resources";
import { requireAllowed } from "../core/auth.ts";
import type { Principal } from "../core/auth.ts";
import type { ApiContext } from "../core/context.ts";
import { listObjects, readObject, settle, shortenPage } from "../core/reader.ts";
import { parseSelection } from "../core/selectors.ts";
import { serve } from "../core/serve.ts";
import { createObject, deleteObject, replaceObject } from "../core/writer.ts";
import type { WriteCall } from "../core/writer.ts";
import {
  DOCUMENT_BYTES_MAX,
  LIST_LIMIT_DEFAULT,
  LIST_LIMIT_MAX,
  LIST_PAGE_BYTES_MAX,
} from "../limits.ts";
import { principalOf, remainingMs, unary } from "./calls.ts";
import type { AnyCall } from "./calls.ts";
import { getProposal, watchProposal } from "./proposal-state.ts";
import type { StreamSet } from "./streams.ts";
import { watchObjects } from "./watch-call.ts";

/** The kind that a request names. UnknownKind. */
export function requireKind(kind: string): KindInfo {
  const info = findKind(kind);
  if (info !== undefined) return info;
  throw new KinglyError("UnknownKind", `there is no kind "${kind.slice(0, 80)}"`, {
    field: "kind",
    value: kind.slice(0, 80),
  });
}

function encode(value: JsonValue): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function requireScope(info: KindInfo, namespace: string): void {
  if (info.namespaced || namespace === "") return;
  throw new KinglyError("InvalidField", `namespace: ${info.kind} has no namespace`, {
    field: "namespace",
    value: namespace.slice(0, 80),
  });
}

async function get(
  context: ApiContext,
  principal: Principal,
  request: GetRequest,
): Promise<GetResponseInput> {
  const info = requireKind(request.kind);
  requireAllowed(principal, "get", info.plural);
  const { namespace, name, stale } = request;
  const revision = await settle(context, { kind: stale ? "any" : "linearizable" });
  const value = readObject(context, info, { namespace, name });
  const document = encode(serve(context.replica, info.kind, value));
  return { document, revision, ageMs: stale ? Math.round(context.replica.stalenessMs()) : 0 };
}

async function list(
  context: ApiContext,
  principal: Principal,
  request: ListRequest,
): Promise<ListResponseInput> {
  const info = requireKind(request.kind);
  requireAllowed(principal, "list", info.plural);
  requireScope(info, request.namespace);
  const query = {
    info,
    namespace: request.namespace,
    selection: parseSelection(info, "", ""),
    freshness: { kind: request.stale ? "any" : "linearizable" },
    limit: Math.min(request.limit === 0 ? LIST_LIMIT_DEFAULT : request.limit, LIST_LIMIT_MAX),
    continueToken: request.continueToken,
  } as const;
  let page = await listObjects(context, query);
  const documents: Buffer[] = [];
  let bytes = 0;
  for (const row of page.rows) {
    const document = encode(serve(context.replica, info.kind, row.value));
    bytes += document.length;
    if (bytes > LIST_PAGE_BYTES_MAX && documents.length > 0) {
      page = shortenPage(page, documents.length, { context, query });
      break;
    }
    documents.push(document);
  }
  return { documents, revision: page.revision, continueToken: page.continueToken };
}

function documentIn(bytes: Uint8Array, field: string): JsonValue {
  if (bytes.length > 0) return parseStrictJson(bytes, { bytesMax: DOCUMENT_BYTES_MAX });
  throw new KinglyError("Usage", `${field}: a JSON document is needed`, { field });
}

function writeCall(
  context: ApiContext,
  call: AnyCall,
  about: { readonly info: KindInfo; readonly principal: Principal; readonly namespace: string },
  idempotencyKey: string,
): WriteCall {
  const { info, principal, namespace } = about;
  return {
    info,
    principal,
    namespace,
    dryRun: false,
    fieldValidation: "Strict",
    deadlineMs: remainingMs(context, call),
    idempotencyKey: idempotencyKey === "" ? undefined : idempotencyKey,
  };
}

const VERBS = {
  OPERATION_CREATE: "create",
  OPERATION_REPLACE: "update",
  OPERATION_DELETE: "delete",
} as const;

async function write(
  context: ApiContext,
  call: AnyCall,
  request: WriteRequest,
): Promise<WriteResponseInput> {
  const principal = principalOf(context, call);
  const { operation, namespace, name, idempotencyKey } = request;
  if (operation === "OPERATION_UNSPECIFIED" || !Object.hasOwn(VERBS, operation)) {
    throw new KinglyError("Usage", "operation: must be CREATE, REPLACE or DELETE", {
      field: "operation",
      limit: Object.keys(VERBS).join(", "),
      value: String(operation),
    });
  }
  const info = requireKind(request.kind);
  const verb = VERBS[operation];
  requireAllowed(principal, verb, info.plural);
  if (!info.verbs.includes(verb)) {
    throw new KinglyError("MethodNotAllowed", `${info.plural} do not offer ${verb}`, {
      field: "operation",
      limit: info.verbs.join(", "),
      value: verb,
    });
  }
  requireScope(info, namespace);
  const prepared = writeCall(context, call, { info, principal, namespace }, idempotencyKey);
  if (verb === "delete") {
    const { result } = await deleteObject(context, prepared, name, {});
    return { document: Buffer.alloc(0), revision: result.revision, warnings: [] };
  }
  const document = documentIn(request.document, "document");
  const written =
    verb === "create"
      ? await createObject(context, prepared, named(document, name))
      : await replaceObject(context, prepared, name, document);
  return {
    document: encode(written.object),
    revision: written.revision,
    warnings: [...written.warnings],
  };
}

/** The request's name counts when the document has none, and must agree when it has one. */
function named(document: JsonValue, name: string): JsonValue {
  if (name === "" || !isJsonObject(document)) return document;
  const metadata = isJsonObject(document["metadata"]) ? document["metadata"] : {};
  const given = metadata["name"];
  if (given !== undefined && given !== name) {
    throw new KinglyError("Usage", "metadata.name: differs from the request's name", {
      field: "metadata.name",
      limit: name,
    });
  }
  return { ...document, metadata: { ...metadata, name } };
}

async function propose(
  context: ApiContext,
  call: AnyCall,
  request: ProposeRequest,
): Promise<ProposeResponseInput> {
  const principal = principalOf(context, call);
  const info = kindInfo("Proposal");
  requireAllowed(principal, "create", info.plural);
  const { namespace, config, reason, idempotencyKey } = request;
  const baseVersion = safeUint(request.baseVersion, "baseVersion");
  const change: JsonObject =
    request.change === "patch"
      ? { patch: documentIn(request.patch ?? new Uint8Array(0), "patch") }
      : { data: documentIn(request.data ?? new Uint8Array(0), "data") };
  const source = request.source.length === 0 ? undefined : documentIn(request.source, "source");
  const prepared = writeCall(context, call, { info, principal, namespace }, idempotencyKey);
  const document: JsonObject = {
    metadata: { generateName: `${config}-` },
    spec: {
      config,
      ...change,
      reason,
      ...(source === undefined ? {} : { source }),
      ...(baseVersion === 0 ? {} : { baseVersion }),
      ...(idempotencyKey === "" ? {} : { idempotencyKey }),
    },
  };
  const written = await createObject(context, prepared, document);
  return { document: encode(written.object), revision: written.revision };
}

/** Handlers of ConfigService. */
export function configService(context: ApiContext, streams: StreamSet): ConfigServiceHandlers {
  return {
    Get: unary(context, async (call) => get(context, principalOf(context, call), call.request)),
    List: unary(context, async (call) => list(context, principalOf(context, call), call.request)),
    Watch: (call) => watchObjects(context, streams, call),
    Write: unary(context, async (call) => write(context, call, call.request)),
    Propose: unary(context, async (call) => propose(context, call, call.request)),
    GetProposal: unary(context, async (call) => getProposal(context, call)),
    WatchProposal: (call) => watchProposal(context, streams, call),
  };
}
