// Commands that move a rollout: acknowledgements, the end of a stage, pause and rollback. The leader
// proposes them from what it sees; apply checks again against replicated state and time.

import type { Config, Rollout } from "@kingly/resources";
import { FAILURE_CHARS_MAX, NODE_NAMES_MAX } from "../limits.ts";
import { bodyOf } from "../core/body.ts";
import { assignmentKey } from "../core/keys.ts";
import { refuse } from "../core/refuse.ts";
import { objectReply, replyOf } from "../core/reply.ts";
import type { Reply } from "../core/reply.ts";
import type { Transaction } from "../core/transaction.ts";
import { moveNodes, rolloutOfVersion } from "../model/assignments.ts";
import type { ProgressList } from "../model/assignments.ts";
import { rollBack } from "../model/rollback.ts";
import { emit } from "../model/events.ts";
import {
  assignedNodes,
  beginStage,
  completeRollout,
  isMoving,
  rolloutStatus,
  setPaused,
  stageObstacle,
} from "../model/rollouts.ts";
import { assignmentOf, configStateOf, rolloutRowOf } from "../model/rows.ts";

/** A node only moves forward through these; "failed" may follow any but "confirmed". */
const ORDER: readonly ProgressList[] = ["received", "applied", "confirmed"];

/** Runs an `acks`: nodes of one version that got one step further, batched by the leader. */
export function acks(tx: Transaction): Reply {
  const body = bodyOf(tx);
  const configUid = body.text("configUid");
  const version = body.integer("version", 1);
  const state = body.oneOf("state", ["received", "applied", "confirmed", "failed"]);
  const nodes = body.sortedTexts("nodes", NODE_NAMES_MAX);
  const message = body.optionalText("message");
  body.end();
  const config = tx.byUid("Config", configUid);
  const rollout = config === undefined ? undefined : rolloutOfVersion(tx, config, version);
  if (config === undefined || rollout?.status === undefined) {
    return refuse("NotFound", `there is no version ${version} of such a Config`, {
      field: "configUid",
      value: configUid,
    });
  }
  const { status } = rollout;
  const further = new Set(
    state === "failed"
      ? [...status.confirmed, ...status.vetoed, ...status.failed]
      : [...ORDER.slice(ORDER.indexOf(state)).flatMap((name) => status[name]), ...status.vetoed],
  );
  const moved = nodes.filter((node) => {
    const row = assignmentOf(tx, node, configUid);
    return row?.version === version && !further.has(node);
  });
  if (moved.length === 0) return replyOf({ accepted: 0 });
  const next = tx.put(moveNodes(rollout, moved, state));
  if (state === "failed") {
    const why = message === "" ? "no reason given" : message;
    for (const node of moved) recordFailure(tx, { node, configUid, why });
    const text = `version ${version} could not be applied: ${why}; on ${moved.join(", ")}`;
    emit(tx, next, { type: "Warning", reason: "ApplyFailed", message: text });
    pauseOnFailures(tx, next);
  }
  return replyOf({ accepted: moved.length });
}

function recordFailure(
  tx: Transaction,
  of: { readonly node: string; readonly configUid: string; readonly why: string },
): void {
  const row = assignmentOf(tx, of.node, of.configUid);
  if (row === undefined) return;
  const failure = of.why.slice(0, FAILURE_CHARS_MAX);
  tx.putRow(assignmentKey(of.node, of.configUid), { ...row, failure });
}

/** Too many failures for the stage to end: a person must look, unless it is the last stage. */
function pauseOnFailures(tx: Transaction, rollout: Rollout): void {
  const { phase, stage, stages, failed } = rolloutStatus(rollout);
  if (phase !== "Progressing" || stage >= stages.length - 1) return;
  const { policy } = rolloutRowOf(tx, rollout.metadata.uid);
  const assigned = assignedNodes(tx, rollout).length;
  if (assigned - failed.length >= policy.rollout.confirmedShare * assigned) return;
  const message =
    `${failed.length} of ${assigned} node(s) could not apply version ${rollout.spec.version}; ` +
    "resume the rollout or roll it back";
  setPaused(tx, rollout, { paused: true, reason: "NodesFailed", message });
}

