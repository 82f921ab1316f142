// Decides by path what a request is about: health, discovery, documents, reviews, objects.

import { KinglyError, toKinglyError } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import type { FastifyReply } from "fastify";
import { requireAllowed } from "../core/auth.ts";
import { KINDS } from "@kingly/resources";
import {
  aggregatedDiscovery,
  apiGroup,
  apiGroupList,
  apiResourceList,
  apiVersions,
} from "./discovery.ts";
import { serveExtra } from "./extras.ts";
import { wantsAggregatedDiscovery } from "./negotiate.ts";
import { serveObjects } from "./objects.ts";
import type { Answer, ObjectRoutes } from "./objects.ts";
import { openApiDocuments, openApiIndex } from "./openapi.ts";
import { parseResourcePath } from "./path.ts";
import type { ResourcePath } from "./path.ts";
import { documentOf } from "./request.ts";
import type { RestRequest } from "./request.ts";
import { review } from "./reviews.ts";

function notFound(path: string): KinglyError {
  return new KinglyError("UnknownKind", "the server could not find the requested resource", {
    field: "path",
    value: path.slice(0, 200),
  });
}

function requireGet(request: RestRequest): void {
  if (request.method === "GET" || request.method === "HEAD") return;
  throw new KinglyError("MethodNotAllowed", `${request.path} can only be read`, {
    field: "method",
    limit: "GET",
    value: request.method,
  });
}

function discovery(request: RestRequest, path: string): Answer {
  const core = path === "/api";
  const version = wantsAggregatedDiscovery(request.accept);
  if (version !== undefined) {
    const type = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
    void request.reply.header("content-type", type);
    return { status: 200, body: aggregatedDiscovery(core, version) };
  }
  return { status: 200, body: core ? apiVersions() : apiGroupList() };
}

function openApi(request: RestRequest, path: string): Answer {
  const wanted = path.slice("/openapi/v3/".length);
  const document = openApiDocuments().find((one) => one.path === wanted);
  if (document === undefined) throw notFound(path);
  const { reply, query } = request;
  void reply.header("etag", `"${document.hash}"`);
  if (query.get("hash") === document.hash) {
    void reply.header("cache-control", "public, immutable, max-age=31536000");
  }
  return { status: 200, body: JSON.parse(document.text) as JsonObject };
}

/** kubectl insists on a version that looks like Kubernetes; ours follows the plus sign. */
function versionInfo(version: string): JsonObject {
  return {
    major: "1",
    minor: "32",
    gitVersion: `v1.32.0+kingly.${version}`,
    gitCommit: "",
    gitTreeState: "clean",
    buildDate: "1970-01-01T00:00:00Z",
    goVersion: "none",
    compiler: "node",
    platform: `${process.platform}/${process.arch}`,
    kingly: version,
  };
}

async function fixedPath(routes: ObjectRoutes, request: RestRequest): Promise<Answer | "no"> {
  const { context } = routes;
  const path = request.path.length > 1 ? request.path.replace(/\/$/, "") : request.path;
  switch (path) {
    case "/api":
    case "/apis":
      requireGet(request);
      return discovery(request, path);
    case "/openapi/v3":
      requireGet(request);
      return { status: 200, body: openApiIndex() };
    case "/version":
      requireGet(request);
      return { status: 200, body: versionInfo(context.version) };
    case "/cluster/status": {
      requireGet(request);
      requireAllowed(request.principal, "get", "nodes");
      return { status: 200, body: context.replica.status() as unknown as JsonObject };
    }
    case "/metrics": {
      requireGet(request);
      requireAllowed(request.principal, "get", "nodes");
      const { registry } = context.metrics;
      await request.reply.type(registry.contentType).send(await registry.metrics());
      return undefined;
    }
    default:
      if (path.startsWith("/openapi/v3/")) {
        requireGet(request);
        return openApi(request, path);
      }
      return "no";
  }
}

function groupPath(request: RestRequest, path: string): Answer | "no" {
  const parts = path.split("/").filter((part) => part !== "");
  if (parts[0] !== "apis" || parts.length !== 2) return "no";
  requireGet(request);
  const group = apiGroup(parts[1] ?? "");
  if (group === undefined) throw notFound(path);
  return { status: 200, body: group };
}

async function resourcePath(
  routes: ObjectRoutes,
  request: RestRequest,
  path: ResourcePath,
): Promise<Answer> {
  if (path.plural === undefined) {
    requireGet(request);
    const list = apiResourceList(path.group, path.version);
    if (list === undefined) throw notFound(request.path);
    return { status: 200, body: list };
  }
  if (request.method === "POST" && path.name === undefined) {
    const answer = review(path, request.principal, (): JsonValue => documentOf(request));
    if (answer !== undefined) return { status: 201, body: answer };
  }
  const extra = await serveExtra(routes.context, request, path);
  return extra === "no" ? serveObjects(routes, request, path) : extra;
}

/** Answers one authenticated request. */
export async function route(routes: ObjectRoutes, request: RestRequest): Promise<Answer> {
  const fixed = await fixedPath(routes, request);
  if (fixed !== "no") return fixed;
  const group = groupPath(request, request.path);
  if (group !== "no") return group;
  const path = parseResourcePath(request.path);
  if (path === undefined) throw notFound(request.path);
  return resourcePath(routes, request, path);
}

/** What a failed request was about, for its Status. */
export function subjectOf(path: string): {
  readonly info?: (typeof KINDS)[number] | undefined;
  readonly name?: string | undefined;
} {
  try {
    const parsed = parseResourcePath(path);
    const info = KINDS.find(
      (kind) => kind.plural === parsed?.plural && kind.group === parsed.group,
    );
    return { info, name: parsed?.name };
  } catch (error) {
    // The path itself was the problem: there is no subject.
    toKinglyError(error);
    return {};
  }
}

/** Sends an answer. */
export async function send(reply: FastifyReply, answer: Answer): Promise<void> {
  if (answer === undefined) return;
  if (!reply.hasHeader("content-type")) void reply.type("application/json");
  void reply.code(answer.status);
  await reply.send("stream" in answer ? answer.stream : JSON.stringify(answer.body));
}
