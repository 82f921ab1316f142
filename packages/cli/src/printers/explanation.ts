// Explanations of proposals and vetoes as text: one paragraph per question a person asks.

import type {
  ObjectiveExplanation,
  ProposalExplanation,
  VetoExplanation,
  VoteExplanation,
} from "@kingly/decision";
import type { RolloutStatus, TrialProgress, Verdict } from "@kingly/resources";
import {
  formatE,
  formatEffect,
  formatShare,
  formatSpan,
  formatValue,
  formatWeight,
} from "./numbers.ts";
import { alignColumns } from "./table.ts";

type Proposal = ProposalExplanation & { readonly progress: readonly TrialProgress[] };
type Thresholds = NonNullable<ProposalExplanation["thresholds"]>;

/** What comes after each phase, for people who wait. */
const NEXT: Readonly<Record<string, string>> = {
  Pending: "it is checked and then waits for its trial",
  Validated: "its trial begins when it is its turn and enough nodes are connected",
  AwaitingApproval: "it waits for an approval",
  Trialing: "the trial nodes go on measuring; the verdict follows when enough of them have voted",
  Voting: "the remaining votes come in before the deadline; then the verdict follows",
  Committed: "it is rolled out in stages; every node measures it and may still veto",
  RollingOut: "the rollout goes on stage by stage; every node measures it and may still veto",
  Completed: "nothing; nodes keep guarding the version while it is on probation",
  Rejected:
    "nothing was changed; where it lost, the same change is refused for 30 days or until released",
  Inconclusive: "nothing was changed; propose again with more traffic, nodes or time",
  Expired: "nothing was changed; propose again",
  Withdrawn: "nothing was changed; propose again",
  Superseded: "this proposal changes nothing; the reason above says what took its place",
  Denied: "nothing was changed; the reason above says which rule refused",
  RolledBack:
    "nodes go back to the version before; the same change is refused for 30 days or until released",
};

function indent(text: string): string {
  return text
    .split("\n")
    .map((line) => `  ${line}`)
    .join("\n");
}

function section(title: string, rows: readonly (readonly string[])[]): string {
  return `${title}\n${indent(alignColumns(rows))}`;
}

function evidenceCells(one: ObjectiveExplanation): readonly string[] {
  return [
    one.objective,
    formatEffect(one.effectPercent),
    formatE(one.harmE),
    formatE(one.nonInferiorE),
    formatE(one.improvementE),
    one.marginPercent === 0 ? "-" : `${one.marginPercent}%`,
  ];
}

const EVIDENCE_HEAD = ["OBJECTIVE", "EFFECT", "HARM E", "NO LOSS E", "GAIN E", "MARGIN"];

function voteRows(vote: VoteExplanation): readonly (readonly string[])[] {
  const { node, class: className, decision, pairs, objectives } = vote;
  const head = [node, className, decision, String(pairs)];
  const [first, ...rest] = objectives;
  if (first === undefined) return [[...head, "-", vote.reason || "no measurement"]];
  return [
    [...head, ...evidenceCells(first)],
    ...rest.map((one) => ["", "", "", "", ...evidenceCells(one)]),
  ];
}

function thresholdsText(thresholds: Thresholds): string {
  const { acceptE, rejectE, requireImprovement, improvementReason } = thresholds;
  const asked = requireImprovement
    ? "GAIN E of a primary and NO LOSS E of all"
    : "NO LOSS E of all";
  const because = improvementReason === "" ? "" : ` (${improvementReason})`;
  return (
    `A node accepts when ${asked} reach ${formatE(acceptE)}${because}; ` +
    `it rejects when HARM E reaches ${formatE(rejectE)}.`
  );
}

function verdictText(verdict: Verdict): string {
  const { accept, reject, abstain } = verdict.votes;
  const { share, required } = verdict.quorum;
  const lines = [
    `Verdict: ${verdict.outcome} (${verdict.reason}): ${verdict.message}`,
    `  ${accept} accept, ${reject} reject, ${abstain} abstain; ` +
      `${formatShare(share)} of the weight decided, ${formatShare(required)} were needed`,
  ];
  if (verdict.classes.length === 0) return lines.join("\n");
  const rows = verdict.classes.map((one) => [
    one.class,
    formatWeight(one.accept),
    formatWeight(one.reject),
    formatWeight(one.abstain),
    formatE(one.meanHarmE),
    one.outcome,
  ]);
  const head = ["CLASS", "ACCEPT", "REJECT", "ABSTAIN", "MEAN HARM E", "OUTCOME"];
  return `${lines.join("\n")}\n${indent(alignColumns([head, ...rows]))}`;
}

