// A rollout: stages of nodes that get a version, each with its soak, its share of confirmations and
// its veto budget. Stages are drawn when the version is committed; the trial's acceptors come first.

import { compareStrings, concatBytes, toHex, utf8Encode } from "@kingly/base";
import { vetoBudget } from "@kingly/evidence";
import type {
  Config,
  Node,
  Proposal,
  Rollout,
  RolloutStage,
  RolloutStatus,
} from "@kingly/resources";
import { NODES_NAMED_MAX, REACHABLE_PER_MILLE_MIN } from "../limits.ts";
import { betaKey } from "../core/keys.ts";
import type { Transaction } from "../core/transaction.ts";
import { readObject } from "../core/view.ts";
import type { StateView } from "../core/view.ts";
import { assignVersion } from "./assignments.ts";
import { emit, shorten, withCondition } from "./events.ts";
import { rolloutRowOf } from "./rows.ts";
import type { RolloutRow } from "./rows.ts";
import { step } from "./phases.ts";
import { classesOf } from "./selection.ts";

const PPM = 1_000_000;

/** Status of a rollout; every stored rollout has one. */
export function rolloutStatus(rollout: Rollout): RolloutStatus {
  return rollout.status ?? EMPTY_ROLLOUT_STATUS;
}

/** Status of a rollout before its first stage. */
export const EMPTY_ROLLOUT_STATUS: RolloutStatus = {
  phase: "Progressing",
  reason: "Started",
  message: "",
  stage: 0,
  stages: [],
  excluded: [],
  received: [],
  applied: [],
  confirmed: [],
  vetoed: [],
  failed: [],
  vetoBudget: 1,
  conditions: [],
};

/** True while a rollout holds its Config. */
export function isMoving(rollout: Rollout | undefined): boolean {
  const phase = rollout?.status?.phase;
  return phase === "Progressing" || phase === "Paused";
}

/**
 * Cuts nodes into stages by cumulative shares (rounded up; 0 = one node per class); empty stages are
 * left out. Within the seeded order, nodes of `first` come before the others.
 */
export function planStages(
  nodes: readonly Node[],
  shares: readonly number[],
  order: { readonly first: ReadonlySet<string>; readonly rank: (node: string) => string },
): RolloutStage[] {
  const ranked = nodes
    .map((node) => {
      const name = node.metadata.name;
      return { node, key: `${order.first.has(name) ? 0 : 1}${order.rank(name)}` };
    })
    .sort((a, b) => compareStrings(a.key, b.key))
    .map((entry) => entry.node);
  const taken = new Set<string>();
  const stages: RolloutStage[] = [];
  const add = (batch: readonly Node[]): void => {
    const names = batch.map((node) => node.metadata.name);
    for (const name of names) taken.add(name);
    if (names.length > 0) stages.push({ nodes: names.sort(), startedAtMs: 0, endedAtMs: 0 });
  };
  for (const share of [...shares, 1]) {
    const left = ranked.filter((node) => !taken.has(node.metadata.name));
    if (share === 0) {
      const heads = classesOf(left).map((name) => left.find((node) => node.spec.class === name));
      add(heads.filter((node) => node !== undefined));
      continue;
    }
    // Shares are decimals of a policy; parts per million keep 0.1 of 30 at 3.
    const wanted = Math.ceil((Math.floor(share * PPM + 0.5) * ranked.length) / PPM);
    add(left.slice(0, Math.max(0, wanted - taken.size)));
  }
  return stages;
}

/** Rank of a node in the order of stages: a hash that nobody chose. */
export function rankBy(tx: Transaction, seed: Uint8Array): (node: string) => string {
  return (node) =>
    toHex(tx.crypto.sha256(concatBytes(utf8Encode("kingly/stage/v1|"), seed, utf8Encode(node))));
}

