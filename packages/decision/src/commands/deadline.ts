// `deadline`: something has waited long enough. The command names object, phase and deadline; unless all
// three are still true it is ignored, so a late or repeated command does no harm.

import type { JsonObject } from "@kingly/base";
import type { Proposal, Veto } from "@kingly/resources";
import { QUEUE_WAIT_MS } from "../limits.ts";
import { bodyOf } from "../core/body.ts";
import { objectReply, replyOf } from "../core/reply.ts";
import type { Reply } from "../core/reply.ts";
import type { Transaction } from "../core/transaction.ts";
import { assignVersion, refresh, rolloutOfVersion } from "../model/assignments.ts";
import { endVeto } from "../model/rollback.ts";
import { emit } from "../model/events.ts";
import { phaseOf } from "../model/phases.ts";
import { isActive } from "../model/pins.ts";
import { endQueued, queueDeadlineMs } from "../model/queue.ts";
import { isMoving, rolloutStatus } from "../model/rollouts.ts";
import { RETENTION_PHASE, collect } from "../model/retention.ts";
import { assignmentOf, configStateOf, trialOf } from "../model/rows.ts";
import { conclude } from "../model/verdicts.ts";

/** Phase name under which a veto's expiry is asked for. */
export const VETO_PHASE = "Veto";

/** Runs a `deadline`. */
export function deadline(tx: Transaction): Reply {
  const body = bodyOf(tx);
  const uid = body.text("uid");
  const phase = body.text("phase");
  const deadlineMs = body.integer("deadlineMs", 0);
  body.end();
  if (tx.nowMs < deadlineMs) return ignored("it is not due yet");
  if (phase === RETENTION_PHASE) return retention(tx, uid, deadlineMs);
  if (phase === VETO_PHASE) return vetoExpired(tx, tx.byUid("Veto", uid), deadlineMs);
  const proposal = tx.byUid("Proposal", uid);
  if (proposal === undefined) return ignored("the object is gone");
  if (phaseOf(proposal) !== phase) return ignored(`the proposal is ${phaseOf(proposal)} now`);
  if (phase === "Validated") return waitedTooLong(tx, proposal, deadlineMs);
  const trial = trialOf(tx, uid);
  const config = trial === undefined ? undefined : tx.byUid("Config", trial.configUid);
  if (trial === undefined || config === undefined) return ignored("there is no trial");
  if (trial.deadlineMs !== deadlineMs) return ignored("the deadline is another one");
  conclude(tx, config, proposal, trial);
  return objectReply(tx.keyOf(proposal), tx.warnings);
}

function retention(tx: Transaction, configUid: string, deadlineMs: number): Reply {
  const config = tx.byUid("Config", configUid);
  if (config === undefined) return ignored("the Config is gone");
  const { collectAtMs } = configStateOf(tx, configUid);
  if (collectAtMs !== deadlineMs) return ignored("the deadline is another one");
  return replyOf({ removed: collect(tx, config) });
}

function ignored(reason: string): Reply {
  const memo: JsonObject = { ignored: reason };
  return replyOf(memo);
}

function waitedTooLong(tx: Transaction, proposal: Proposal, deadlineMs: number): Reply {
  if (queueDeadlineMs(tx, proposal.metadata.uid) !== deadlineMs)
    return ignored("the deadline is another one");
  const { namespace = "" } = proposal.metadata;
  const config = tx.object("Config", namespace, proposal.spec.config);
  if (config === undefined) return ignored("the Config is gone");
  endQueued(tx, config, proposal, {
    phase: "Expired",
    reason: "NoTrial",
    message: `no trial could begin within ${QUEUE_WAIT_MS / 3_600_000} h`,
  });
  return objectReply(tx.keyOf(proposal), tx.warnings);
}

/** A veto's pins end; the node is asked to try the decided version again. */
function vetoExpired(tx: Transaction, veto: Veto | undefined, deadlineMs: number): Reply {
  if (veto === undefined || !isActive(veto)) return ignored("the veto does not stand any more");
  if (veto.spec.expiresAtMs !== deadlineMs) return ignored("the deadline is another one");
  const config = tx.byUid("Config", veto.spec.configUid);
  const ended = endVeto(tx, veto, "Expired", "the veto expired; the version may be tried again");
  const { message } = ended.status as unknown as { readonly message: string };
  emit(tx, ended, { type: "Normal", reason: "VetoExpired", message });
  if (config === undefined) return objectReply(tx.keyOf(veto), tx.warnings);
  const decided = config.status?.version ?? 0;
  const rollout = tx.byUid("Rollout", configStateOf(tx, config.metadata.uid).rollout);
  const reached =
    rollout === undefined ||
    !isMoving(rollout) ||
    rolloutStatus(rollout)
      .stages.slice(0, rolloutStatus(rollout).stage + 1)
      .some((stage) => stage.nodes.includes(veto.spec.node));
  const version = reached ? decided : (rollout?.spec.fromVersion ?? 0);
  const before = assignmentOf(tx, veto.spec.node, config.metadata.uid);
  assignVersion(tx, config, [veto.spec.node], version);
  const after = assignmentOf(tx, veto.spec.node, config.metadata.uid);
  // On a later version only the pins end: the content changes, the version does not.
  if (before?.generation === after?.generation) refresh(tx, config, veto.spec.node);
  const entered = rolloutOfVersion(tx, config, version);
  if (entered?.status?.excluded.includes(veto.spec.node) === true) {
    const excluded = entered.status.excluded.filter((node) => node !== veto.spec.node);
    tx.put({ ...entered, status: { ...entered.status, excluded } });
  }
  return objectReply(tx.keyOf(veto), tx.warnings);
}
