// The inverse of a commit: back to the version before, the change into quarantine, its vetoes done.

import type { JsonObject } from "@kingly/base";
import type { Config, Proposal, Rollout, Veto } from "@kingly/resources";
import { QUARANTINE_MS } from "../limits.ts";
import type { Transaction } from "../core/transaction.ts";
import { assignVersion, namesOf } from "./assignments.ts";
import { deltasBetween, versionContent, versionOf } from "./content.ts";
import { moveConfig } from "./decided.ts";
import { emit, shorten } from "./events.ts";
import { step } from "./phases.ts";
import { isActive, vetoesOf } from "./pins.ts";
import { isIntent, rebaseQueue, setSynced } from "./queue.ts";
import { proposalOf, rolloutStatus } from "./rollouts.ts";
import { configStateOf, updateConfigState } from "./rows.ts";
import { withLost } from "./rules.ts";
import { classesOf, selectedNodes } from "./selection.ts";

/** Why a rollout is taken back. */
export interface Rollback {
  /** CamelCase, stable. */
  readonly reason: string;
  readonly message: string;
  /** Classes in which the change lost; its delta is quarantined there. */
  readonly classes: readonly string[];
}

/** Brings the fleet back to the version before; the change goes into quarantine. */
export function rollBack(
  tx: Transaction,
  config: Config,
  rollout: Rollout,
  why: Rollback,
): Rollout {
  const { uid, name, namespace = "" } = config.metadata;
  const { version, fromVersion } = rollout.spec;
  const proposal = proposalOf(tx, rollout);
  const before = versionContent(tx, namespace, name, fromVersion);
  const lost = versionContent(tx, namespace, name, version);
  quarantine(tx, config, { base: before, candidate: lost, proposal, why });
  // The author of an intent keeps it, out of sync; a commit from elsewhere takes its data back.
  const ownIntent = proposal === undefined || isIntent(proposal);
  const contentHash = versionOf(tx, namespace, name, fromVersion)?.spec.contentHash ?? "";
  const restored = ownIntent ? {} : { data: before };
  const moved = moveConfig(tx, config, { version: fromVersion, contentHash, ...restored });
  const ended = endRollout(tx, rollout, why);
  endVetoes(tx, config, version, why.message);
  assignVersion(tx, config, namesOf(selectedNodes(tx, config)), fromVersion);
  forgetTouched(tx, uid, version);
  if (proposal !== undefined) {
    step(tx, proposal, { phase: "RolledBack", reason: why.reason, message: why.message });
  }
  if (ownIntent) {
    setSynced(tx, moved, "False", { reason: "RolledBack", message: why.message });
  }
  rebaseQueue(tx, tx.object("Config", namespace, name) ?? config);
  return ended;
}

function endRollout(tx: Transaction, rollout: Rollout, why: Rollback): Rollout {
  const message = shorten(why.message);
  const ended = tx.put({
    ...rollout,
    status: {
      ...rolloutStatus(rollout),
      phase: "RolledBack" as const,
      reason: why.reason,
      message,
    },
  });
  emit(tx, ended, { type: "Warning", reason: why.reason, message });
  return ended;
}

/** Vetoes of a version that nobody runs any more have done their work. */
function endVetoes(tx: Transaction, config: Config, version: number, message: string): void {
  for (const veto of vetoesOf(tx, config)) {
    if (veto.spec.version === version && isActive(veto)) endVeto(tx, veto, "RolledBack", message);
  }
}

/** Ends a veto: it pins nothing from now on. */
export function endVeto(tx: Transaction, veto: Veto, reason: string, message: string): Veto {
  return tx.put({ ...veto, status: { active: false, reason, message: shorten(message) } });
}

function forgetTouched(tx: Transaction, configUid: string, version: number): void {
  const before = configStateOf(tx, configUid).touched;
  const touched: Record<string, { readonly version: number; readonly atMs: number }> = {};
  for (const key of Object.keys(before).sort()) {
    const entry = before[key];
    if (entry !== undefined && entry.version !== version) touched[key] = entry;
  }
  updateConfigState(tx, configUid, { touched });
}

/** Records a change that lost, so that it is not tried again where it lost. */
export function quarantine(
  tx: Transaction,
  config: Config,
  lost: {
    readonly base: JsonObject;
    readonly candidate: JsonObject;
    readonly proposal: Proposal | undefined;
    readonly why: Rollback;
  },
): void {
  const { uid } = config.metadata;
  const deltas = deltasBetween(lost.base, lost.candidate);
  if (deltas.length === 0) return;
  const classes =
    lost.why.classes.length > 0 ? lost.why.classes : classesOf(selectedNodes(tx, config));
  const entry = {
    deltas,
    classes,
    untilMs: tx.nowMs + QUARANTINE_MS,
    proposal: lost.proposal?.metadata.name ?? "",
    reason: shorten(lost.why.message),
  };
  const before = configStateOf(tx, uid).quarantine;
  updateConfigState(tx, uid, { quarantine: withLost(before, entry, tx.nowMs) });
}
