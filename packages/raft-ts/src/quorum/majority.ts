// Majority quorums: which index is stored on more than half of the voters, and what a set of votes
// amounts to (paper sections 5.2 and 5.3). A configuration is a sorted list of ids without repeats.
import { NO_LIMIT } from "../limits.ts";
import { compareIds } from "../ids.ts";
import type { NodeId } from "../ids.ts";

/** Voters of one majority, ascending, each once. */
export type MajorityConfig = readonly NodeId[];

/** What a node has acknowledged; undefined = nothing is known of it. */
export type AckedIndex = (id: NodeId) => number | undefined;

/** Outcome of a vote so far. */
export type VoteResult = "pending" | "lost" | "won";

/** Makes a MajorityConfig of ids in any order, with repeats removed. */
export function majorityOf(ids: Iterable<NodeId>): MajorityConfig {
  return [...new Set(ids)].sort(compareIds);
}

/** Smallest number of voters that is more than half of n. */
export function majoritySize(n: number): number {
  return Math.floor(n / 2) + 1;
}

/**
 * Highest index that a majority has acknowledged. The empty configuration commits everything
 * (NO_LIMIT), so that it can stand as the missing half of a joint configuration.
 */
export function majorityCommitted(config: MajorityConfig, acked: AckedIndex): number {
  const n = config.length;
  if (n === 0) return NO_LIMIT;
  if (n === 1) return acked(config[0] as NodeId) ?? 0;
  const indexes: number[] = [];
  for (const id of config) {
    // Insertion sort: groups are small and mostly sorted already.
    const value = acked(id) ?? 0;
    let i = indexes.length;
    while (i > 0 && (indexes[i - 1] as number) > value) i--;
    indexes.splice(i, 0, value);
  }
  return indexes[n - majoritySize(n)] as number;
}

/** What the votes cast so far amount to. The empty configuration has won. */
export function majorityVote(
  config: MajorityConfig,
  votes: ReadonlyMap<NodeId, boolean>,
): VoteResult {
  if (config.length === 0) return "won";
  let yes = 0;
  let missing = 0;
  for (const id of config) {
    const vote = votes.get(id);
    if (vote === undefined) missing++;
    else if (vote) yes++;
  }
  const needed = majoritySize(config.length);
  if (yes >= needed) return "won";
  return yes + missing >= needed ? "pending" : "lost";
}

/** "(1 2 3)". */
export function formatMajority(config: MajorityConfig): string {
  return `(${config.join(" ")})`;
}
