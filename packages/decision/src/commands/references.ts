// What a Config refers to must exist, and its objectives must have one primary among them.

import type { Config } from "@kingly/resources";
import { invalid } from "../core/fields.ts";
import { refuse } from "../core/refuse.ts";
import type { Transaction } from "../core/transaction.ts";

/** Refuses a Config whose schema, policy or objectives do not exist, or without one primary. */
export function requireReferences(tx: Transaction, config: Config): void {
  const { namespace = "" } = config.metadata;
  const { spec } = config;
  if (tx.object("ConfigSchema", namespace, spec.schemaRef) === undefined) {
    missing("spec.schemaRef", "ConfigSchema", spec.schemaRef);
  }
  if (tx.object("Policy", namespace, spec.policyRef) === undefined) {
    missing("spec.policyRef", "Policy", spec.policyRef);
  }
  let primaries = 0;
  for (const [i, name] of spec.objectiveRefs.entries()) {
    const objective = tx.object("Objective", namespace, name);
    if (objective === undefined) return missing(`spec.objectiveRefs[${i}]`, "Objective", name);
    if (spec.objectiveRefs.indexOf(name) !== i) {
      invalid(`spec.objectiveRefs[${i}]`, "named once", name);
    }
    if (objective.spec.role === "primary") primaries += 1;
  }
  if (primaries !== 1) {
    refuse("InvalidField", `Config ${config.metadata.name} has ${primaries} primary objectives`, {
      field: "spec.objectiveRefs",
      limit: 1,
      value: primaries,
      help: "exactly one objective has the role primary, the others are guardrails",
    });
  }
}

/** Re-checks every Config of a namespace after an Objective changed. */
export function requireOnePrimary(tx: Transaction, namespace: string): void {
  for (const config of tx.objects("Config", namespace)) requireReferences(tx, config);
}

function missing(field: string, kind: string, name: string): never {
  return refuse("NotFound", `${field}: ${kind} ${name} does not exist in this namespace`, {
    field,
    value: name,
    help: `create the ${kind} first`,
  });
}
