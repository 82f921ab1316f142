// The queue of a Config: one change is in flight, the others wait in order. When the fleet's decided
// content moves, every waiting proposal moves onto it, or is superseded when nothing of it is left.

import { changedTopLevelKeys } from "@kingly/base";
import type { JsonObject } from "@kingly/base";
import type { Config, Proposal } from "@kingly/resources";
import { QUEUE_WAIT_MS, RIVAL_WINDOW_MS } from "../limits.ts";
import { openedKey } from "../core/keys.ts";
import type { Transaction } from "../core/transaction.ts";
import type { StateView } from "../core/view.ts";
import {
  candidateOn,
  committedContent,
  deltasBetween,
  putContent,
  versionContent,
} from "./content.ts";
import { withCondition } from "./events.ts";
import { note, statusOf, step } from "./phases.ts";
import type { Step } from "./phases.ts";
import { isMoving } from "./rollouts.ts";
import { brokenRule, quarantined } from "./rules.ts";
import { configStateOf, updateConfigState } from "./rows.ts";
import { classesOf, selectedNodes } from "./selection.ts";

/** Marks proposals that a write of Config.spec.data opened. */
export const INTENT_ANNOTATION = "kingly.dev/intent";

/** True when a write of Config.spec.data opened the proposal. */
export function isIntent(proposal: Proposal): boolean {
  return proposal.metadata.annotations?.[INTENT_ANNOTATION] === "true";
}

/** True when no trial and no rollout holds the Config. */
export function isIdle(view: StateView & Pick<Transaction, "byUid">, configUid: string): boolean {
  const state = configStateOf(view, configUid);
  return state.trial === "" && !isMoving(view.byUid("Rollout", state.rollout));
}

/** Takes a proposal out of the queue of its Config. */
export function dequeue(tx: Transaction, configUid: string, proposalUid: string): void {
  const { queue } = configStateOf(tx, configUid);
  updateConfigState(tx, configUid, { queue: queue.filter((uid) => uid !== proposalUid) });
  tx.deleteRow(openedKey(proposalUid));
}

/** When a waiting proposal expires, replicated milliseconds. */
export function queueDeadlineMs(view: StateView, proposalUid: string): number {
  const openedMs = view.get(openedKey(proposalUid));
  return (typeof openedMs === "number" ? openedMs : 0) + QUEUE_WAIT_MS;
}

/** Ends a proposal that waits in the queue. */
export function endQueued(tx: Transaction, config: Config, proposal: Proposal, to: Step): void {
  dequeue(tx, config.metadata.uid, proposal.metadata.uid);
  step(tx, proposal, to);
  if (isIntent(proposal)) setSynced(tx, config, "False", to);
}

/** Says in the Config's status whether the fleet's decision is the intent. */
export function setSynced(
  tx: Transaction,
  config: Config,
  status: "True" | "False",
  why: { readonly reason: string; readonly message: string },
): Config {
  const { name, namespace = "" } = config.metadata;
  const current = tx.object("Config", namespace, name) ?? config;
  const before = current.status;
  if (before === undefined) return current;
  const condition = {
    type: "Synced",
    status,
    reason: why.reason,
    message: why.message,
    observedGeneration: current.metadata.generation,
  };
  const conditions = withCondition(before.conditions, condition, tx.nowMs);
  const observedGeneration = current.metadata.generation;
  return tx.put({ ...current, status: { ...before, conditions, observedGeneration } });
}

/** The candidate of a waiting proposal on top of the content decided now. */
export function candidateOf(view: StateView, config: Config, proposal: Proposal): JsonObject {
  const { namespace = "", name } = config.metadata;
  const base = committedContent(view, config);
  const madeAgainst = versionContent(view, namespace, name, proposal.spec.baseVersion);
  return candidateOn(base, proposal.spec, madeAgainst);
}

/** Moves every waiting proposal of a Config onto the content decided now. */
export function rebaseQueue(tx: Transaction, config: Config): void {
  for (const uid of configStateOf(tx, config.metadata.uid).queue) {
    const proposal = tx.byUid("Proposal", uid);
    if (proposal !== undefined) rebase(tx, config, proposal);
  }
}

function rebase(tx: Transaction, config: Config, proposal: Proposal): void {
  const base = committedContent(tx, config);
  const candidate = candidateOf(tx, config, proposal);
  const keys = changedTopLevelKeys(base, candidate);
  const version = config.status?.version ?? 0;
  const superseded = (reason: string, message: string): void =>
    endQueued(tx, config, proposal, { phase: "Superseded", reason, message });
  if (keys.length === 0) {
    superseded("AlreadyInEffect", `version ${version} already says what this proposal wants`);
    return;
  }
  const schema = tx.object("ConfigSchema", config.metadata.namespace ?? "", config.spec.schemaRef);
  const broken = schema === undefined ? undefined : brokenRule(schema.spec, candidate, keys);
  if (broken !== undefined) {
    const why = `${broken.field} ${broken.problem} on top of version ${version}`;
    superseded("NoLongerApplies", why);
    return;
  }
  const lost = quarantined(
    configStateOf(tx, config.metadata.uid).quarantine,
    deltasBetween(base, candidate),
    {
      keys: schema?.spec.keys ?? {},
      classes: classesOf(selectedNodes(tx, config)),
      nowMs: tx.nowMs,
    },
  );
  if (lost !== undefined) {
    superseded("Quarantined", `the same change lost in proposal ${lost.proposal}: ${lost.reason}`);
    return;
  }
  const candidateHash = putContent(tx, candidate);
  if (candidateHash === statusOf(proposal).candidateHash) return;
  note(tx, proposal, {
    candidateHash,
    changedKeys: keys,
    reason: "Rebased",
    message: `moved onto version ${version}, waiting for its turn`,
  });
}

/** Why this proposal must show improvement and not only absence of harm; "" when it need not. */
export function improvementReason(tx: Transaction, config: Config, proposal: Proposal): string {
  const { type, name } = proposal.spec.source;
  if (type === "agent" || type === "model") return `${type} ${name} must show improvement`;
  const { touched } = configStateOf(tx, config.metadata.uid);
  for (const key of statusOf(proposal).changedKeys) {
    const last = Object.hasOwn(touched, key) ? touched[key] : undefined;
    if (last !== undefined && tx.nowMs - last.atMs < RIVAL_WINDOW_MS) {
      return `a rival of version ${last.version}, which measured ${key} a short while ago`;
    }
  }
  return "";
}
