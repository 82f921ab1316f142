// The count: from answers to a verdict. Pure arithmetic on whole numbers, so that a share of exactly
// two thirds is two thirds everywhere. Weights come from weights.ts; the statistics enter only as the
// classes' mean harm e-value.

import { exp, ln, logAddExp } from "@kingly/evidence";
import type { ClassTally, PolicySpec, Verdict, VoteDecision } from "@kingly/resources";
import { weightsOf } from "./weights.ts";

/** One elector's answer. */
export interface BallotVote {
  readonly node: string;
  readonly class: string;
  readonly ownerGroup: string;
  /** "" = did not answer; counts as Abstain. */
  readonly decision: VoteDecision | "";
  readonly lnHarm: number;
  /** True when the answer carried measured pairs. */
  readonly measured: boolean;
}

/** What a verdict depends on. */
export interface BallotInput {
  readonly votes: readonly BallotVote[];
  /** Nodes that each class stands for. */
  readonly classSizes: Readonly<Record<string, number>>;
  readonly policy: PolicySpec;
  /** What this trial might spend of beta; shown. */
  readonly beta: number;
}

/** Largest ln E that is shown as a number; e^700 is near the end of the range. */
const LN_SHOWN_MAX = 700;

/** Parts per million, for the quorum, which policies write as a decimal. */
const PPM = 1_000_000;

interface Weighed extends BallotVote {
  readonly weight: number;
}

/** The verdict over all answers; electors that did not answer count as Abstain. */
export function verdictOf(input: BallotInput): Verdict {
  const weights = weightsOf(input.votes, input.classSizes);
  const votes: Weighed[] = input.votes.map((vote, i) => ({ ...vote, weight: weights[i] ?? 0 }));
  const total = weightWhere(votes, () => true);
  const accept = weightWhere(votes, (vote) => vote.decision === "Accept");
  const decided = accept + weightWhere(votes, (vote) => vote.decision === "Reject");
  const names = [...new Set(votes.map((vote) => vote.class))].sort();
  const classes = names.map((name) => classTally(name, votes, input));
  const { policy } = input;
  const ending = endingOf({ policy, classes, total, accept, decided });
  return {
    ...ending,
    votes: {
      accept: count(votes, "Accept"),
      reject: count(votes, "Reject"),
      abstain: votes.length - count(votes, "Accept") - count(votes, "Reject"),
    },
    quorum: { share: total === 0 ? 0 : decided / total, required: policy.quorum },
    classes,
    alpha: policy.alpha,
    beta: input.beta,
  };
}

/** Reject is asked first: a tie is a Reject. */
function classTally(name: string, votes: readonly Weighed[], input: BallotInput): ClassTally {
  const own = votes.filter((vote) => vote.class === name);
  const { policy, classSizes } = input;
  const accept = weightWhere(own, (vote) => vote.decision === "Accept");
  const reject = weightWhere(own, (vote) => vote.decision === "Reject");
  const decided = accept + reject;
  const answers = count(own, "Accept") + count(own, "Reject");
  const lnMean = lnMeanHarm(own);
  const needed = Math.min(policy.electorate.minVotesPerClass, classSizes[name] ?? 0);
  const atLeast = (weight: number, share: PolicySpec["acceptThreshold"]): boolean =>
    decided > 0 && weight * share.denominator >= share.numerator * decided;
  const rejects = atLeast(reject, policy.rejectThreshold) && lnMean >= ln(1 / policy.alpha);
  const accepts = atLeast(accept, policy.acceptThreshold) && answers >= needed;
  return {
    class: name,
    accept: count(own, "Accept"),
    reject: count(own, "Reject"),
    abstain: own.length - answers,
    meanHarmE: exp(Math.min(lnMean, LN_SHOWN_MAX)),
    outcome: rejects ? "rejects" : accepts ? "accepts" : "undecided",
  };
}

/** ln of the mean harm e-value over the class's nodes that measured; 0 when none did. */
function lnMeanHarm(votes: readonly Weighed[]): number {
  const measured = votes.filter((vote) => vote.decision !== "" && vote.measured);
  let lnSum = Number.NEGATIVE_INFINITY;
  for (const vote of measured) lnSum = logAddExp(lnSum, vote.lnHarm);
  return measured.length === 0 ? 0 : lnSum - ln(measured.length);
}

type Ending = Pick<Verdict, "outcome" | "reason" | "message">;

function endingOf(sums: {
  readonly policy: PolicySpec;
  readonly classes: readonly ClassTally[];
  readonly total: number;
  readonly accept: number;
  readonly decided: number;
}): Ending {
  const { policy, classes, total, accept, decided } = sums;
  const rejecting = classes.filter((tally) => tally.outcome === "rejects");
  const accepting = classes.filter((tally) => tally.outcome === "accepts");
  const names = (tallies: readonly ClassTally[]): string => tallies.map((t) => t.class).join(", ");
  const quorum = total > 0 && decided * PPM >= Math.floor(policy.quorum * PPM + 0.5) * total;
  if (!quorum) {
    const share = total === 0 ? 0 : Math.floor((decided / total) * 100);
    const message = `only ${share} % of the electorate's weight reached a decision, ${percent(policy.quorum)} is the quorum`;
    return { outcome: "Inconclusive", reason: "QuorumMissed", message };
  }
  if (rejecting.length === classes.length) {
    const message = `measured harm: class ${names(rejecting)} rejects`;
    return { outcome: "Rejected", reason: "HarmMeasured", message };
  }
  if (rejecting.length > 0) {
    const common = `classes disagree: ${names(rejecting)} rejects, so nothing is committed`;
    const later =
      "; the policy says onSplit: narrow, but commits for single classes are not available yet";
    const message = policy.onSplit === "narrow" ? `${common}${later}` : common;
    return { outcome: "Rejected", reason: "ClassesSplit", message };
  }
  const { numerator, denominator } = policy.acceptThreshold;
  if (accepting.length < classes.length || accept * denominator < numerator * decided) {
    const undecided = classes.filter((tally) => tally.outcome === "undecided");
    const message = `class ${names(undecided)} is undecided: too few votes for Accept and no proof of harm`;
    const reason = accepting.length > 0 ? "ClassesSplit" : "Undecided";
    return { outcome: "Inconclusive", reason, message };
  }
  const message = `class ${names(accepting)} accepts: no objective got worse than its margin`;
  return { outcome: "Accepted", reason: "Accepted", message };
}

function percent(share: number): string {
  return `${Math.floor(share * 1_000 + 0.5) / 10} %`;
}

function count(votes: readonly BallotVote[], decision: VoteDecision): number {
  return votes.filter((vote) => vote.decision === decision).length;
}

function weightWhere(votes: readonly Weighed[], wanted: (vote: Weighed) => boolean): number {
  let sum = 0;
  for (const vote of votes) if (wanted(vote)) sum += vote.weight;
  return sum;
}
