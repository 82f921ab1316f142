// Objects as the API shows them and a terminal without colours, for tests of what the demo prints.

import type { Proposal } from "@kingly/resources";
import type { Paint } from "../../src/terminal.ts";

/** Status of a proposal, as stored. */
export type Status = NonNullable<Proposal["status"]>;

const same = (text: string): string => text;

/** No colours: what is printed is what is said. */
export const plain: Paint = {
  bold: same,
  dim: same,
  green: same,
  red: same,
  yellow: same,
  cyan: same,
};

/** Metadata of an object of this name. */
export function meta(name: string, creationTimestamp: string): Proposal["metadata"] {
  const version = { uid: `uid-${name}`, resourceVersion: "1", generation: 1 };
  return { name, namespace: "default", ...version, creationTimestamp };
}

/** A proposal of a node, in the phase and state that `status` says. */
export function proposal(
  status: Partial<Status>,
  options: {
    readonly name?: string;
    readonly at?: string;
    readonly source?: "human" | "agent";
  } = {},
): Proposal {
  return {
    apiVersion: "kingly.dev/v1",
    kind: "Proposal",
    metadata: meta(options.name ?? "p1", options.at ?? "2026-01-01T00:00:00Z"),
    spec: {
      config: "inference",
      baseVersion: 1,
      patch: { batchWindowMs: 2 },
      reason: "measured",
      source: { type: options.source ?? "agent", name: "node-1" },
      idempotencyKey: "k",
    },
    status: {
      phase: "Pending",
      reason: "",
      message: "",
      candidateHash: "",
      changedKeys: ["batchWindowMs"],
      committedVersion: 0,
      conditions: [],
      ...status,
    },
  };
}
