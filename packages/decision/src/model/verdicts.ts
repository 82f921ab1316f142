// The verdict as an event in a proposal's life: when all have answered or the deadline has passed, the
// answers are counted, and the proposal is committed, rejected (and its change quarantined) or left
// undecided.

import { fromHex, toBase64 } from "@kingly/base";
import type { Config, Proposal, Verdict, Vote } from "@kingly/resources";
import type { Transaction } from "../core/transaction.ts";
import { readObject } from "../core/view.ts";
import type { StateView } from "../core/view.ts";
import { verdictOf } from "./ballot.ts";
import { candidateContent, commitVersion } from "./commit.ts";
import { quarantine } from "./rollback.ts";
import { contentOf } from "./content.ts";
import { statusOf, step } from "./phases.ts";
import { isIntent, setSynced } from "./queue.ts";
import { putTrial, updateConfigState } from "./rows.ts";
import type { TrialRow } from "./rows.ts";

/**
 * Name of a node's vote: `<proposal>-a<attempt>-<node>`. Names may hold dashes, so two votes can want
 * the same name; the second then carries the beginning of its proposal's uid.
 */
export function voteName(
  view: StateView,
  proposal: Proposal,
  attempt: number,
  node: string,
): string {
  const { name, namespace = "", uid } = proposal.metadata;
  const wanted = `${name}-a${attempt}-${node}`;
  const stored = readObject(view, "Vote", namespace, wanted)?.spec;
  const own = stored?.proposalUid === uid && stored.attempt === attempt && stored.node === node;
  return stored === undefined || own ? wanted : `${wanted}-${uid.slice(0, 8)}`;
}

/** True when every place in the electorate has answered. */
export function allAnswered(trial: TrialRow): boolean {
  return trial.electors.every((elector) => elector.answer !== "");
}

/** Counts the answers and acts on the verdict. */
export function conclude(
  tx: Transaction,
  config: Config,
  proposal: Proposal,
  trial: TrialRow,
): void {
  putTrial(tx, trial, false);
  updateConfigState(tx, config.metadata.uid, { trial: "" });
  const verdict = verdictOf({
    votes: trial.electors.map(({ answer, ...elector }) => ({ ...elector, decision: answer })),
    classSizes: trial.classSizes,
    policy: trial.policy,
    beta: trial.beta,
  });
  const judged = tx.put({ ...proposal, status: { ...statusOf(proposal), verdict } });
  const message = `${verdict.message} (${tally(verdict)})`;
  if (verdict.outcome === "Accepted") {
    accept(tx, config, judged, { trial, verdict, message });
  } else {
    const phase = verdict.outcome;
    step(tx, judged, { phase, reason: verdict.reason, message });
    if (phase === "Rejected") {
      const rejecting = verdict.classes.filter((one) => one.outcome === "rejects");
      quarantine(tx, config, {
        base: contentOf(tx, trial.baselineHash),
        candidate: contentOf(tx, trial.candidateHash),
        proposal: judged,
        why: { reason: verdict.reason, message, classes: rejecting.map((one) => one.class) },
      });
    }
    if (isIntent(judged)) setSynced(tx, config, "False", { reason: phase, message });
  }
}

function tally(verdict: Verdict): string {
  const { accept: yes, reject: no, abstain } = verdict.votes;
  return `${yes} Accept, ${no} Reject, ${abstain} Abstain`;
}

function accept(
  tx: Transaction,
  config: Config,
  proposal: Proposal,
  decision: {
    readonly trial: TrialRow;
    readonly verdict: Verdict;
    readonly message: string;
  },
): void {
  const { trial } = decision;
  const of = (answer: "Accept" | "Reject"): string[] =>
    trial.electors.filter((elector) => elector.answer === answer).map((elector) => elector.node);
  commitVersion(tx, {
    config,
    data: candidateContent(tx, proposal),
    proposal,
    verdict: "Accepted",
    reason: decision.verdict.reason,
    message: decision.message,
    policy: trial.policy,
    acceptors: of("Accept"),
    rejections: of("Reject").flatMap((node) => voteOf(tx, proposal, trial, node)),
    seed: fromHex(trial.seed),
  });
}

function voteOf(tx: Transaction, proposal: Proposal, trial: TrialRow, node: string): Vote[] {
  const { namespace = "" } = proposal.metadata;
  const vote = tx.object("Vote", namespace, voteName(tx, proposal, trial.attempt, node));
  return vote === undefined ? [] : [vote];
}

/** Base64 of a command's document and signature, for the record. */
export function proofOf(tx: Transaction): {
  readonly document: string;
  readonly signature: string;
} {
  const { body, signature } = tx.command;
  return {
    document: toBase64(body),
    signature: signature === undefined ? "" : toBase64(signature),
  };
}
