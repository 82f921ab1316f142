// `vote`: a node's signed answer to a trial. It counts only from a node of the electorate, for this
// attempt and these hashes, in time, with evidence whose every number recomputes and whose length the
// clock allows. Each refusal has its own code and changes nothing.

import { equalBytes, fromBase64 } from "@kingly/base";
import type { JsonObject } from "@kingly/base";
import { checkEvidence, readEvidence } from "@kingly/evidence";
import type { TrialDecision } from "@kingly/evidence";
import type { Config, Node, Proposal, Vote, VoteDecision, VoteDocument } from "@kingly/resources";
import { LATE_VOTES_MAX, REDRAWS_MAX } from "../limits.ts";
import { signedBody } from "../core/body.ts";
import { refuse, withEvidence } from "../core/refuse.ts";
import { objectReply, recordedRefusal } from "../core/reply.ts";
import type { Reply } from "../core/reply.ts";
import type { Transaction } from "../core/transaction.ts";
import { canMeasure, electorOf, nodesInTrials, planFor } from "../model/electorate.ts";
import { emit } from "../model/events.ts";
import { note, phaseOf, step } from "../model/phases.ts";
import { putTrial, trialOf } from "../model/rows.ts";
import type { Elector, TrialRow } from "../model/rows.ts";
import { allAnswered, conclude, proofOf, voteName } from "../model/verdicts.ts";
import { statusTrial } from "./trial.ts";

const DECISION_OF: Readonly<Record<TrialDecision, VoteDecision>> = {
  accept: "Accept",
  reject: "Reject",
  abstain: "Abstain",
};

/** Milliseconds by which a node's blocks may run fast against the replicated clock. */
const CLOCK_TOLERANCE_MS = 5_000;

/** Runs a `vote`. */
export function vote(tx: Transaction): Reply {
  const { node, document } = signedBody(tx, "Vote");
  const proposal = tx.byUid("Proposal", document.proposalUid);
  const trial = trialOf(tx, document.proposalUid);
  if (proposal === undefined || trial === undefined) {
    return refuse("NotFound", "there is no trial of such a proposal", {
      field: "proposalUid",
      value: document.proposalUid,
    });
  }
  const { namespace = "" } = proposal.metadata;
  const own = voteName(tx, proposal, document.attempt, document.node);
  const stored = tx.object("Vote", namespace, own);
  if (stored !== undefined) return repeated(tx, stored);
  requireThisTrial(document, trial);
  // First of all: was this node asked? Who was not has no late vote either.
  const asked = trial.electors.filter((one) => one.node === document.node);
  if (asked.length === 0) return notAsked(document.node);
  const config = tx.byUid("Config", trial.configUid);
  const running = phaseOf(proposal) === "Trialing" || phaseOf(proposal) === "Voting";
  if (!running || config === undefined) return lateVote(tx, trial, document, proposal);
  if (tx.nowMs >= trial.deadlineMs) return lateVote(tx, trial, document, proposal);
  const elector = asked.find((one) => one.answer === "");
  if (elector === undefined) return notAsked(document.node);
  const evidence = checkNumbers(tx, document, trial, elector);
  const written = record(tx, { proposal, document, node, lnHarm: evidence.lnHarm });
  count(tx, { config, proposal, trial, elector, document, ...evidence });
  return objectReply(tx.keyOf(written), tx.warnings);
}

function notAsked(node: string): never {
  return refuse("WrongNode", `node ${node} is not in this trial's electorate`, {
    field: "node",
    value: node,
  });
}

/** The same document again: the first delivery counts. Another document of the same node: no. */
function repeated(tx: Transaction, stored: Vote): Reply {
  if (!equalBytes(fromBase64(stored.spec.document), tx.command.body)) {
    refuse("AlreadyExists", `node ${stored.spec.node} has voted already`, {
      field: "node",
      value: stored.spec.node,
      help: "a vote is given once",
    });
  }
  return objectReply(tx.keyOf(stored), tx.warnings, false);
}

function requireThisTrial(document: VoteDocument, trial: TrialRow): void {
  const checks: readonly (readonly [string, string | number, string | number])[] = [
    ["attempt", trial.attempt, document.attempt],
    ["candidateHash", trial.candidateHash, document.candidateHash],
    ["baselineHash", trial.baselineHash, document.baselineHash],
  ];
  for (const [field, expected, given] of checks) {
    if (expected === given) continue;
    refuse("Conflict", `the vote's ${field} is not that of the trial`, {
      field,
      limit: expected,
      value: given,
    });
  }
}

/** After the verdict or the deadline: kept for people, without effect, and answered LateVote. */
function lateVote(
  tx: Transaction,
  trial: TrialRow,
  document: VoteDocument,
  proposal: Proposal,
): Reply {
  const known = trial.lateVotes.some((late) => late.node === document.node);
  const { node, decision } = document;
  if (!known && trial.lateVotes.length < LATE_VOTES_MAX) {
    const lateVotes = [...trial.lateVotes, { node, decision, atMs: tx.nowMs }];
    const open = phaseOf(proposal) === "Trialing" || phaseOf(proposal) === "Voting";
    putTrial(tx, { ...trial, lateVotes }, open);
  }
  const phase = phaseOf(proposal);
  return recordedRefusal(
    "LateVote",
    `the vote came after its time (the proposal is ${phase}); it is kept and has no effect`,
  );
}

interface Checked {
  readonly lnHarm: number;
  readonly pairs: number;
}

