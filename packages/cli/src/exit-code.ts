// The exit codes of kinglyctl. Published, and never reused.

import { ERROR_TABLE, type KinglyError } from "@kingly/base";
import type { Proposal, Rollout } from "@kingly/resources";

/** Every exit code by its meaning. */
export const EXIT = {
  ok: 0,
  error: 1,
  usage: 2,
  rejected: 3,
  denied: 4,
  conflict: 5,
  timeout: 6,
  rolledBack: 7,
  vetoed: 8,
  inconclusive: 9,
} as const;

/** Exit code of an error, from the one table that all interfaces share. */
export function exitCodeOf(error: KinglyError): number {
  return ERROR_TABLE[error.code].exit;
}

/** Exit code of a proposal that will not change any more, or undefined while it still may. */
export function exitCodeOfProposal(proposal: Proposal, rollout?: Rollout): number | undefined {
  switch (proposal.status?.phase) {
    case "Completed":
      return rollout !== undefined && rollout.status !== undefined
        ? completedCode(rollout.status.vetoed.length, rollout.status.vetoBudget)
        : EXIT.ok;
    case "RolledBack":
      return EXIT.rolledBack;
    case "Rejected":
      return EXIT.rejected;
    case "Denied":
      return EXIT.denied;
    case "Inconclusive":
    case "Expired":
      return EXIT.inconclusive;
    case "Withdrawn":
    case "Superseded":
      return EXIT.conflict;
    case "Pending":
    case "Validated":
    case "AwaitingApproval":
    case "Trialing":
    case "Voting":
    case "Committed":
    case "RollingOut":
    case undefined:
      return undefined;
  }
}

/** Exit code of a rollout that has ended, or undefined while it still moves. */
export function exitCodeOfRollout(rollout: Rollout): number | undefined {
  switch (rollout.status?.phase) {
    case "Completed":
      return completedCode(rollout.status.vetoed.length, rollout.status.vetoBudget);
    case "RolledBack":
      return EXIT.rolledBack;
    case "Superseded":
      return EXIT.conflict;
    case "Progressing":
    case "Paused":
    case undefined:
      return undefined;
  }
}

function completedCode(vetoes: number, budget: number): number {
  return budget > 0 && vetoes >= budget ? EXIT.vetoed : EXIT.ok;
}
