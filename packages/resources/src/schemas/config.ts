// Schemas of Config, ConfigVersion and ConfigSchema.

import {
  DURATION_SECONDS_MAX,
  KEYS_MAX,
  KEY_RULES_MAX,
  NAME_CHARS_MAX,
  NODES_MAX,
  OBJECTIVES_MAX,
} from "../limits.ts";
import {
  anyObject,
  flag,
  integer,
  list,
  map,
  number,
  oneOf,
  struct,
  text,
} from "../schema/types.ts";
import type { ArraySchema, ObjectSchema, StringSchema } from "../schema/types.ts";
import { conditions, labels, reference, uid } from "./meta.ts";

/** Name of a top-level key of a content. */
export function keyName(description: string): StringSchema {
  return text(description, { minLength: 1, maxLength: NAME_CHARS_MAX });
}

/** Names of top-level keys. */
export function keyNames(description: string): ArraySchema {
  return list(description, keyName("Name of the key."), { maxItems: KEYS_MAX, listType: "set" });
}

export const configSpec: ObjectSchema = struct("What is wanted.", {
  data: anyObject("The content: any JSON object that the ConfigSchema accepts."),
  target: text("Logical target that nodes bind themselves, for example inference/main.", {
    minLength: 1,
    maxLength: NAME_CHARS_MAX,
    format: "logical-name",
  }),
  schemaRef: reference("Name of a ConfigSchema in the same namespace."),
  selector: struct(
    "Which nodes are configured; without pairs all of the namespace's nodes.",
    { matchLabels: { ...labels("Pairs that a node must all carry."), default: {} } },
    { default: {} },
  ),
  policyRef: { ...reference("Name of a Policy in the same namespace."), default: "default" },
  objectiveRefs: list(
    "Names of Objectives in the same namespace; exactly one of them is primary.",
    reference("Name of an Objective."),
    { minItems: 1, maxItems: OBJECTIVES_MAX, listType: "set" },
  ),
  requiresConnectivity: flag(
    "Whether a node reverts at the confirm deadline when it reaches no server.",
    false,
  ),
});

function nodeCount(description: string): ReturnType<typeof integer> {
  return integer(description, { maximum: NODES_MAX });
}

export const configStatus: ObjectSchema = struct(
  "What the fleet decided.",
  {
    version: integer("Newest committed version; 0 = none yet."),
    contentHash: text("Hash of that version's content; empty before the first.", {
      format: "sha256-or-empty",
    }),
    proposal: text("Proposal in flight, or opened by the last write of spec.data."),
    rollout: text("Rollout in progress."),
    conditions: conditions(),
    observedGeneration: integer("metadata.generation that was observed."),
    adoption: struct("How far the version is adopted; computed when read.", {
      assigned: nodeCount("Nodes that should run it."),
      applied: nodeCount("Nodes that run it."),
      confirmed: nodeCount("Nodes whose guard confirmed it."),
      vetoed: nodeCount("Nodes that reverted it on evidence."),
      failed: nodeCount("Nodes that could not apply it."),
    }),
  },
  { optional: ["proposal", "rollout", "adoption"] },
);

export const configVersionSpec: ObjectSchema = struct(
  "One immutable committed content.",
  {
    config: reference("Name of the Config."),
    configUid: uid("Uid of the Config."),
    version: integer("Number of the version, from 1.", { minimum: 1 }),
    contentHash: text("Hash of the content.", { format: "sha256" }),
    parent: integer("Version it follows; 0 for the first."),
    changedKeys: keyNames("Top-level keys that differ from the parent."),
    proposal: text("Name of the Proposal; empty for versions made without one."),
    verdict: oneOf("How it was decided.", ["Accepted", "Direct", "Revert"]),
    revertOf: integer("Version whose content it brings back; 0 = none."),
    commitIndex: integer("Index of the log entry that committed it."),
    data: anyObject("The content, present when read through the API."),
  },
  { optional: ["data"] },
);

const keyRule: ObjectSchema = struct(
  "What is known of one top-level key.",
  {
    type: oneOf("JSON type of the value.", [
      "integer",
      "number",
      "string",
      "boolean",
      "object",
      "array",
    ]),
    tunable: flag("Whether agents may tune it; needs minimum, maximum and step.", false),
    minimum: number("Least value an agent tries."),
    maximum: number("Greatest value an agent tries."),
    step: number("Largest change in one experiment.", { minimum: 0, exclusiveMinimum: true }),
    unit: text("Unit for people, for example ms.", { maxLength: 32 }),
    hot: flag("Whether the target takes the change without a restart.", true),
    settleSeconds: number("Seconds after a switch before measurements count.", {
      minimum: 0,
      maximum: DURATION_SECONDS_MAX,
      default: 0,
    }),
    secret: flag("Whether only {secretRef} values are accepted.", false),
  },
  { optional: ["minimum", "maximum", "step", "unit"] },
);

export const configSchemaSpec: ObjectSchema = struct("Rules of a content.", {
  schema: anyObject("JSON Schema 2020-12 of Config.spec.data, at most 256 KiB."),
  keys: map("Rules per top-level key.", keyRule, { maxProperties: KEY_RULES_MAX, default: {} }),
});