function rolloutText(rollout: RolloutStatus): string {
  const nodes = rollout.stages.reduce((sum, stage) => sum + stage.nodes.length, 0);
  const stage = Math.min(rollout.stage + 1, rollout.stages.length);
  const { excluded } = rollout;
  const never = excluded.length === 0 ? "" : `, voted no in the trial: ${excluded.join(", ")}`;
  return (
    `Rollout: ${rollout.phase}, stage ${stage} of ${rollout.stages.length}; ` +
    `${rollout.confirmed.length} of ${nodes} nodes confirmed, ${rollout.vetoed.length} vetoed, ` +
    `${rollout.failed.length} failed${never}`
  );
}

function progressRows(progress: readonly TrialProgress[]): readonly (readonly string[])[] {
  return progress.flatMap(({ node, pairs, objectives }) =>
    objectives.map((one, at) => [
      at === 0 ? node : "",
      at === 0 ? String(pairs) : "",
      one.objective,
      formatEffect((Math.exp(one.meanLogRatio) - 1) * 100),
      formatE(Math.exp(one.lnHarm)),
      formatE(Math.exp(one.lnNonInferior)),
      formatE(Math.exp(one.lnImprovement)),
    ]),
  );
}

/** Why a proposal stands where it stands. */
export function explainProposal(why: Proposal): string {
  const { namespace, name } = why.proposal;
  const parts = [`proposal/${name} in ${namespace} is ${why.phase}: ${why.message}`];
  if (why.changes.length > 0) {
    const rows = why.changes.map(({ key, from, to }) => [key, formatValue(from), formatValue(to)]);
    parts.push(section("Changes", [["KEY", "FROM", "TO"], ...rows]));
  }
  if (why.queuePosition > 0) parts.push(`It waits at position ${why.queuePosition} of the queue.`);
  if (why.votes.length > 0) {
    const head = ["NODE", "CLASS", "VOTE", "PAIRS", ...EVIDENCE_HEAD];
    parts.push(section("Votes", [head, ...why.votes.flatMap(voteRows)]));
  }
  const answered = new Set(why.votes.map((vote) => vote.node));
  const running = why.progress.filter((one) => !answered.has(one.node));
  if (why.missing.length > 0 && running.length > 0) {
    const head = ["NODE", "PAIRS", "OBJECTIVE", "EFFECT", "HARM E", "NO LOSS E", "GAIN E"];
    parts.push(section("Still measuring", [head, ...progressRows(running)]));
  }
  if (why.missing.length > 0) parts.push(`No answer yet from: ${why.missing.join(", ")}`);
  if (why.thresholds !== undefined) parts.push(thresholdsText(why.thresholds));
  if (why.lateVotes.length > 0) {
    const late = why.lateVotes.map((vote) => `${vote.node} (${vote.decision})`).join(", ");
    parts.push(`Too late to count: ${late}`);
  }
  if (why.verdict !== undefined) parts.push(verdictText(why.verdict));
  if (why.rollout !== undefined) parts.push(rolloutText(why.rollout));
  for (const veto of why.vetoes) parts.push(vetoLine(veto));
  parts.push(`Next: ${NEXT[why.phase] ?? "unknown"}.`);
  return `${parts.join("\n\n")}\n`;
}

function runs(version: number): string {
  return version === 0 ? "what it was found with" : `version ${version}`;
}

function vetoLine(veto: VetoExplanation): string {
  const strength = veto.harmE > 1 ? `, HARM E ${formatE(veto.harmE)}` : "";
  const head = veto.active ? "Veto" : "Veto, over";
  const verb = veto.active ? "runs" : "ran";
  return (
    `${head}: ${veto.node} (${veto.class}) ${verb} ${runs(veto.runsVersion)} instead of ` +
    `version ${veto.version} (${veto.cause}${strength}): ${veto.message}`
  );
}

/** Why a node does not run a version. */
export function explainVeto(why: VetoExplanation, nowMs: number): string {
  const { namespace, name } = why.veto;
  const parts = [`veto/${name} in ${namespace}`, vetoLine(why)];
  if (why.objectives.length > 0) {
    const rows = why.objectives.map(evidenceCells);
    parts.push(section(`Evidence from ${why.pairs} pairs`, [EVIDENCE_HEAD, ...rows]));
  }
  if (why.pinnedKeys.length > 0) {
    parts.push(`Kept at their former values on this node: ${why.pinnedKeys.join(", ")}`);
  }
  const left = why.expiresAtMs - nowMs;
  parts.push(
    why.active && left > 0
      ? `Next: it ends in ${formatSpan(left)}, or when a version changes a kept key.`
      : "Next: nothing; the veto does not hold any more.",
  );
  return `${parts.join("\n\n")}\n`;
}
