// Phases of a proposal: one function moves a proposal from phase to phase, writes the conditions that
// `kubectl wait` looks for, and records the Event. Which phases are final, and which hold a Config.

import type { Condition, Proposal, ProposalPhase, ProposalStatus } from "@kingly/resources";
import type { Transaction } from "../core/transaction.ts";
import { emit, shorten, withCondition } from "./events.ts";

/** One step of a proposal. */
export interface Step {
  readonly phase: ProposalPhase;
  /** CamelCase, stable. */
  readonly reason: string;
  /** A sentence for people. */
  readonly message: string;
  /** Other fields of status that change with it. */
  readonly status?: Partial<ProposalStatus>;
}

const FINAL: readonly ProposalPhase[] = [
  "Rejected",
  "Inconclusive",
  "Expired",
  "Withdrawn",
  "Superseded",
  "Denied",
  "Completed",
  "RolledBack",
];

const FAILED: readonly ProposalPhase[] = [
  "Rejected",
  "Inconclusive",
  "Expired",
  "Denied",
  "RolledBack",
];

/** True when nothing more will happen to the proposal (except that Completed can be rolled back). */
export function isFinal(phase: ProposalPhase): boolean {
  return FINAL.includes(phase);
}

/** Phase of a proposal. */
export function phaseOf(proposal: Proposal): ProposalPhase {
  return proposal.status?.phase ?? "Pending";
}

/** Status of a proposal; every stored proposal has one. */
export function statusOf(proposal: Proposal): ProposalStatus {
  return proposal.status ?? EMPTY_STATUS;
}

/** Status of a proposal that has just been written. */
export const EMPTY_STATUS: ProposalStatus = {
  phase: "Pending",
  reason: "Opened",
  message: "",
  candidateHash: "",
  changedKeys: [],
  committedVersion: 0,
  conditions: [],
};

/** Moves a proposal to a phase, with its conditions and its Event; returns it as stored. */
export function step(tx: Transaction, proposal: Proposal, to: Step): Proposal {
  const before = statusOf(proposal);
  const message = shorten(to.message);
  const status: ProposalStatus = {
    ...before,
    ...to.status,
    phase: to.phase,
    reason: to.reason,
    message,
    conditions: conditionsFor(tx, before.conditions, to),
  };
  const stored = tx.put({ ...proposal, status });
  const type = FAILED.includes(to.phase) ? "Warning" : "Normal";
  emit(tx, stored, { type, reason: to.reason, message });
  return stored;
}

/** Changes status without leaving the phase: no Event. */
export function note(
  tx: Transaction,
  proposal: Proposal,
  change: Partial<ProposalStatus>,
): Proposal {
  return tx.put({ ...proposal, status: { ...statusOf(proposal), ...change } });
}

function conditionsFor(
  tx: Transaction,
  conditions: readonly Condition[],
  to: Step,
): readonly Condition[] {
  const { reason, message } = to;
  const set = (
    all: readonly Condition[],
    type: string,
    status: "True" | "False",
  ): readonly Condition[] =>
    withCondition(all, { type, status, reason, message, observedGeneration: 1 }, tx.nowMs);
  let next = conditions;
  if (next.some((condition) => condition.type === "Trialing" && condition.status === "True")) {
    if (to.phase !== "Voting") next = set(next, "Trialing", "False");
  }
  switch (to.phase) {
    case "Validated":
    case "Trialing":
      return set(next, to.phase, "True");
    case "Committed":
      return set(next, "Committed", "True");
    case "Completed":
      return set(next, "RolledOut", "True");
    case "RolledBack":
      return set(set(next, "RolledOut", "False"), "RolledBack", "True");
    case "Rejected":
    case "Inconclusive":
    case "Expired":
    case "Withdrawn":
    case "Superseded":
    case "Denied":
      return set(set(next, "Committed", "False"), to.phase, "True");
    case "Pending":
    case "AwaitingApproval":
    case "Voting":
    case "RollingOut":
      return next;
  }
}
