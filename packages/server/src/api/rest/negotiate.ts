// Which representation a client wants (Accept) and what it sent (Content-Type). kubectl lists several;
// the first that this server can produce is taken.

import { KinglyError } from "@kingly/base";

/** Representations of objects. */
export type Representation = "object" | "table" | "metadata";

interface MediaType {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** Splits a media type from its parameters. */
export function parseMediaType(text: string): MediaType {
  const [type = "", ...rest] = text.split(";").map((part) => part.trim());
  const parameters = new Map<string, string>();
  for (const part of rest) {
    const at = part.indexOf("=");
    if (at < 0) continue;
    parameters.set(
      part.slice(0, at).trim(),
      part
        .slice(at + 1)
        .replaceAll('"', "")
        .trim(),
    );
  }
  return { type: type.toLowerCase(), parameters };
}

function acceptsJson(type: string): boolean {
  return type === "application/json" || type === "*/*" || type === "application/*";
}

/** The representation to answer with. NotAcceptable when none of the listed can be produced. */
export function representationOf(accept: string | undefined): Representation {
  if (accept === undefined || accept === "") return "object";
  for (const entry of accept.split(",").map(parseMediaType)) {
    if (!acceptsJson(entry.type)) continue;
    const as = entry.parameters.get("as");
    if (as === undefined) return "object";
    if (entry.parameters.get("g") !== "meta.k8s.io") continue;
    if (as === "Table" && entry.parameters.get("v") === "v1") return "table";
    const partial = as === "PartialObjectMetadata" || as === "PartialObjectMetadataList";
    if (partial && entry.parameters.get("v") === "v1") return "metadata";
  }
  throw new KinglyError("NotAcceptable", "only JSON, Table and PartialObjectMetadata are served", {
    field: "accept",
    limit: "application/json",
    value: accept.slice(0, 200),
  });
}

/** True when the client asks for aggregated discovery (v2). */
export function wantsAggregatedDiscovery(accept: string | undefined): "v2" | "v2beta1" | undefined {
  for (const { type, parameters } of (accept ?? "").split(",").map(parseMediaType)) {
    if (type !== "application/json") continue;
    const as = parameters.get("as");
    const version = parameters.get("v");
    if (as === undefined) return undefined;
    if (as !== "APIGroupDiscoveryList") continue;
    if (version === "v2" || version === "v2beta1") return version;
  }
  return undefined;
}

/** Media type of protobuf bodies of built-in kinds. */
export const PROTOBUF_TYPE = "application/vnd.kubernetes.protobuf";

/** Media types of patches and how they are read. */
export const PATCH_TYPES: ReadonlyMap<string, "merge" | "json"> = new Map([
  ["application/merge-patch+json", "merge"],
  ["application/json-patch+json", "json"],
]);

/** Refuses a patch type that is not served, and says what is. */
export function unsupportedPatch(type: string): KinglyError {
  const known = [...PATCH_TYPES.keys()].join(", ");
  const what =
    type === "application/apply-patch+yaml"
      ? "server-side apply is not available on this server"
      : `the body of the request was in an unknown format (${type || "none named"})`;
  return new KinglyError("UnsupportedMediaType", `${what} - accepted media types: ${known}`, {
    field: "content-type",
    limit: known,
    value: type.slice(0, 80),
    help: "use kubectl apply without --server-side, or kubectl patch --type=merge",
  });
}