/** Nodes that this rollout has assigned so far, of those that still exist; sorted. */
export function assignedNodes(view: StateView, rollout: Rollout): string[] {
  const status = rolloutStatus(rollout);
  const names = status.stages.slice(0, status.stage + 1).flatMap((stage) => stage.nodes);
  return [...new Set(names)].filter((name) => nodeExists(view, name)).sort();
}

function nodeExists(view: StateView, name: string): boolean {
  return readObject(view, "Node", "", name) !== undefined;
}

/** Vetoes at which the nodes assigned so far stop the rollout. */
export function budgetFor(row: RolloutRow, nodes: number): number {
  const m = vetoBudget({ nodes: Math.max(1, nodes), alphaLocal: row.alphaLocal });
  return Math.max(1, Math.min(m, row.policy.rollout.vetoCeiling));
}

/** Begins a stage: its nodes get the version. */
export function beginStage(
  tx: Transaction,
  config: Config,
  rollout: Rollout,
  stage: number,
): Rollout {
  const before = rolloutStatus(rollout);
  const current = before.stages[stage];
  const stages = before.stages.map((other, i) => {
    if (i === stage) return { ...other, startedAtMs: tx.nowMs };
    return i === stage - 1 ? { ...other, endedAtMs: tx.nowMs } : other;
  });
  const cumulative = stages.slice(0, stage + 1).flatMap((one) => one.nodes).length;
  const nodes = current?.nodes ?? [];
  const message =
    `stage ${stage + 1} of ${stages.length}: ${nodes.length} more node(s) get version ` +
    `${rollout.spec.version}, ${cumulative} in all`;
  const row = rolloutRowOf(tx, rollout.metadata.uid);
  const next = tx.put({
    ...rollout,
    status: {
      ...before,
      phase: "Progressing" as const,
      reason: "StageStarted",
      message,
      stage,
      stages,
      vetoBudget: budgetFor(row, cumulative),
    },
  });
  emit(tx, next, { type: "Normal", reason: "StageStarted", message });
  assignVersion(tx, config, nodes, rollout.spec.version);
  return next;
}

/** Pauses or resumes a rollout, with the reason. */
export function setPaused(
  tx: Transaction,
  rollout: Rollout,
  to: { readonly paused: boolean; readonly reason: string; readonly message: string },
): Rollout {
  const status = rolloutStatus(rollout);
  const message = shorten(to.message);
  const conditions = withCondition(
    status.conditions,
    { type: "Paused", status: to.paused ? "True" : "False", reason: to.reason, message },
    tx.nowMs,
  );
  const phase = to.paused ? ("Paused" as const) : ("Progressing" as const);
  const next = tx.put({
    ...rollout,
    status: { ...status, phase, reason: to.reason, message, conditions },
  });
  emit(tx, next, { type: to.paused ? "Warning" : "Normal", reason: to.reason, message });
  return next;
}

/** Why a stage cannot end yet, or undefined when it can. */
export interface StageObstacle {
  readonly reason: "Soaking" | "TooFewReachable" | "TooFewConfirmed" | "Unsettled";
  readonly message: string;
}

