// Schemas of Rollout, Node, NodeConfig, Namespace and Event.

import { NODES_MAX, NODE_NAME_CHARS_MAX, SIGNALS_MAX, STAGES_MAX } from "../limits.ts";
import { anyObject, integer, list, map, number, oneOf, struct, text } from "../schema/types.ts";
import type { ArraySchema, ObjectSchema, StringSchema } from "../schema/types.ts";
import { conditions, message, reference, timeMs, uid } from "./meta.ts";

/** Characters of base64 of a 32-byte Ed25519 public key. */
const PUBLIC_KEY_CHARS = 44;

/** The name of a node. */
export function nodeName(description: string): StringSchema {
  return text(description, {
    minLength: 1,
    maxLength: NODE_NAME_CHARS_MAX,
    format: "dns1123-subdomain",
  });
}

function nodeNames(description: string): ArraySchema {
  const options = { maxItems: NODES_MAX, listType: "set" } as const;
  return list(description, nodeName("Name of the node."), options);
}

export const rolloutSpec: ObjectSchema = struct("Which version goes where.", {
  config: reference("Name of the Config."),
  configUid: uid("Uid of the Config."),
  version: integer("Version that is rolled out.", { minimum: 1 }),
  fromVersion: integer("Version it replaces; 0 = none."),
  proposal: text("Name of the Proposal; empty when there is none."),
});

export const rolloutStatus: ObjectSchema = struct("How far it is.", {
  phase: oneOf("Where it stands.", [
    "Progressing",
    "Paused",
    "Completed",
    "RolledBack",
    "Superseded",
  ]),
  reason: text("Why, in CamelCase."),
  message: message("Why, as a sentence."),
  stage: integer("Index of the stage in progress, from 0.", { maximum: NODES_MAX }),
  stages: list(
    "Stages and their nodes.",
    struct("One stage.", {
      nodes: nodeNames("Nodes that begin in this stage."),
      startedAtMs: timeMs("When it began; 0 = not yet."),
      endedAtMs: timeMs("When it ended; 0 = not yet."),
    }),
    // One stage more for nodes that return after the last.
    { maxItems: STAGES_MAX + 1 },
  ),
  excluded: nodeNames("Nodes that are never assigned the version."),
  received: nodeNames("Nodes that have the version."),
  applied: nodeNames("Nodes that run it."),
  confirmed: nodeNames("Nodes whose guard confirmed it."),
  vetoed: nodeNames("Nodes that reverted it on evidence."),
  failed: nodeNames("Nodes that could not apply it."),
  vetoBudget: integer("Vetoes that stop the present stage."),
  conditions: conditions(),
});

function group(description: string, fallback: string): StringSchema {
  return text(description, { maxLength: 63, format: "label-value", default: fallback });
}

export const nodeSpec: ObjectSchema = struct("Who the node is.", {
  publicKey: text("Base64 of the node's 32-byte Ed25519 public key; never changes.", {
    minLength: PUBLIC_KEY_CHARS,
    maxLength: PUBLIC_KEY_CHARS,
    format: "base64",
  }),
  class: { ...group("Nodes of one class are expected to respond alike.", "default"), minLength: 1 },
  ownerGroup: { ...group("Who owns the node.", "default"), minLength: 1 },
  pool: { ...group("Which namespaces may configure it.", "default"), minLength: 1 },
  interferenceGroup: group("Nodes that share hardware and switch as one; empty = alone.", ""),
});

function logicalNames(description: string): ArraySchema {
  const item = text("Logical name.", { minLength: 1, maxLength: 253, format: "logical-name" });
  return list(description, item, { maxItems: SIGNALS_MAX, listType: "set" });
}

/** Noise of signals, per name. */
export function calibrationMap(description: string): ObjectSchema {
  const entry = struct("Noise of one signal.", {
    standardDeviation: number("Standard deviation of log ratios without any change.", {
      minimum: 0,
      maximum: 100,
    }),
    pairs: integer("Pairs it was measured over.", { maximum: 1_000_000_000 }),
  });
  return map(description, entry, { maxProperties: SIGNALS_MAX, keyFormat: "logical-name" });
}

export const nodeStatus: ObjectSchema = struct("What the node reported.", {
  targets: logicalNames("Targets the node has bound."),
  signals: logicalNames("Signals the node has bound."),
  agentVersion: text("Version of its agent.", { maxLength: 64 }),
  calibration: calibrationMap("Noise per signal, from signed runs without any change."),
  conditions: conditions(),
});

export const nodeConfigSpec: ObjectSchema = struct("Which Config on which node.", {
  node: nodeName("Name of the node."),
  namespace: text("Namespace of the Config.", { maxLength: 63, format: "dns1123-label" }),
  config: reference("Name of the Config."),
  target: text("Logical target."),
});

export const nodeConfigStatus: ObjectSchema = struct("What the node runs.", {
  assigned: integer("Version it should run."),
  active: integer("Version it runs."),
  lastKnownGood: integer("Version it would return to."),
  state: oneOf("How far the assigned version is.", [
    "pending",
    "received",
    "applied",
    "confirmed",
    "vetoed",
    "failed",
  ]),
  error: message("Why it is not further; empty when nothing is wrong."),
});

/** Pools that one namespace may name. */
const POOLS_MAX = 256;

export const namespaceSpec: ObjectSchema = {
  ...anyObject("Which nodes the namespace may configure; other fields are kept as written.", {
    default: {},
  }),
  properties: {
    pools: list(
      "Pools whose nodes the namespace's Configs may select; absent = all.",
      text("Name of a pool.", { minLength: 1, maxLength: 63, format: "label-value" }),
      { maxItems: POOLS_MAX, listType: "set" },
    ),
  },
};

export const namespaceStatus: ObjectSchema = struct("State of the namespace.", {
  phase: oneOf("Whether it is in use.", ["Active", "Terminating"], { default: "Active" }),
});

/** Fields of an Event, as stored under `spec` and as served at the top level. */
export const eventSpec: ObjectSchema = struct("Something that happened to an object.", {
  involvedObject: struct(
    "The object it happened to.",
    {
      apiVersion: text("Group and version of the object."),
      kind: text("Kind of the object.", { minLength: 1, maxLength: 63 }),
      namespace: text("Namespace of the object.", { maxLength: 63 }),
      name: text("Name of the object.", { minLength: 1, maxLength: 253 }),
      uid: text("Uid of the object.", { maxLength: 128 }),
    },
    { optional: ["namespace"] },
  ),
  type: oneOf("Whether someone should look.", ["Normal", "Warning"]),
  reason: text("What, in CamelCase.", { minLength: 1, maxLength: 128 }),
  message: message("What, as a sentence."),
  count: integer("How often it happened.", { minimum: 1, default: 1 }),
});
