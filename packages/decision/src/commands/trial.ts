// `trial-start`: the second entry of a proposal. The leader adds entropy and says whom it can reach;
// everything else follows from state: the seed, the electorate, each node's plan, the deadline. From
// here on the candidate is fixed byte for byte.

import { toHex } from "@kingly/base";
import { spentBeta } from "@kingly/evidence";
import type { Config, PolicySpec, Proposal } from "@kingly/resources";
import {
  BETA_TRIALS_MAX,
  ENTROPY_BYTES,
  NODE_NAMES_MAX,
  STATUS_MESSAGE_CHARS_MAX,
} from "../limits.ts";
import { bodyOf } from "../core/body.ts";
import { betaKey } from "../core/keys.ts";
import { refuse } from "../core/refuse.ts";
import { objectReply } from "../core/reply.ts";
import type { Reply } from "../core/reply.ts";
import type { Transaction } from "../core/transaction.ts";
import {
  canStart,
  drawElectors,
  hashOf,
  objectivesOf,
  seedOf,
  trialPools,
} from "../model/electorate.ts";
import type { ClassPool } from "../model/electorate.ts";
import { statusOf, step } from "../model/phases.ts";
import { policyOf, ruleOf, schemaOf } from "../model/proposals.ts";
import { dequeue, improvementReason } from "../model/queue.ts";
import { putTrial, trialOf, updateConfigState } from "../model/rows.ts";
import type { TrialRow } from "../model/rows.ts";
import { deny, requireChecked, requireTurn } from "../model/turn.ts";

/** Runs a `trial-start`. */
export function trialStart(tx: Transaction): Reply {
  const body = bodyOf(tx);
  const uid = body.text("proposalUid");
  const attempt = body.integer("attempt", 1, 1_000);
  const reachable = body.sortedTexts("reachable", NODE_NAMES_MAX);
  const checked = body.optionalText("candidateHash");
  const broken = body.optionalText("invalid");
  body.end();
  const { entropy } = tx.command;
  if (entropy === undefined) {
    return refuse("InvalidField", "a trial needs the leader's entropy", {
      field: "entropy",
      limit: ENTROPY_BYTES,
      value: 0,
    });
  }
  const { proposal, config } = requireTurn(tx, uid);
  requireAttempt(tx, uid, attempt);
  const policy = policyOf(tx, config);
  const { changedKeys } = statusOf(proposal);
  if (checked !== "") requireChecked(proposal, checked);
  if (broken !== "") {
    deny(tx, config, proposal, broken);
    return objectReply(tx.keyOf(proposal), tx.warnings);
  }
  const pools = trialPools(tx, config, { reachable: new Set(reachable), changedKeys });
  if (!canStart(pools, policy)) refuseStart(pools, policy);
  const trial = makeTrial(tx, { proposal, config, policy, pools, attempt, entropy });
  putTrial(tx, trial, true);
  dequeue(tx, config.metadata.uid, uid);
  updateConfigState(tx, config.metadata.uid, { trial: uid });
  const nodes = trial.electors.map((elector) => elector.node);
  const stored = step(tx, proposal, {
    phase: "Trialing",
    reason: "TrialStarted",
    message: startMessage(trial, pools),
    status: { trial: statusTrial(trial) },
  });
  if (nodes.length < policy.electorate.nodesPerClass) {
    tx.warnings.push(`only ${nodes.length} node(s) take part in the trial`);
  }
  return objectReply(tx.keyOf(stored), tx.warnings);
}

function startMessage(trial: TrialRow, pools: readonly ClassPool[]): string {
  const nodes = trial.electors.map((elector) => elector.node).join(", ");
  const why = trial.requireImprovement ? `; it ${asks(trial.improvementReason)}` : "";
  const text = `${trial.electors.length} node(s) of ${pools.length} class(es) try it: ${nodes}${why}`;
  return text.slice(0, STATUS_MESSAGE_CHARS_MAX);
}

function asks(reason: string): string {
  return `must show improvement (${reason})`;
}

function requireAttempt(tx: Transaction, uid: string, attempt: number): void {
  const next = (trialOf(tx, uid)?.attempt ?? 0) + 1;
  if (attempt === next) return;
  refuse("Conflict", `the next attempt is ${next}`, {
    field: "attempt",
    limit: next,
    value: attempt,
  });
}