interface Target {
  readonly rollout: Rollout;
  readonly config: Config;
}

function requireRollout(tx: Transaction, uid: string): Target {
  const rollout = tx.byUid("Rollout", uid);
  const config = rollout === undefined ? undefined : tx.byUid("Config", rollout.spec.configUid);
  if (rollout === undefined || config === undefined) {
    return refuse("NotFound", "there is no such rollout", { field: "rolloutUid", value: uid });
  }
  return { rollout, config };
}

/** Runs an `advance-rollout`: ends the current stage when soak, reach and confirmations allow. */
export function advanceRollout(tx: Transaction): Reply {
  const body = bodyOf(tx);
  const uid = body.text("rolloutUid");
  const stage = body.integer("stage", 0);
  const unreachable = new Set(body.sortedTexts("unreachable", NODE_NAMES_MAX));
  body.end();
  const { rollout, config } = requireRollout(tx, uid);
  const status = rolloutStatus(rollout);
  if (status.phase !== "Progressing" || status.stage !== stage) {
    refuse("Conflict", `the rollout is ${status.phase} at stage ${status.stage}`, {
      field: "stage",
      limit: status.stage,
      value: stage,
    });
  }
  const obstacle = stageObstacle(tx, rollout, { nowMs: tx.nowMs, unreachable });
  if (obstacle !== undefined) {
    refuse("Conflict", `stage ${stage + 1} cannot end yet: ${obstacle.message}`, {
      field: "stage",
      value: stage,
      reason: obstacle.reason,
    });
  }
  if (stage < status.stages.length - 1) beginStage(tx, config, rollout, stage + 1);
  else completeRollout(tx, config, rollout);
  return objectReply(tx.keyOf(rollout), tx.warnings);
}

/** Runs a `resume-rollout`: a person decided that a paused rollout goes on. */
export function resumeRollout(tx: Transaction): Reply {
  const body = bodyOf(tx);
  const uid = body.text("rolloutUid");
  const reason = body.text("reason");
  body.end();
  const { rollout } = requireRollout(tx, uid);
  const { phase } = rolloutStatus(rollout);
  if (phase !== "Paused") {
    refuse("Conflict", `the rollout is ${phase}, not Paused`, {
      field: "status.phase",
      limit: "Paused",
      value: phase,
    });
  }
  const message = `${tx.command.actor.name} resumed the rollout: ${reason}`;
  setPaused(tx, rollout, { paused: false, reason: "Resumed", message });
  return objectReply(tx.keyOf(rollout), tx.warnings);
}

/** Runs a `rollback-rollout`: back to the version before, also after completion. */
export function rollbackRollout(tx: Transaction): Reply {
  const body = bodyOf(tx);
  const uid = body.text("rolloutUid");
  const reason = body.text("reason");
  body.end();
  const { rollout, config } = requireRollout(tx, uid);
  const { phase } = rolloutStatus(rollout);
  const { name } = config.metadata;
  if (!isMoving(rollout) && phase !== "Completed") {
    refuse("Conflict", `the rollout is ${phase} already`, { field: "status.phase", value: phase });
  }
  const state = configStateOf(tx, config.metadata.uid);
  if ((config.status?.version ?? 0) !== rollout.spec.version || state.trial !== "") {
    refuse("Conflict", `only the newest version of Config ${name} can be rolled back, at rest`, {
      field: "rolloutUid",
      limit: config.status?.version ?? 0,
      value: rollout.spec.version,
      help:
        state.trial === "" ? "roll back the newest version" : "delete the running proposal first",
    });
  }
  rollBack(tx, config, rollout, {
    reason: "RolledBack",
    message: `${tx.command.actor.name} rolled version ${rollout.spec.version} back: ${reason}`,
    classes: [],
  });
  return objectReply(tx.keyOf(rollout), tx.warnings);
}
