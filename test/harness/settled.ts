// The end that every fault must come to: each proposal has a final phase with a reason, and each node
// runs, on its real target, the content of a version that it confirmed.

import { canonicalJson } from "@kingly/base";
import type { ConfigVersion, NodeConfig, Proposal, ProposalPhase, Vote } from "@kingly/resources";
import type { Cluster } from "./cluster.ts";
import type { TestNode } from "./node.ts";
import { until } from "./until.ts";

/** Phases that no proposal leaves. */
const FINAL: readonly ProposalPhase[] = [
  "Completed",
  "Rejected",
  "Inconclusive",
  "Expired",
  "Withdrawn",
  "Superseded",
  "Denied",
  "RolledBack",
];

/** Longest trial and rollout of the tests' policies, with room for a busy machine. */
const STORY_MS = 120_000;

/** Waits until a proposal has reached a phase that it never leaves. */
export function untilFinal(cluster: Cluster, name: string): Promise<Proposal> {
  return until(
    `the end of proposal ${name}`,
    async () => {
      const proposal = await cluster.get<Proposal>("Proposal", name);
      return FINAL.includes(proposal.status?.phase ?? "Pending") ? proposal : false;
    },
    STORY_MS,
  );
}

/** Waits until a proposal is in one of these phases. */
export function untilPhase(
  cluster: Cluster,
  name: string,
  phases: readonly ProposalPhase[],
): Promise<Proposal> {
  return until(`${phases.join(" or ")} of proposal ${name}`, async () => {
    const proposal = await cluster.get<Proposal>("Proposal", name);
    return phases.includes(proposal.status?.phase ?? "Pending") ? proposal : false;
  });
}

/** Votes on a proposal, with every node that voted named once per vote. */
export async function votersOf(cluster: Cluster, proposal: string): Promise<readonly string[]> {
  const votes = await cluster.list<Vote>("Vote");
  return votes
    .filter((vote) => vote.spec.proposal === proposal)
    .map((vote) => vote.spec.node)
    .sort();
}

/**
 * Waits until every node reports a settled version and its target runs exactly that version's
 * content; returns the version per node.
 */
export function untilSettled(
  cluster: Cluster,
  nodes: readonly TestNode[],
  config: string,
): Promise<Readonly<Record<string, number>>> {
  let seen = "";
  return until("every node on a confirmed version", async () => {
    const all = await cluster.list<NodeConfig>("NodeConfig");
    const versions: Record<string, number> = {};
    for (const node of nodes) {
      const found = all.find(({ spec }) => spec.node === node.name && spec.config === config);
      const { state = "pending", active = 0 } = found?.status ?? {};
      seen = `${node.name}: ${state}, runs ${active}`;
      if (state !== "confirmed" && state !== "vetoed") return false;
      if (active === 0) return false;
      const version = await cluster.get<ConfigVersion>("ConfigVersion", `${config}-v${active}`);
      const running = canonicalJson(await node.running());
      seen += `, ${running}`;
      if (running !== canonicalJson(version.spec.data ?? {})) return false;
      versions[node.name] = active;
    }
    return versions;
  }).catch((error: unknown) => {
    throw new Error(`${error instanceof Error ? error.message : String(error)} (${seen})`, {
      cause: error,
    });
  });
}
