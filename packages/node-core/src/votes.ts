// The vote of a node in a trial: written once per proposal and attempt, signed, queued. Also where an
// order is looked at before anything is tried, and the reasons to decline it.

import { contentHash, KinglyError } from "@kingly/base";
import type { JsonObject } from "@kingly/base";
import {
  EvidenceInputError,
  finishTrial,
  lnOnePlus,
  predictPairs,
  readPlan,
  REASON_LENGTH_MAX,
  startTrial,
} from "@kingly/evidence";
import type { TrialEvidence, TrialPlan } from "@kingly/evidence";
import type { TrialArm, TrialOrder, VoteDecision } from "@kingly/resources";
import { refuseByOwner } from "./content.ts";
import type { Context } from "./context.ts";
import { asJson, queueDocument } from "./documents.ts";
import { NOISE_HARM_MARGINS, VOTED_TRIALS_MAX } from "./limits.ts";
import type { Outbox } from "./outbox.ts";
import type { TrialMarker } from "./state.ts";

/** Which trial a vote belongs to. */
export type Ballot = Pick<
  TrialMarker,
  "proposalUid" | "attempt" | "candidateHash" | "baselineHash"
>;

/** What a vote says. */
export interface Opinion {
  readonly reason: string;
  readonly declined: boolean;
  /** Absent when there never was a valid plan. */
  readonly evidence?: TrialEvidence;
}

/** Name of a trial in the list of voted ones. */
export function trialKey(proposalUid: string, attempt: number): string {
  return `${proposalUid}/${attempt}`;
}

/** The ballot of an order. */
export function ballotOf(order: TrialOrder): Ballot {
  return {
    proposalUid: order.proposal.uid,
    attempt: order.attempt,
    candidateHash: order.candidate.hash,
    baselineHash: order.baseline.hash,
  };
}

/** Remembers that a trial is done with, voted or cancelled. */
export function markVoted(context: Context, proposalUid: string, attempt: number): void {
  const { voted } = context.state;
  context.state.voted = [...voted, trialKey(proposalUid, attempt)].slice(-VOTED_TRIALS_MAX);
  context.touch();
}

/** Writes the vote; what it says follows from its evidence. */
export function castVote(context: Context, outbox: Outbox, ballot: Ballot, opinion: Opinion): void {
  const decision = opinion.declined ? "Abstain" : decisionOf(opinion.evidence);
  const reason = opinion.reason.slice(0, REASON_LENGTH_MAX);
  const empty: JsonObject = {};
  markVoted(context, ballot.proposalUid, ballot.attempt);
  queueDocument(
    context,
    outbox,
    {
      kind: "Vote",
      key: `vote-${context.options.node}-${ballot.proposalUid}-${ballot.attempt}`,
    },
    {
      proposalUid: ballot.proposalUid,
      attempt: ballot.attempt,
      candidateHash: ballot.candidateHash,
      baselineHash: ballot.baselineHash,
      decision,
      reason,
      declined: opinion.declined,
      evidence: opinion.evidence === undefined ? empty : asJson(opinion.evidence),
    },
  );
  context.log("info", "Voted", `${decision}: ${reason}`, {
    proposal: ballot.proposalUid,
    attempt: ballot.attempt,
    decision,
    declined: opinion.declined,
    pairs: opinion.evidence?.pairs ?? 0,
  });
}

/** Evidence of a trial that never got anywhere. */
export function emptyEvidence(plan: TrialPlan, reason: string): TrialEvidence {
  return finishTrial(startTrial(plan), plan, reason.slice(0, REASON_LENGTH_MAX));
}

/** The plan of an order, or why it is no plan. */
export function planOf(order: TrialOrder): TrialPlan | string {
  try {
    return readPlan(order.plan);
  } catch (error) {
    if (error instanceof EvidenceInputError) return error.message;
    throw error;
  }
}

/** Why this node will not run the order at all; "" when it will. */
export function refuseOrder(order: TrialOrder, plan: TrialPlan, context: Context): string {
  const { options } = context;
  if (!options.targets.includes(order.target)) return `Unbound: target ${order.target}`;
  for (const objective of plan.objectives) {
    const signal = Object.hasOwn(order.signals, objective.name)
      ? order.signals[objective.name]
      : undefined;
    if (signal === undefined || !options.signals.includes(signal)) {
      return `Unbound: objective ${objective.name} needs signal ${signal ?? "(none)"}`;
    }
  }
  const arms = order.baseline.version === 0 ? [order.candidate] : [order.candidate, order.baseline];
  for (const arm of arms) {
    const hash = armHash(arm, context);
    if (hash !== arm.hash) return `HashMismatch: the order says ${arm.hash}, the data is ${hash}`;
  }
  return refuseByOwner(order.candidate.data, options, order.target);
}

/**
 * Too noisy: neither "no harm" nor even a harm of several margins is predicted to be decided for some
 * objective. A node that could still reject what is really bad is worth having.
 */
export function refuseNoise(order: TrialOrder, plan: TrialPlan, context: Context): string {
  for (const objective of plan.objectives) {
    const noise = context.state.noise[order.signals[objective.name] ?? ""];
    if (noise === undefined) continue;
    const { standardDeviation } = noise;
    const { maxPairs } = plan;
    const { rho, marginRatio, harmMarginRatio } = objective;
    const common = { standardDeviation, maxPairs, rho };
    const harm = lnOnePlus(NOISE_HARM_MARGINS * marginRatio) - lnOnePlus(harmMarginRatio);
    const accepts =
      plan.beta > 0 &&
      predictPairs({ ...common, effect: lnOnePlus(marginRatio), threshold: 1 / plan.beta })
        .decidable;
    const effect = Math.min(plan.clip, harm);
    if (accepts || predictPairs({ ...common, effect, threshold: 1 / plan.alpha }).decidable)
      continue;
    const sd = standardDeviation.toFixed(3);
    return `TooNoisy: ${objective.name} has A/A sd ${sd}, undecidable in ${maxPairs} pairs`;
  }
  return "";
}

function armHash(arm: TrialArm, context: Context): string {
  try {
    return contentHash(arm.data, context.options.crypto);
  } catch (error) {
    if (error instanceof KinglyError) return `none (${error.message})`;
    throw error;
  }
}

function decisionOf(evidence: TrialEvidence | undefined): VoteDecision {
  switch (evidence?.decision) {
    case "accept":
      return "Accept";
    case "reject":
      return "Reject";
    case "abstain":
    case undefined:
      return "Abstain";
  }
}