/** What keeps the current stage from ending at this time with these nodes out of reach. */
export function stageObstacle(
  view: StateView,
  rollout: Rollout,
  at: { readonly nowMs: number; readonly unreachable: ReadonlySet<string> },
): StageObstacle | undefined {
  const status = rolloutStatus(rollout);
  const stage = status.stages[status.stage];
  const { policy } = rolloutRowOf(view, rollout.metadata.uid);
  const soakEndsMs = (stage?.startedAtMs ?? 0) + policy.rollout.soakSeconds * 1_000;
  if (stage !== undefined && at.nowMs < soakEndsMs) {
    const left = Math.ceil((soakEndsMs - at.nowMs) / 1_000);
    return { reason: "Soaking", message: `the stage soaks for another ${left} s` };
  }
  const assigned = assignedNodes(view, rollout);
  const reachable = assigned.filter((node) => !at.unreachable.has(node));
  if (reachable.length * 1_000 < assigned.length * REACHABLE_PER_MILLE_MIN) {
    const message = `only ${reachable.length} of ${assigned.length} nodes are reachable`;
    return { reason: "TooFewReachable", message };
  }
  const confirmed = new Set(status.confirmed);
  const settled = new Set([...status.confirmed, ...status.vetoed, ...status.failed]);
  if (status.stage >= status.stages.length - 1) {
    const open = reachable.filter((node) => !settled.has(node));
    // Who is there but never answers does not keep the Config from its next change for ever.
    const answerByMs = soakEndsMs + policy.rollout.confirmDeadlineSeconds * 1_000;
    if (open.length === 0 || at.nowMs >= answerByMs) return undefined;
    const message = `${open.length} reachable node(s) have not confirmed, vetoed or failed yet`;
    return { reason: "Unsettled", message };
  }
  const vetoed = new Set(status.vetoed);
  const voting = reachable.filter((node) => !vetoed.has(node));
  const done = voting.filter((node) => confirmed.has(node)).length;
  const needed = Math.floor(policy.rollout.confirmedShare * PPM + 0.5) * voting.length;
  if (done * PPM >= needed) return undefined;
  const message = `${done} of ${voting.length} reachable nodes have confirmed`;
  return { reason: "TooFewConfirmed", message };
}

/** A group of nodes in a sentence, by name while they are few; undefined for none. */
function told(what: string, nodes: readonly string[]): string | undefined {
  if (nodes.length === 0) return undefined;
  const named = nodes.slice(0, NODES_NAMED_MAX).join(", ");
  const more = nodes.length - NODES_NAMED_MAX;
  return `${what} ${named}${more > 0 ? ` and ${more} more` : ""}`;
}

/** How a settled rollout ended: who keeps the version, who said no and where, who said nothing. */
function endOf(tx: Transaction, rollout: Rollout): string {
  const { confirmed, excluded, vetoed, failed } = rolloutStatus(rollout);
  const settled = new Set([...confirmed, ...vetoed, ...failed]);
  const silent = assignedNodes(tx, rollout).filter((node) => !settled.has(node));
  const parts = [
    `version ${rollout.spec.version} is confirmed by ${confirmed.length} node(s)`,
    told("voted no in the trial and never got it:", excluded),
    told("vetoed it in the rollout:", vetoed),
    excluded.length + vetoed.length === 0 ? "no node said no" : undefined,
    told("could not apply it:", failed),
    told("no answer from", silent),
  ];
  return parts.filter((part) => part !== undefined).join("; ");
}

/** Ends a rollout whose last stage has settled. The Config is free for its next change. */
export function completeRollout(tx: Transaction, config: Config, rollout: Rollout): Rollout {
  const status = rolloutStatus(rollout);
  const stages = status.stages.map((stage, i) =>
    i === status.stage ? { ...stage, endedAtMs: tx.nowMs } : stage,
  );
  const message = shorten(endOf(tx, rollout));
  const conditions = withCondition(
    status.conditions,
    { type: "Completed", status: "True", reason: "Settled", message },
    tx.nowMs,
  );
  const next = tx.put({
    ...rollout,
    status: {
      ...status,
      phase: "Completed" as const,
      reason: "Settled",
      message,
      stages,
      conditions,
    },
  });
  emit(tx, next, { type: "Normal", reason: "RolloutCompleted", message });
  // A confirmed commit closes the accounts of the keys it changed.
  for (const key of rolloutRowOf(tx, rollout.metadata.uid).changedKeys) {
    tx.deleteRow(betaKey(config.metadata.uid, key));
  }
  const proposal = proposalOf(tx, rollout);
  if (proposal !== undefined) {
    step(tx, proposal, { phase: "Completed", reason: "RolledOut", message });
  }
  return next;
}

/** The proposal whose version this rolls out; undefined for versions made without one. */
export function proposalOf(tx: Transaction, rollout: Rollout): Proposal | undefined {
  if (rollout.spec.proposal === "") return undefined;
  return tx.object("Proposal", rollout.metadata.namespace ?? "", rollout.spec.proposal);
}
