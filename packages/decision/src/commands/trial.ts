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
import { phaseOf, statusOf, step } from "../model/phases.ts";
import { giveTurn, policyOf, ruleOf, schemaOf } from "../model/proposals.ts";
import { dequeue, endQueued, improvementReason, isIdle } from "../model/queue.ts";
import { configStateOf, putTrial, trialOf, updateConfigState } from "../model/rows.ts";
import type { TrialRow } from "../model/rows.ts";

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
  const { proposal, config } = requireTurn(tx, uid, attempt);
  const policy = policyOf(tx, config);
  const { changedKeys, candidateHash } = statusOf(proposal);
  if (checked !== "" && checked !== candidateHash) {
    refuse("Retry", "the candidate moved after it was checked", {
      field: "candidateHash",
      limit: candidateHash,
      value: checked,
    });
  }
  if (broken !== "") return deny(tx, config, proposal, broken);
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

/** The content that later commits made of the change breaks the schema: nobody tries it. */
function deny(tx: Transaction, config: Config, proposal: Proposal, broken: string): Reply {
  const version = config.status?.version ?? 0;
  endQueued(tx, config, proposal, {
    phase: "Denied",
    reason: "SchemaViolation",
    message: `on top of version ${version} the content breaks its schema: ${broken}`,
  });
  giveTurn(tx, config);
  return objectReply(tx.keyOf(proposal), tx.warnings);
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

function requireTurn(
  tx: Transaction,
  uid: string,
  attempt: number,
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
  const next = (trialOf(tx, uid)?.attempt ?? 0) + 1;
  if (attempt !== next) {
    refuse("Conflict", `the next attempt is ${next}`, {
      field: "attempt",
      limit: next,
      value: attempt,
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