function refuseStart(pools: readonly ClassPool[], policy: PolicySpec): never {
  const shown = pools.map((pool) => `${pool.class}: ${pool.eligible.length} of ${pool.size}`);
  return refuse("Unavailable", "too few nodes can measure this trial now", {
    field: "reachable",
    limit: policy.electorate.minVotesPerClass,
    value: shown.join(", "),
    reason: "TooFewTrialNodes",
    help: "nodes must be reachable, have bound target and signals, and be in no other trial",
  });
}

interface TrialParts {
  readonly proposal: Proposal;
  readonly config: Config;
  readonly policy: PolicySpec;
  readonly pools: readonly ClassPool[];
  readonly attempt: number;
  readonly entropy: Uint8Array;
}

function makeTrial(tx: Transaction, parts: TrialParts): TrialRow {
  const { proposal, config, policy, pools, attempt, entropy } = parts;
  const { uid } = proposal.metadata;
  const { candidateHash, changedKeys } = statusOf(proposal);
  const schema = schemaOf(tx, config);
  const objectives = objectivesOf(tx, config);
  const seed = seedOf(tx.crypto, { entropy, uid, chainHash: tx.entry.chainHash });
  const improvement = improvementReason(tx, config, proposal);
  const trialNumber = spendTrial(tx, config, changedKeys);
  const settle = changedKeys.map((key) => ruleOf(schema, key)?.settleSeconds ?? 0);
  const washoutSeconds = Math.max(policy.trial.washoutSeconds, ...settle);
  // A longer wash-out than the policy's needs more time than the policy's deadline.
  const pairsMs = policy.trial.maxPairs * 2_000 * (policy.trial.blockSeconds + washoutSeconds);
  const startedAtMs = tx.nowMs;
  return {
    proposalUid: uid,
    configUid: config.metadata.uid,
    attempt,
    seed: toHex(seed),
    startedAtMs,
    deadlineMs: startedAtMs + Math.ceil(Math.max(policy.trial.deadlineSeconds * 1_000, pairsMs)),
    baselineVersion: config.status?.version ?? 0,
    baselineHash: config.status?.contentHash ?? "",
    candidateHash,
    changedKeys,
    objectives,
    policy,
    beta: spentBeta(policy.beta, trialNumber),
    trialNumber,
    washoutSeconds,
    requireImprovement: improvement !== "",
    improvementReason: improvement,
    classSizes: Object.fromEntries(pools.map((pool) => [pool.class, pool.size])),
    hashes: {
      selector: hashOf(tx.crypto, config.spec.selector),
      schema: hashOf(tx.crypto, schema),
      objectives: hashOf(tx.crypto, objectives),
      policy: hashOf(tx.crypto, policy),
    },
    ...drawElectors(pools, { seed, policy, objectives, startedAtMs, crypto: tx.crypto }),
    declined: [],
    lateVotes: [],
  };
}

/** Counts this trial on the account of every key it changes; the largest count is its number. */
function spendTrial(tx: Transaction, config: Config, keys: readonly string[]): number {
  let largest = 1;
  for (const key of keys) {
    const row = betaKey(config.metadata.uid, key);
    const count = Math.min((tx.row<number>(row) ?? 0) + 1, BETA_TRIALS_MAX);
    tx.putRow(row, count);
    largest = Math.max(largest, count);
  }
  return largest;
}

/** What a proposal's status shows of its trial. */
export function statusTrial(trial: TrialRow): NonNullable<ReturnType<typeof statusOf>["trial"]> {
  return {
    attempt: trial.attempt,
    seed: trial.seed,
    startedAtMs: trial.startedAtMs,
    deadlineMs: trial.deadlineMs,
    nodes: trial.electors.map((elector) => elector.node),
    candidateHash: trial.candidateHash,
    baselineHash: trial.baselineHash,
    baselineVersion: trial.baselineVersion,
    changedKeys: trial.changedKeys,
    blockSeconds: trial.policy.trial.blockSeconds,
    washoutSeconds: trial.washoutSeconds,
    maxPairs: trial.policy.trial.maxPairs,
  };
}
