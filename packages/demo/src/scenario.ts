// The scenarios. In the default one nobody but a node's own agent proposes; in the others a person does,
// as soon as the nodes know their own noise.

import type { JsonObject } from "@kingly/base";
import type { RestClient } from "@kingly/client";
import type { Node } from "@kingly/resources";
import { FLEET } from "./fleet.ts";
import { NAMESPACE } from "./manifests.ts";
import type { Scenario } from "./options.ts";

const POLL_MS = 500;

interface Wish {
  readonly patch: JsonObject;
  readonly reason: string;
}

const WISHES: Readonly<Record<Exclude<Scenario, "default">, Wish>> = {
  harmful: {
    patch: { maxBatchSize: 32, batchWindowMs: 25 },
    reason: "bigger batches are surely better",
  },
  harmless: {
    patch: { cacheEntries: 100 },
    reason: "a small cache, although no text repeats here",
  },
};

/** Does a node's agent propose by itself in this scenario? */
export function usesTuner(scenario: Scenario): boolean {
  return scenario === "default";
}

function calibrated(node: Node): boolean {
  return Object.keys(node.status?.calibration ?? {}).length > 0;
}

/** Waits until every node has measured its own noise. */
export async function untilCalibrated(client: RestClient, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const { items } = await client.list<Node>({ kind: "Node" });
    const ready = items.filter(calibrated).length;
    if (ready >= FLEET.length) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Proposes the scenario's change as a person would. Returns the proposal's name. */
export async function proposeWish(
  client: RestClient,
  scenario: Exclude<Scenario, "default">,
): Promise<string> {
  const { patch, reason } = WISHES[scenario];
  const { object } = await client.create(
    { kind: "Proposal", namespace: NAMESPACE },
    {
      apiVersion: "kingly.dev/v1",
      kind: "Proposal",
      metadata: { generateName: `${scenario}-`, namespace: NAMESPACE },
      spec: {
        config: "inference",
        patch,
        reason,
        source: { type: "human", name: "operator" },
      },
    },
  );
  return object.metadata.name;
}
