// Renders a structural schema as OpenAPI v3 with the vendor extensions that Kubernetes clients
// read: list types for server-side apply, preserved unknown fields for free-form JSON.

import type { JsonObject, JsonValue } from "@kingly/base";
import type { Schema } from "./types.ts";

/** The schema as OpenAPI v3 JSON. */
export function renderOpenApi(schema: Schema): JsonObject {
  const out: Record<string, JsonValue> = { type: schema.type, description: schema.description };
  if (schema.default !== undefined) out["default"] = schema.default;
  if (schema.nullable === true) out["nullable"] = true;
  switch (schema.type) {
    case "string":
      copy(out, schema, ["enum", "minLength", "maxLength", "format"]);
      break;
    case "integer":
      out["format"] = "int64";
      copy(out, schema, ["minimum", "maximum", "exclusiveMinimum"]);
      break;
    case "number":
      out["format"] = "double";
      copy(out, schema, ["minimum", "maximum", "exclusiveMinimum"]);
      break;
    case "boolean":
      break;
    case "array":
      copy(out, schema, ["minItems", "maxItems"]);
      out["items"] = renderOpenApi(schema.items);
      out["x-kubernetes-list-type"] = schema.listType ?? "atomic";
      if (schema.listMapKeys !== undefined) {
        out["x-kubernetes-list-map-keys"] = [...schema.listMapKeys];
      }
      break;
    case "object":
      copy(out, schema, ["maxProperties"]);
      if (schema.properties !== undefined) out["properties"] = renderAll(schema.properties);
      if (schema.required !== undefined && schema.required.length > 0) {
        out["required"] = [...schema.required];
      }
      if (schema.additionalProperties !== undefined) {
        out["additionalProperties"] = renderOpenApi(schema.additionalProperties);
      }
      if (schema.preserveUnknown === true) out["x-kubernetes-preserve-unknown-fields"] = true;
      break;
  }
  return out;
}

function renderAll(properties: Readonly<Record<string, Schema>>): JsonObject {
  const out: Record<string, JsonValue> = {};
  for (const [name, schema] of Object.entries(properties)) out[name] = renderOpenApi(schema);
  return out;
}

/** Copies the named fields that are present; their values are JSON in every schema type. */
function copy(out: Record<string, JsonValue>, schema: Schema, names: readonly string[]): void {
  const fields = schema as unknown as Readonly<Record<string, JsonValue | undefined>>;
  for (const name of names) {
    const value = fields[name];
    if (value !== undefined) out[name] = value;
  }
}
