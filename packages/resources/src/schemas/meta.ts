// Schema pieces that all kinds share: metadata, conditions, the object around spec and status.

import {
  CONDITIONS_MAX,
  LABELS_MAX,
  ANNOTATIONS_BYTES_MAX,
  MESSAGE_CHARS_MAX,
  NAME_CHARS_MAX,
  TIME_MS_MAX,
} from "../limits.ts";
import type { FormatName } from "../schema/formats.ts";
import { anyObject, integer, list, map, oneOf, struct, text } from "../schema/types.ts";
import type { ArraySchema, NumberSchema, ObjectSchema, StringSchema } from "../schema/types.ts";

/** How a kind is named. */
export interface Naming {
  readonly format: FormatName;
  readonly charsMax: number;
  readonly namespaced: boolean;
}

/** The name of another object in the same namespace. */
export function reference(description: string): StringSchema {
  return text(description, {
    minLength: 1,
    maxLength: NAME_CHARS_MAX,
    format: "dns1123-subdomain",
  });
}

/** A UUID or another unique id. */
export function uid(description: string): StringSchema {
  return text(description, { minLength: 1, maxLength: 128, format: "printable-ascii" });
}

/** A moment in milliseconds since 1970. */
export function timeMs(description: string): NumberSchema {
  return integer(description, { maximum: TIME_MS_MAX });
}

/** A sentence for people. */
export function message(description: string): StringSchema {
  return text(description, { maxLength: MESSAGE_CHARS_MAX });
}

/** Labels, or the pairs of a selector. */
export function labels(description: string): ObjectSchema {
  return map(description, text("Value of the label.", { maxLength: 63, format: "label-value" }), {
    keyFormat: "qualified-name",
    maxProperties: LABELS_MAX,
  });
}

/** The conditions of a status. */
export function conditions(): ArraySchema {
  return list(
    "Observed aspects of the object, one per type.",
    struct(
      "One observed aspect.",
      {
        type: text("What is observed, in CamelCase.", { minLength: 1, maxLength: 316 }),
        status: oneOf("Whether it holds.", ["True", "False", "Unknown"]),
        reason: text("Why, in CamelCase, for machines."),
        message: message("Why, as a sentence, for people."),
        lastTransitionTime: text("When status last changed, RFC 3339.", { format: "rfc3339" }),
        observedGeneration: integer("metadata.generation that was observed."),
      },
      { optional: ["observedGeneration"] },
    ),
    { maxItems: CONDITIONS_MAX, listType: "map", listMapKeys: ["type"], default: [] },
  );
}

/** A whole object: type, metadata, spec and status. */
export function objectSchema(
  about: { readonly kind: string; readonly apiVersion: string; readonly description: string },
  naming: Naming,
  parts: { readonly spec: ObjectSchema; readonly status?: ObjectSchema },
): ObjectSchema {
  return struct(
    about.description,
    {
      apiVersion: oneOf("Group and version of the kind.", [about.apiVersion]),
      kind: oneOf("The kind.", [about.kind]),
      metadata: metadata(naming),
      spec: parts.spec,
      status: parts.status ?? anyObject("Nothing is reported for this kind."),
    },
    { optional: ["status"] },
  );
}

function metadata(naming: Naming): ObjectSchema {
  const namespace = text("Namespace of the object.", { maxLength: 63, format: "dns1123-label" });
  const own = {
    name: text("Name, unique among objects of the kind and namespace.", {
      minLength: 1,
      maxLength: naming.charsMax,
      format: naming.format,
    }),
    generateName: text("Prefix of a name that the server completes when name is absent.", {
      maxLength: naming.charsMax,
    }),
    labels: labels("Pairs that selectors match."),
    annotations: map(
      "Free text that tools attach.",
      text("Value of the annotation.", { maxLength: ANNOTATIONS_BYTES_MAX }),
      { keyFormat: "qualified-name" },
    ),
    uid: text("Unique in space and time; set by the server.", { maxLength: 128 }),
    resourceVersion: text("Revision of the last change; set by the server.", { maxLength: 20 }),
    generation: integer("Rises with every change of spec; set by the server."),
    creationTimestamp: text("When the object was created, RFC 3339; set by the server.", {
      format: "rfc3339",
      nullable: true,
    }),
    managedFields: list(
      "Who owns which field; kept by the server for server-side apply.",
      anyObject("Fields of one manager."),
      { maxItems: 256 },
    ),
  };
  const optional = Object.keys(own).filter((field) => field !== "name");
  const described = "Identity and bookkeeping of the object.";
  if (!naming.namespaced) return struct(described, own, { optional });
  return struct(described, { ...own, namespace }, { optional });
}
