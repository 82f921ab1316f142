// A waiting proposal's turn. The leader's controller gives it, and its admission judges the content as
// it would be decided now: later decisions have moved it to another base, or its schema has changed,
// since it was opened. Apply has no library to judge a schema with; it compares what admission looked
// at (read set, candidate's hash) and acts on the judgement.

import type { Config, PolicySpec, Proposal } from "@kingly/resources";
import { refuse } from "../core/refuse.ts";
import type { Transaction } from "../core/transaction.ts";
import { candidateContent, commitVersion, directSeed } from "./commit.ts";
import { phaseOf, statusOf } from "./phases.ts";
import { dequeue, endQueued, isIdle } from "./queue.ts";
import { configStateOf } from "./rows.ts";

/** True when changes of the Config are committed without a trial: allowed, or nothing to compare. */
export function isDirect(policy: PolicySpec, config: Config): boolean {
  return policy.directCommits || (config.status?.version ?? 0) === 0;
}

/** The proposal and its Config; refuses with NotFound or Conflict unless it is waiting and next. */
export function requireTurn(
  tx: Transaction,
  uid: string,
): { readonly proposal: Proposal; readonly config: Config } {
  const proposal = tx.byUid("Proposal", uid);
  if (proposal === undefined) {
    return refuse("NotFound", "there is no such proposal", { field: "proposalUid", value: uid });
  }
  const { namespace = "" } = proposal.metadata;
  const config = tx.object("Config", namespace, proposal.spec.config);
  const phase = phaseOf(proposal);
  if (config === undefined || phase !== "Validated") {
    return refuse("Conflict", `proposal ${proposal.metadata.name} is ${phase}, not Validated`, {
      field: "status.phase",
      limit: "Validated",
      value: phase,
    });
  }
  const state = configStateOf(tx, config.metadata.uid);
  if (!isIdle(tx, config.metadata.uid) || state.queue[0] !== uid) {
    refuse("Conflict", `another change of Config ${config.metadata.name} comes first`, {
      field: "proposalUid",
      value: proposal.metadata.name,
      rule: "OneChangeInFlight",
    });
  }
  return { proposal, config };
}

/** Refuses with Retry when the candidate is not the one that admission checked. */
export function requireChecked(proposal: Proposal, checkedHash: string): void {
  const { candidateHash } = statusOf(proposal);
  if (checkedHash === candidateHash) return;
  refuse("Retry", "the candidate moved after it was checked", {
    field: "candidateHash",
    limit: candidateHash,
    value: checkedHash,
  });
}

/** Ends a proposal whose content, moved onto what is decided now, breaks the schema of now. */
export function deny(tx: Transaction, config: Config, proposal: Proposal, broken: string): void {
  const version = config.status?.version ?? 0;
  endQueued(tx, config, proposal, {
    phase: "Denied",
    reason: "SchemaViolation",
    message: `on top of version ${version} the content breaks its schema: ${broken}`,
  });
}

/** Commits the candidate of the proposal whose turn it is, without a trial. */
export function commitDirectly(
  tx: Transaction,
  config: Config,
  proposal: Proposal,
  policy: PolicySpec,
): void {
  const { uid, name, namespace = "" } = config.metadata;
  dequeue(tx, uid, proposal.metadata.uid);
  const current = tx.object("Config", namespace, name) ?? config;
  const first = (current.status?.version ?? 0) === 0;
  commitVersion(tx, {
    config: current,
    data: candidateContent(tx, proposal),
    proposal,
    verdict: "Direct",
    reason: first ? "FirstVersion" : "DirectCommit",
    message: first
      ? "committed without a trial: no version stands to compare with"
      : "committed without a trial, as the policy allows",
    policy,
    acceptors: [],
    rejections: [],
    seed: directSeed(tx, uid),
  });
}