/** Recomputes the evidence against this node's own plan; a vote without data can only Abstain. */
function checkNumbers(
  tx: Transaction,
  document: VoteDocument,
  trial: TrialRow,
  elector: Elector,
): Checked {
  if (Object.keys(document.evidence).length === 0) {
    if (document.decision !== "Abstain") {
      mismatch("decision", `is ${document.decision}, without evidence it can only be Abstain`);
    }
    return { lnHarm: 0, pairs: 0 };
  }
  const evidence = withEvidence("EvidenceMismatch", () => readEvidence(document.evidence));
  const plan = planFor(trial, elector);
  const check = withEvidence("EvidenceMismatch", () => checkEvidence(evidence, plan));
  if (!check.ok) return mismatch(check.field, check.problem);
  if (document.decision !== DECISION_OF[check.decision] && !document.declined) {
    mismatch("decision", `is ${document.decision}, the evidence says ${check.decision}`);
  }
  const { blockSeconds } = trial.policy.trial;
  const neededMs = evidence.pairs * 2_000 * (blockSeconds + trial.washoutSeconds);
  const elapsedMs = tx.nowMs - elector.startedAtMs;
  if (neededMs > elapsedMs + CLOCK_TOLERANCE_MS) {
    const need = `${evidence.pairs} pairs need ${neededMs} ms`;
    mismatch("pairs", `${need}, since the start have passed ${elapsedMs} ms`);
  }
  return { lnHarm: check.lnHarm, pairs: evidence.pairs };
}

function mismatch(field: string, problem: string): never {
  return refuse("EvidenceMismatch", `evidence.${field} ${problem}`, {
    field: `evidence.${field}`,
    reason: problem.slice(0, 200),
  });
}

function record(
  tx: Transaction,
  ballot: {
    readonly proposal: Proposal;
    readonly document: VoteDocument;
    readonly node: Node;
    readonly lnHarm: number;
  },
): Vote {
  const { proposal, document, node } = ballot;
  const { name, namespace = "", uid } = proposal.metadata;
  const { document: bytes, signature } = proofOf(tx);
  return tx.create(
    "Vote",
    { namespace, name: voteName(tx, proposal, document.attempt, document.node) },
    {
      spec: {
        node: document.node,
        class: node.spec.class,
        proposal: name,
        proposalUid: uid,
        attempt: document.attempt,
        candidateHash: document.candidateHash,
        baselineHash: document.baselineHash,
        decision: document.decision,
        reason: document.reason,
        evidence: document.evidence,
        document: bytes,
        signature,
      },
      status: { lnHarm: ballot.lnHarm, declined: document.declined } satisfies JsonObject,
    },
  );
}

/** Puts the answer in its place, draws anew after a decline, and concludes when all have answered. */
function count(
  tx: Transaction,
  answer: Checked & {
    readonly config: Config;
    readonly proposal: Proposal;
    readonly trial: TrialRow;
    readonly elector: Elector;
    readonly document: VoteDocument;
  },
): void {
  const { config, proposal, trial, elector, document } = answer;
  const answered: Elector = {
    ...elector,
    answer: document.decision,
    lnHarm: answer.lnHarm,
    measured: answer.pairs > 0 && !document.declined,
  };
  const declined = document.declined ? [...trial.declined, elector.node] : trial.declined;
  const place = document.declined
    ? replacement(tx, config, { ...trial, declined }, elector)
    : undefined;
  const electors = trial.electors.map((one) => (one === elector ? (place ?? answered) : one));
  const next: TrialRow = { ...trial, electors, declined };
  putTrial(tx, next, true);
  const voted =
    phaseOf(proposal) === "Voting"
      ? proposal
      : step(tx, proposal, {
          phase: "Voting",
          reason: "FirstVote",
          message: `${document.node} was the first to answer`,
        });
  const shown = note(tx, voted, { trial: statusTrial(next), message: progress(next) });
  emit(tx, shown, {
    type: document.decision === "Reject" ? "Warning" : "Normal",
    reason: document.declined ? "Declined" : `Voted${document.decision}`,
    message: says(document, place),
  });
  if (allAnswered(next)) conclude(tx, config, shown, next);
}

function says(document: VoteDocument, place: Elector | undefined): string {
  const verb = document.declined ? "declined" : `voted ${document.decision}`;
  const instead = place === undefined ? "" : `; ${place.node} was drawn instead`;
  return `${document.node} ${verb}: ${document.reason}${instead}`;
}

function progress(trial: TrialRow): string {
  const answers = trial.electors.filter((elector) => elector.answer !== "").length;
  return `${answers} of ${trial.electors.length} trial nodes have answered`;
}

/** Another node of the class for a place whose node declined; undefined when there is none left. */
function replacement(
  tx: Transaction,
  config: Config,
  trial: TrialRow,
  elector: Elector,
): Elector | undefined {
  if (elector.redraws >= REDRAWS_MAX) return undefined;
  const taken = new Set([...trial.electors.map((one) => one.node), ...trial.declined]);
  const busy = nodesInTrials(tx);
  const signals = trial.objectives.map((objective) => objective.signal);
  const node = (trial.reserves[elector.class] ?? [])
    .filter((name) => !taken.has(name) && !busy.has(name))
    .map((name) => tx.object("Node", "", name))
    .find((one) => one !== undefined && canMeasure(one, config.spec.target, signals));
  if (node === undefined) return undefined;
  const place = electorOf(node, trial.objectives, tx.nowMs);
  return { ...place, redraws: elector.redraws + 1 };
}
