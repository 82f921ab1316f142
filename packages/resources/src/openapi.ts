// OpenAPI v3 documents of kinds, with the extensions that kubectl explain and apply look for, and
// the served form of Events, which keep their fields at the top level (core/v1).

import { isJsonObject } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import { kindInfo } from "./kind-info.ts";
import type { KindInfo } from "./kind-info.ts";
import type { ApiObject } from "./meta.ts";
import type { EventSpec } from "./kinds/fleet.ts";
import { renderOpenApi } from "./schema/openapi.ts";
import { struct, text } from "./schema/types.ts";
import type { ObjectSchema } from "./schema/types.ts";
import { eventSpec } from "./schemas/fleet.ts";

/** Fields of core/v1 that a served Event has beside those of EventSpec. */
const EVENT_TIMES = {
  firstTimestamp: text("When it first happened, RFC 3339.", { format: "rfc3339" }),
  lastTimestamp: text("When it last happened, RFC 3339.", { format: "rfc3339" }),
  source: struct("What reported it.", { component: text("Name of the component.") }),
} as const;

/** The OpenAPI v3 schema of a kind as it is served. Throws UnknownKind. */
export function openApiSchema(kind: string): JsonObject {
  const info = kindInfo(kind);
  const { group, version } = info;
  return {
    ...renderOpenApi(servedSchema(info)),
    "x-kubernetes-group-version-kind": [{ group, version, kind: info.kind }],
  };
}

/** The schema of what clients see; differs from the stored one for Events only. */
export function servedSchema(info: KindInfo): ObjectSchema {
  if (info.kind !== "Event") return info.schema;
  const { apiVersion, kind, metadata } = info.schema.properties ?? {};
  if (apiVersion === undefined || kind === undefined || metadata === undefined) return info.schema;
  const fields = { apiVersion, kind, metadata, ...eventSpec.properties, ...EVENT_TIMES };
  return struct(info.schema.description, fields, { optional: Object.keys(EVENT_TIMES) });
}

/** A stored Event as core/v1 serves it: the fields of spec at the top level, with times. */
export function renderEvent(event: ApiObject<EventSpec>): JsonObject {
  const stored = event as unknown as JsonObject;
  const spec = stored["spec"];
  const fields: JsonObject = isJsonObject(spec) ? spec : {};
  const time: JsonValue = event.metadata.creationTimestamp;
  return {
    apiVersion: event.apiVersion,
    kind: event.kind,
    metadata: stored["metadata"] ?? {},
    ...fields,
    firstTimestamp: time,
    lastTimestamp: time,
    source: { component: "kingly" },
  };
}
