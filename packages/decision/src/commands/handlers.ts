// The table of command handlers, one per type.

import type { CommandType } from "../core/command.ts";
import type { Reply } from "../core/reply.ts";
import type { Transaction } from "../core/transaction.ts";
import { deadline } from "./deadline.ts";
import { directCommit } from "./direct-commit.ts";
import { genesis } from "./genesis.ts";
import { calibration, enrollNode, joinToken, nodeStatus } from "./nodes.ts";
import { agentProposal, propose, releaseQuarantine, withdraw } from "./propose.ts";
import { acks, advanceRollout, resumeRollout, rollbackRollout } from "./rollout.ts";
import { trialStart } from "./trial.ts";
import { veto } from "./veto.ts";
import { vote } from "./vote.ts";
import { write } from "./write.ts";

/** Runs one command inside its transaction; refuses by throwing a KinglyError. */
export type Handler = (tx: Transaction) => Reply;

/** Handler of every command type. */
export const HANDLERS: Readonly<Record<CommandType, Handler>> = {
  genesis,
  write,
  propose,
  vote,
  veto,
  "agent-proposal": agentProposal,
  calibration,
  "trial-start": trialStart,
  deadline,
  "advance-rollout": advanceRollout,
  acks,
  "enroll-node": enrollNode,
  "join-token": joinToken,
  "rollback-rollout": rollbackRollout,
  "resume-rollout": resumeRollout,
  withdraw,
  "node-status": nodeStatus,
  "release-quarantine": releaseQuarantine,
  "direct-commit": directCommit,
};
