// What came of the proposal, as one record for machines and one table for people. Everything in it is
// read from the cluster at the end; nothing is assumed.

import { KinglyError } from "@kingly/base";
import type { RestClient } from "@kingly/client";
import type { Proposal, Rollout, Veto } from "@kingly/resources";
import { FLEET } from "./fleet.ts";
import { NAMESPACE } from "./manifests.ts";

/** The last line of `npm start -- --once`. */
export interface Summary {
  readonly proposal: string;
  /** Final phase of the proposal, or "TimedOut". */
  readonly verdict: string;
  readonly votes: { readonly accept: number; readonly reject: number; readonly abstain: number };
  /** 0 when nothing was committed. */
  readonly committedVersion: number;
  /** Number of nodes that confirmed the committed version. */
  readonly confirmed: number;
  /** Nodes that rejected the committed version, by their vote or after measuring it; sorted. */
  readonly vetoed: readonly string[];
  /** Seconds from start to end. */
  readonly seconds: number;
}

/** One row of the final table. */
export interface NodeOutcome {
  readonly node: string;
  readonly traffic: string;
  readonly state: string;
}

/** Record and table. */
export interface Outcome {
  readonly summary: Summary;
  readonly nodes: readonly NodeOutcome[];
}

async function rolloutOf(client: RestClient, proposal: Proposal): Promise<Rollout | undefined> {
  const name = proposal.status?.rollout ?? "";
  if (name === "") return undefined;
  try {
    return await client.get<Rollout>({ kind: "Rollout", namespace: NAMESPACE, name });
  } catch (error) {
    if (error instanceof KinglyError && error.code === "NotFound") return undefined;
    throw error;
  }
}

async function vetoesOf(client: RestClient, version: number): Promise<readonly Veto[]> {
  if (version === 0) return [];
  const { items } = await client.list<Veto>({ kind: "Veto", namespace: NAMESPACE });
  return items.filter((veto) => veto.spec.version === version);
}

/** "Accepted" for whatever was committed and kept; otherwise the phase itself. */
export function verdictOf(proposal: Proposal): string {
  const phase = proposal.status?.phase ?? "Pending";
  return ["Committed", "RollingOut", "Completed"].includes(phase) ? "Accepted" : phase;
}

/** Reads the end of a proposal from the cluster. */
export async function readOutcome(
  client: RestClient,
  options: { readonly proposal: string; readonly timedOut: boolean; readonly seconds: number },
): Promise<Outcome> {
  const proposal = await client.get<Proposal>({
    kind: "Proposal",
    namespace: NAMESPACE,
    name: options.proposal,
  });
  const committedVersion = proposal.status?.committedVersion ?? 0;
  const rollout = await rolloutOf(client, proposal);
  const vetoes = await vetoesOf(client, committedVersion);
  const vetoed = [...new Set(vetoes.map((veto) => veto.spec.node))].toSorted();
  const confirmed = rollout?.status?.confirmed ?? [];
  const state = (node: string): string => {
    const veto = vetoes.find((candidate) => candidate.spec.node === node);
    if (veto !== undefined) return `vetoed (${veto.spec.cause}), runs v${veto.spec.runsVersion}`;
    if (confirmed.includes(node)) return `confirmed v${committedVersion}`;
    return committedVersion === 0 ? "unchanged" : "not settled";
  };
  return {
    summary: {
      proposal: options.proposal,
      verdict: options.timedOut ? "TimedOut" : verdictOf(proposal),
      votes: proposal.status?.verdict?.votes ?? { accept: 0, reject: 0, abstain: 0 },
      committedVersion,
      confirmed: confirmed.length,
      vetoed,
      seconds: Math.round(options.seconds * 10) / 10,
    },
    nodes: FLEET.map(({ name, traffic }) => ({ node: name, traffic, state: state(name) })),
  };
}
