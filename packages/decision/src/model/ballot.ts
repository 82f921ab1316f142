// The count: from answers to a verdict. Pure arithmetic on whole numbers, so that a share of exactly
// two thirds is two thirds everywhere. Weights follow what a class stands for and are capped, so that
// no node and no owner decides alone; the statistics enter only as the classes' mean harm e-value.

import { exp, ln, logAddExp } from "@kingly/evidence";
import type { ClassTally, PolicySpec, Verdict, VoteDecision } from "@kingly/resources";

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

/** Whole weight of an electorate; a node's weight is a whole number of these parts. */
const WEIGHT_TOTAL = 1_000_000_000;

/** One node weighs at most this share (or an equal share, when there are fewer than five). */
const NODE_SHARE_MAX = 0.2;

/** One owner group weighs at most this share, where at least three exist. */
const GROUP_SHARE_MAX = 0.34;
const GROUPS_MIN = 3;

/** Largest ln E that is shown as a number; e^700 is near the end of the range. */
const LN_SHOWN_MAX = 700;

/** Parts per million, for the quorum, which policies write as a decimal. */
const PPM = 1_000_000;

/** Weight of every vote, in parts of WEIGHT_TOTAL, in the order of the votes. */
export function weightsOf(
  votes: readonly BallotVote[],
  classSizes: Readonly<Record<string, number>>,
): number[] {
  if (votes.length === 0) return [];
  const electors = new Map<string, number>();
  for (const vote of votes) electors.set(vote.class, (electors.get(vote.class) ?? 0) + 1);
  const raw = votes.map(
    (vote) => Math.max(1, classSizes[vote.class] ?? 1) / (electors.get(vote.class) ?? 1),
  );
  const nodeCap = Math.max(NODE_SHARE_MAX, 1 / votes.length);
  let shares = capped(raw, nodeCap);
  const groups = [...new Set(votes.map((vote) => vote.ownerGroup))].sort();
  if (groups.length >= GROUPS_MIN) {
    const sums = groups.map((group) =>
      sumWhere(votes, shares, (vote) => vote.ownerGroup === group),
    );
    const limited = capped(sums, GROUP_SHARE_MAX);
    shares = shares.map((share, i) => {
      const at = groups.indexOf(votes[i]?.ownerGroup ?? "");
      return (share * (limited[at] ?? 0)) / (sums[at] ?? 1);
    });
  }
  return shares.map((share) => Math.max(1, Math.floor(share * WEIGHT_TOTAL + 0.5)));
}

/** Shares of 1 in proportion to `raw`, none above `cap` (>= 1/n): what is cut is spread over the rest. */
function capped(raw: readonly number[], cap: number): number[] {
  const fixed = new Set<number>();
  for (;;) {
    const rest = 1 - fixed.size * cap;
    const free = sumWhere(raw, raw, (_, i) => !fixed.has(i));
    if (free <= 0 || rest <= 0) break;
    const over = raw.findIndex((value, i) => !fixed.has(i) && (value / free) * rest > cap + 1e-12);
    if (over < 0) return raw.map((value, i) => (fixed.has(i) ? cap : (value / free) * rest));
    fixed.add(over);
  }
  return raw.map(() => 1 / raw.length);
}

function sumWhere<T>(
  items: readonly T[],
  values: readonly number[],
  wanted: (item: T, index: number) => boolean,
): number {
  let sum = 0;
  for (const [i, item] of items.entries()) if (wanted(item, i)) sum += values[i] ?? 0;
  return sum;
}

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
