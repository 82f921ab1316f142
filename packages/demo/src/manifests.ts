// Brings the example's objects into the cluster: the same files that an operator would apply.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { KinglyError, type JsonObject } from "@kingly/base";
import type { RestClient } from "@kingly/client";
import type { Policy } from "@kingly/resources";
import { parseAllDocuments } from "yaml";

/** Folder of the example's manifests. */
export const EXAMPLE_FOLDER: string = fileURLToPath(
  new URL("../../../deploy/examples/inference/", import.meta.url),
);

/** Namespace of the demonstration. */
export const NAMESPACE: string = "default";

// Order matters: a Config refers to the others.
const FILES: readonly string[] = ["schema.yaml", "objectives.yaml", "policy.yaml", "config.yaml"];

/** All documents of the example, in the order in which they can be created. */
export function exampleDocuments(): readonly JsonObject[] {
  return FILES.flatMap((file) =>
    parseAllDocuments(readFileSync(join(EXAMPLE_FOLDER, file), "utf8")).map(
      (document) => document.toJS() as JsonObject,
    ),
  );
}

/** Creates what is missing; what exists from an earlier start is left alone. */
export async function createExample(client: RestClient): Promise<void> {
  for (const document of exampleDocuments()) {
    const kind = document["kind"] as string;
    try {
      await client.create({ kind, namespace: NAMESPACE }, document);
    } catch (error) {
      if (!(error instanceof KinglyError && error.code === "AlreadyExists")) throw error;
    }
  }
}

/** The rules of the demonstration in one line for the screen, read back from the cluster. */
export async function describePolicy(client: RestClient): Promise<string> {
  const policy = await client.get<Policy>({ kind: "Policy", namespace: NAMESPACE, name: "demo" });
  const { electorate, trial, rollout, alpha, beta, quorum } = policy.spec;
  const stages = rollout.stages
    .map((share) => (share === 0 ? "one node" : `${share * 100} %`))
    .join(", ");
  return (
    `policy "demo": ${electorate.nodesPerClass} trial nodes, blocks of ${trial.blockSeconds} s ` +
    `with ${trial.washoutSeconds} s wash-out, at most ${trial.maxPairs} pairs, ` +
    `alpha ${alpha}, beta ${beta}, quorum ${quorum * 100} %; stages: ${stages}`
  );
}
