// `direct-commit`: a proposal that had to wait takes its turn where no trial is needed. (One that finds
// its Config at rest is committed by the entry that opens it: admission has just judged that content.)

import { bodyOf } from "../core/body.ts";
import { refuse } from "../core/refuse.ts";
import { objectReply } from "../core/reply.ts";
import type { Reply } from "../core/reply.ts";
import type { Transaction } from "../core/transaction.ts";
import { policyOf } from "../model/proposals.ts";
import { commitDirectly, deny, isDirect, requireChecked, requireTurn } from "../model/turn.ts";

/** Runs a `direct-commit`. */
export function directCommit(tx: Transaction): Reply {
  const body = bodyOf(tx);
  const uid = body.text("proposalUid");
  const checked = body.text("candidateHash");
  const broken = body.optionalText("invalid");
  body.end();
  const { proposal, config } = requireTurn(tx, uid);
  const policy = policyOf(tx, config);
  if (!isDirect(policy, config)) {
    refuse("Conflict", `the policy of Config ${config.metadata.name} asks for a trial`, {
      rule: "directCommits",
      value: proposal.metadata.name,
    });
  }
  requireChecked(proposal, checked);
  if (broken === "") commitDirectly(tx, config, proposal, policy);
  else deny(tx, config, proposal, broken);
  return objectReply(tx.keyOf(proposal), tx.warnings);
}
