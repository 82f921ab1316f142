// What came of the proposal, as one record for machines and one table for people. Everything in it is
// read from the cluster at the end; nothing is assumed. After a second start on the same data that can
// be a proposal of the first one: the fleet goes on from what it decided.

import { KinglyError } from "@kingly/base";
import type { RestClient } from "@kingly/client";
import type { Proposal, Rollout, Veto } from "@kingly/resources";
import { FLEET } from "./fleet.ts";
import { isFinal } from "./follow.ts";
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
  /** Nodes that reject the committed version, by their vote or after measuring it; sorted. */
  readonly vetoed: readonly string[];
  /** Seconds from this start to the end, in tenths. */
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

/** What reading the outcome needs of a client. */
export type OutcomeReader = Pick<RestClient, "get" | "list">;

async function rolloutOf(client: OutcomeReader, proposal: Proposal): Promise<Rollout | undefined> {
  const name = proposal.status?.rollout ?? "";
  if (name === "") return undefined;
  try {
    return await client.get<Rollout>({ kind: "Rollout", namespace: NAMESPACE, name });
  } catch (error) {
    if (error instanceof KinglyError && error.code === "NotFound") return undefined;
    throw error;
  }
}

/**
 * Vetoes of what the proposal committed: of its Config only. One that a rollback ended still says who
 * rejected the version; one that expired does not: its node tries the version again.
 */
async function vetoesOf(client: OutcomeReader, proposal: Proposal): Promise<readonly Veto[]> {
  const version = proposal.status?.committedVersion ?? 0;
  if (version === 0) return [];
  const { items } = await client.list<Veto>({ kind: "Veto", namespace: NAMESPACE });
  return items.filter(
    ({ spec, status }) =>
      spec.config === proposal.spec.config &&
      spec.version === version &&
      status?.["reason"] !== "Expired",
  );
}

/** "Accepted" for whatever was committed and kept; otherwise the phase itself. */
export function verdictOf(proposal: Proposal): string {
  const phase = proposal.status?.phase ?? "Pending";
  return ["Committed", "RollingOut", "Completed"].includes(phase) ? "Accepted" : phase;
}

/**
 * The agents' proposal to report: one that is still under way before one that has ended, and of several
 * the youngest. Undefined when no agent has proposed anything.
 */
export function proposalToReport(seen: Iterable<Proposal>): string | undefined {
  let best: Proposal | undefined;
  for (const proposal of seen) {
    if (proposal.spec.source.type !== "agent") continue;
    if (best === undefined || precedes(proposal, best)) best = proposal;
  }
  return best?.metadata.name;
}

function precedes(left: Proposal, right: Proposal): boolean {
  if (isFinal(left) !== isFinal(right)) return isFinal(right);
  // RFC 3339 in UTC with whole seconds: text order is time order.
  return left.metadata.creationTimestamp > right.metadata.creationTimestamp;
}

/** Exit code of `--once`: 0 when the story reached an end, whichever; 1 when it did not. */
export function exitCodeOf(outcome: Outcome | undefined): 0 | 1 {
  return outcome === undefined || outcome.summary.verdict === "TimedOut" ? 1 : 0;
}

/** Reads the end of a proposal from the cluster. */
export async function readOutcome(
  client: OutcomeReader,
  options: { readonly proposal: string; readonly timedOut: boolean; readonly seconds: number },
): Promise<Outcome> {
  const proposal = await client.get<Proposal>({
    kind: "Proposal",
    namespace: NAMESPACE,
    name: options.proposal,
  });
  const committedVersion = proposal.status?.committedVersion ?? 0;
  const rollout = await rolloutOf(client, proposal);
  const vetoes = await vetoesOf(client, proposal);
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
