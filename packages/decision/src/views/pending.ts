// What the leader should propose now. A level-triggered controller: it looks at state and says what is
// open; nothing is remembered, so a new leader goes on where the old one stopped. Every command has a
// stable key, so that the same work is not proposed twice while it is on its way.

import { canonicalJson, utf8Encode } from "@kingly/base";
import type { JsonValue } from "@kingly/base";
import type { Config, Policy, Proposal, Rollout } from "@kingly/resources";
import { PENDING_WORK_MAX } from "../limits.ts";
import type { CommandType } from "../core/command.ts";
import { OPEN_TRIAL_PREFIX, uidKey } from "../core/keys.ts";
import { readObject, readObjects } from "../core/view.ts";
import type { StateView, StoredObject } from "../core/view.ts";
import { canStart, trialPools } from "../model/electorate.ts";
import { phaseOf, statusOf } from "../model/phases.ts";
import { isActive } from "../model/pins.ts";
import { queueDeadlineMs } from "../model/queue.ts";
import { assignedNodes, isMoving, stageObstacle } from "../model/rollouts.ts";
import { RETENTION_PHASE, isDue } from "../model/retention.ts";
import { configStateOf, trialOf } from "../model/rows.ts";
import { isDirect } from "../model/turn.ts";

/** What the leader knows beyond replicated state. */
export interface SoftView {
  readonly reachableNodes: ReadonlySet<string>;
}

/** A command that the leader should propose. */
export interface PendingCommand {
  readonly type: CommandType;
  /** UTF-8 canonical JSON of the body. */
  readonly body: Uint8Array;
  /** True when the header must carry 32 fresh random bytes. */
  readonly needsEntropy: boolean;
  /** Equal for equal work. */
  readonly dedupeKey: string;
}

/**
 * Work that is due at `nowMs` (the leader's clock; replicated time counts when it is ahead). At most
 * PENDING_WORK_MAX commands; more comes when these are done.
 */
export function pendingWork(view: StateView, soft: SoftView, nowMs: number): PendingCommand[] {
  const dueMs = Math.max(nowMs, view.meta().timeMs);
  if (view.meta().clusterId === "") return [];
  const work: PendingCommand[] = [
    ...dueTrials(view, dueMs),
    ...dueVetoes(view, dueMs),
    ...readObjects(view, "Config").flatMap((config) => workOf(view, config, soft, dueMs)),
  ];
  return work.slice(0, PENDING_WORK_MAX);
}

function command(
  type: CommandType,
  body: JsonValue,
  dedupeKey: string,
  needsEntropy: boolean = false,
): PendingCommand {
  return { type, body: utf8Encode(canonicalJson(body)), needsEntropy, dedupeKey };
}

function deadlineOf(uid: string, phase: string, deadlineMs: number): PendingCommand {
  return command("deadline", { uid, phase, deadlineMs }, `deadline/${uid}/${phase}/${deadlineMs}`);
}

function byUid(view: StateView, uid: string): StoredObject | undefined {
  const key = view.get(uidKey(uid));
  return typeof key === "string"
    ? (view.get(key) as unknown as StoredObject | undefined)
    : undefined;
}

function dueTrials(view: StateView, dueMs: number): PendingCommand[] {
  const work: PendingCommand[] = [];
  for (const [, uid] of view.list(OPEN_TRIAL_PREFIX)) {
    const trial = typeof uid === "string" ? trialOf(view, uid) : undefined;
    if (trial === undefined || trial.deadlineMs > dueMs) continue;
    const proposal = byUid(view, trial.proposalUid);
    if (proposal?.kind !== "Proposal") continue;
    const phase = phaseOf(proposal as Proposal);
    work.push(deadlineOf(trial.proposalUid, phase, trial.deadlineMs));
  }
  return work;
}

function dueVetoes(view: StateView, dueMs: number): PendingCommand[] {
  return readObjects(view, "Veto")
    .filter((veto) => isActive(veto) && veto.spec.expiresAtMs <= dueMs)
    .map((veto) => deadlineOf(veto.metadata.uid, "Veto", veto.spec.expiresAtMs));
}

function workOf(view: StateView, config: Config, soft: SoftView, dueMs: number): PendingCommand[] {
  const state = configStateOf(view, config.metadata.uid);
  const work: PendingCommand[] = [];
  for (const uid of state.queue) {
    const deadlineMs = queueDeadlineMs(view, uid);
    if (deadlineMs <= dueMs) work.push(deadlineOf(uid, "Validated", deadlineMs));
  }
  // First what has waited too long leaves the queue, then the rest moves.
  if (work.length > 0) return work;
  if (isDue(view, config, dueMs)) {
    work.push(deadlineOf(config.metadata.uid, RETENTION_PHASE, state.collectAtMs));
  }
  const rollout = byUid(view, state.rollout);
  if (rollout?.kind === "Rollout" && isMoving(rollout as Rollout)) {
    const advance = advanceOf(view, rollout as Rollout, soft, dueMs);
    return advance === undefined ? work : [...work, advance];
  }
  const head = state.queue[0];
  if (state.trial !== "" || head === undefined) return work;
  const start = turnOf(view, config, head, soft);
  return start === undefined ? work : [...work, start];
}

function advanceOf(
  view: StateView,
  rollout: Rollout,
  soft: SoftView,
  dueMs: number,
): PendingCommand | undefined {
  const { status } = rollout;
  if (status?.phase !== "Progressing") return undefined;
  const assigned = assignedNodes(view, rollout);
  const unreachable = assigned.filter((node) => !soft.reachableNodes.has(node));
  const at = { nowMs: dueMs, unreachable: new Set(unreachable) };
  if (stageObstacle(view, rollout, at) !== undefined) return undefined;
  const { uid } = rollout.metadata;
  const body = { rolloutUid: uid, stage: status.stage, unreachable };
  return command("advance-rollout", body, `advance/${uid}/${status.stage}`);
}

/** What gives the first in the queue its turn: a commit where no trial is needed, else its trial. */
function turnOf(
  view: StateView,
  config: Config,
  proposalUid: string,
  soft: SoftView,
): PendingCommand | undefined {
  const namespace = config.metadata.namespace ?? "";
  const policy: Policy | undefined = readObject(view, "Policy", namespace, config.spec.policyRef);
  const proposal = byUid(view, proposalUid);
  if (policy === undefined || proposal?.kind !== "Proposal") return undefined;
  const { candidateHash, changedKeys } = statusOf(proposal as Proposal);
  if (isDirect(policy.spec, config)) {
    const body = { proposalUid, candidateHash };
    return command("direct-commit", body, `direct/${proposalUid}/${candidateHash}`);
  }
  const pools = trialPools(view, config, { reachable: soft.reachableNodes, changedKeys });
  if (!canStart(pools, policy.spec)) return undefined;
  const reachable = pools.flatMap((pool) => pool.eligible.map((node) => node.metadata.name)).sort();
  const attempt = (trialOf(view, proposalUid)?.attempt ?? 0) + 1;
  const body = { proposalUid, attempt, reachable };
  return command("trial-start", body, `trial/${proposalUid}/${attempt}`, true);
}
