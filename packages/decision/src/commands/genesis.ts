// `genesis`: the first command of a cluster. It names the cluster and creates namespaces and the
// objects that the operator's first steps need, for example a default Policy.

import type { JsonValue } from "@kingly/base";
import { GENESIS_OBJECTS_MAX } from "../limits.ts";
import { bodyOf } from "../core/body.ts";
import { Fields, invalid } from "../core/fields.ts";
import { objectKey } from "../core/keys.ts";
import { replyOf } from "../core/reply.ts";
import type { Reply } from "../core/reply.ts";
import type { Transaction } from "../core/transaction.ts";
import { requireNamespace } from "../model/selection.ts";
import { validated } from "./write-request.ts";

/** Every cluster has it; Events about nodes live there. */
const DEFAULT_NAMESPACE = "default";

/** Runs a `genesis`. */
export function genesis(tx: Transaction): Reply {
  const body = bodyOf(tx);
  const clusterId = body.name("clusterId");
  const given = body.sortedTexts("namespaces", GENESIS_OBJECTS_MAX);
  const objects = body.any("objects") ?? [];
  body.end();
  if (!Array.isArray(objects) || objects.length > GENESIS_OBJECTS_MAX) {
    return invalid("objects", `a list of at most ${GENESIS_OBJECTS_MAX}`, objects);
  }
  tx.setClusterId(clusterId);
  const namespaces = [...new Set([DEFAULT_NAMESPACE, ...given])].sort();
  for (const name of namespaces) {
    new Fields({ name }, "namespaces").name("name");
    tx.create("Namespace", { namespace: "", name }, { spec: {}, status: { phase: "Active" } });
  }
  for (const [i, value] of objects.entries()) createObject(tx, `objects[${i}]`, value as JsonValue);
  return replyOf({ clusterId });
}

function createObject(tx: Transaction, path: string, value: JsonValue): void {
  const fields = new Fields(value, path);
  const kind = fields.oneOf("kind", ["Policy", "Objective", "ConfigSchema"]);
  const namespace = fields.has("namespace") ? fields.name("namespace") : DEFAULT_NAMESPACE;
  const name = fields.name("name");
  const spec = fields.object("spec");
  fields.end();
  requireNamespace(tx, namespace);
  const key = objectKey(kind, namespace, name);
  if (tx.get(key) !== undefined) invalid(`${path}.name`, "named once", name);
  const request = { kind, namespace, name, key, object: { spec }, uid: "", resourceVersion: "" };
  const checked = validated(request, false).object["spec"];
  tx.create(kind, { namespace, name }, { spec: checked, status: {} } as never);
}
