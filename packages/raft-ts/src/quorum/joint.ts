// Joint quorums: a decision needs a majority of the incoming and of the outgoing voters (paper
// section 6). Outside a membership change `outgoing` is empty and this is a plain majority.
import type { NodeId } from "../ids.ts";
import { formatMajority, majorityCommitted, majorityOf, majorityVote } from "./majority.ts";
import type { AckedIndex, MajorityConfig, VoteResult } from "./majority.ts";

/** Two majorities that must agree. */
export interface JointConfig {
  /** The voters to be; the only voters when not joint. */
  readonly incoming: MajorityConfig;
  /** The voters that were; empty when not joint. */
  readonly outgoing: MajorityConfig;
}

/** All voters of both halves, ascending. */
export function jointIds(config: JointConfig): readonly NodeId[] {
  if (config.outgoing.length === 0) return config.incoming;
  return majorityOf([...config.incoming, ...config.outgoing]);
}

/** True while a membership change is between its two halves. */
export function isJoint(config: JointConfig): boolean {
  return config.outgoing.length > 0;
}

/** Highest index acknowledged by both majorities. */
export function jointCommitted(config: JointConfig, acked: AckedIndex): number {
  return Math.min(
    majorityCommitted(config.incoming, acked),
    majorityCommitted(config.outgoing, acked),
  );
}

/** Both halves must win; one lost half loses. */
export function jointVote(config: JointConfig, votes: ReadonlyMap<NodeId, boolean>): VoteResult {
  const a = majorityVote(config.incoming, votes);
  const b = majorityVote(config.outgoing, votes);
  if (a === b) return a;
  return a === "lost" || b === "lost" ? "lost" : "pending";
}

/** "(1 2 3)" or "(1 2 3)&&(1 2)". */
export function formatJoint(config: JointConfig): string {
  const incoming = formatMajority(config.incoming);
  return isJoint(config) ? `${incoming}&&${formatMajority(config.outgoing)}` : incoming;
}
