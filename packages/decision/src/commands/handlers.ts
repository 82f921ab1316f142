// The table of command handlers, one per type.

import type { CommandType } from "../core/command.ts";
import type { Reply } from "../core/reply.ts";
import { refuse } from "../core/refuse.ts";
import type { Transaction } from "../core/transaction.ts";

/** Runs one command inside its transaction. */
export type Handler = (tx: Transaction) => Reply;

const notYet: Handler = (tx) => refuse("Usage", `${tx.command.type} comes with the next commit`);

/** Handler of every command type. */
export const HANDLERS: Readonly<Record<CommandType, Handler>> = {
  genesis: notYet,
  write: notYet,
  propose: notYet,
  vote: notYet,
  veto: notYet,
  "agent-proposal": notYet,
  calibration: notYet,
  "trial-start": notYet,
  deadline: notYet,
  "advance-rollout": notYet,
  acks: notYet,
  "enroll-node": notYet,
  "join-token": notYet,
  "rollback-rollout": notYet,
  "resume-rollout": notYet,
  withdraw: notYet,
  "node-status": notYet,
  "release-quarantine": notYet,
};
