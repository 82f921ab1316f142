// One REST request as handlers see it: who asks, the parsed query, the body when it is wanted.

import { KinglyError, isJsonObject, parseStrictJson } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import type { FastifyReply, FastifyRequest } from "fastify";
import { DOCUMENT_BYTES_MAX, WARNINGS_MAX, WARNING_CHARS_MAX } from "../limits.ts";
import type { Principal } from "../core/auth.ts";
import type { FieldValidation } from "../core/writer.ts";
import { parseMediaType, PROTOBUF_TYPE } from "./negotiate.ts";
import { decodeProtobuf } from "./protobuf.ts";

/** A request that passed authentication. */
export interface RestRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly accept: string | undefined;
  /** Media type without parameters, "" when absent. */
  readonly contentType: string;
  readonly body: Buffer;
  readonly principal: Principal;
  readonly userAgent: string;
  readonly raw: FastifyRequest;
  readonly reply: FastifyReply;
}

/** Collects what handlers need. */
export function restRequest(
  request: FastifyRequest,
  reply: FastifyReply,
  principal: Principal,
): RestRequest {
  const at = request.url.indexOf("?");
  const header = (name: string): string | undefined => {
    const value = request.headers[name];
    return Array.isArray(value) ? value.join(",") : value;
  };
  return {
    method: request.method,
    path: at < 0 ? request.url : request.url.slice(0, at),
    query: new URLSearchParams(at < 0 ? "" : request.url.slice(at + 1)),
    accept: header("accept"),
    contentType: parseMediaType(header("content-type") ?? "").type,
    body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
    principal,
    userAgent: header("user-agent") ?? "",
    raw: request,
    reply,
  };
}

const subjects = new WeakMap<FastifyRequest, string>();

/** Remembers the name that a document says, for the Status of a refused creation. */
export function nameSubject(request: RestRequest, document: JsonValue): void {
  const metadata = isJsonObject(document) ? document["metadata"] : undefined;
  const name = isJsonObject(metadata) ? (metadata["name"] ?? metadata["generateName"]) : undefined;
  if (typeof name === "string") subjects.set(request.raw, name.slice(0, 253));
}

/** The name that `nameSubject` remembered; undefined when the document said none. */
export function subjectName(request: FastifyRequest): string | undefined {
  return subjects.get(request);
}

/** A boolean query parameter; present without value counts as true. */
export function flag(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  if (value === null || value === "false" || value === "0") return false;
  if (value === "" || value === "true" || value === "1") return true;
  throw new KinglyError("Usage", `${name}: must be true or false; got "${value.slice(0, 40)}"`, {
    field: name,
    limit: "true or false",
    value: value.slice(0, 40),
  });
}

/** A whole number in the query; undefined when absent. */
export function wholeNumber(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name);
  if (value === null || value === "") return undefined;
  const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
  if (Number.isSafeInteger(number)) return number;
  throw new KinglyError("Usage", `${name}: must be a whole number; got "${value.slice(0, 40)}"`, {
    field: name,
    limit: "a whole number below 10^9",
    value: value.slice(0, 40),
  });
}

/** True for `dryRun=All`, in the query or in delete options. Any other value is refused. */
export function isDryRun(query: URLSearchParams, options: JsonObject = {}): boolean {
  const inBody = options["dryRun"];
  const values: readonly unknown[] = [
    ...query.getAll("dryRun"),
    ...(Array.isArray(inBody) ? inBody : inBody === undefined ? [] : [inBody]),
  ].filter((value) => value !== "");
  for (const value of values) {
    if (value === "All") continue;
    throw new KinglyError("Usage", `dryRun: must be "All"; got ${JSON.stringify(value)}`, {
      field: "dryRun",
      limit: "All",
    });
  }
  return values.length > 0;
}

/** What to do with unknown fields; Warn when nothing is said. */
export function fieldValidationOf(query: URLSearchParams): FieldValidation {
  const value = query.get("fieldValidation") ?? "";
  if (value === "") return "Warn";
  if (value === "Strict" || value === "Warn" || value === "Ignore") return value;
  throw new KinglyError("Usage", `fieldValidation: must be Strict, Warn or Ignore; got ${value}`, {
    field: "fieldValidation",
    limit: "Strict, Warn, Ignore",
    value: value.slice(0, 40),
  });
}

/** The JSON document in the body; protobuf of built-in kinds is decoded. Strict. */
export function documentOf(request: RestRequest, extraTypes: readonly string[] = []): JsonValue {
  const { body, contentType } = request;
  if (contentType === PROTOBUF_TYPE) return decodeProtobuf(body);
  if (!["", "application/json", ...extraTypes].includes(contentType)) {
    const known = ["application/json", ...extraTypes].join(", ");
    throw new KinglyError("UnsupportedMediaType", `this endpoint reads ${known}`, {
      field: "content-type",
      limit: known,
      value: contentType.slice(0, 80),
      help: "send JSON",
    });
  }
  if (body.length === 0) {
    throw new KinglyError("MalformedJson", "body: a JSON document is needed", { field: "body" });
  }
  return parseStrictJson(body, { bytesMax: DOCUMENT_BYTES_MAX });
}

/** DeleteOptions of the body; empty when there is none. */
export function deleteOptionsOf(request: RestRequest): JsonObject {
  if (request.body.length === 0) return {};
  const value = documentOf(request);
  if (isJsonObject(value)) return value;
  throw new KinglyError("Usage", "body: delete options must be an object", { field: "body" });
}

/** Sends warnings as headers (RFC 7234 section 5.5, code 299), shortened. */
export function warn(reply: FastifyReply, warnings: readonly string[]): void {
  if (warnings.length === 0) return;
  const values = warnings.slice(0, WARNINGS_MAX).map((warning) => {
    const text = warning.slice(0, WARNING_CHARS_MAX).replaceAll(/[^\x20-\x7e]/g, "?");
    return `299 - "${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
  });
  void reply.header("warning", values);
}
