// Assignments: which version each node shall run for each Config, with a generation that only rises.
// They follow the rollout stage by stage, and follow nodes that begin or cease to be selected.

import type { Config, Node, Rollout } from "@kingly/resources";
import { assignmentKey, assignmentPrefix } from "../core/keys.ts";
import type { Transaction } from "../core/transaction.ts";
import type { StateView } from "../core/view.ts";
import { versionName } from "./content.ts";
import { isActive, runnableVersion, vetoesOf } from "./pins.ts";
import { assignmentOf, configStateOf } from "./rows.ts";
import type { AssignmentRow } from "./rows.ts";
import { configsOf, selectedNodes } from "./selection.ts";

/** The lists of a Rollout's status that say how far a node is; a node is in at most one. */
export const PROGRESS_LISTS: readonly ["received", "applied", "confirmed", "vetoed", "failed"] = [
  "received",
  "applied",
  "confirmed",
  "vetoed",
  "failed",
];

/** Name of one of these lists. */
export type ProgressList = (typeof PROGRESS_LISTS)[number];

/** Rollout of a Config's version, when there is one. */
export function rolloutOfVersion(
  view: StateView & Pick<Transaction, "object">,
  config: Config,
  version: number,
): Rollout | undefined {
  const { namespace = "", name } = config.metadata;
  const rollout = view.object("Rollout", namespace, versionName(name, version));
  return rollout?.spec.configUid === config.metadata.uid ? rollout : undefined;
}

/** The rollout with nodes moved to one of its lists, or to none. */
export function moveNodes(
  rollout: Rollout,
  nodes: readonly string[],
  to: ProgressList | "none",
): Rollout {
  if (rollout.status === undefined || nodes.length === 0) return rollout;
  const moved = new Set(nodes);
  const lists: Partial<Record<ProgressList, readonly string[]>> = {};
  for (const name of PROGRESS_LISTS) {
    const kept = rollout.status[name].filter((node) => !moved.has(node));
    if (name === to) lists[name] = [...kept, ...moved].sort();
    else if (kept.length !== rollout.status[name].length) lists[name] = kept;
  }
  return { ...rollout, status: { ...rollout.status, ...lists } };
}

/** Tells nodes to run a version; a new generation for each whose assignment changes. */
export function assign(
  tx: Transaction,
  config: Config,
  nodes: readonly string[],
  to: { readonly version: number; readonly held?: boolean },
): void {
  const { uid, name, namespace = "" } = config.metadata;
  const restarted: string[] = [];
  for (const node of nodes) {
    const before = assignmentOf(tx, node, uid);
    const held = to.held ?? false;
    if (before?.version === to.version && before.held === held) continue;
    const row: AssignmentRow = {
      namespace,
      config: name,
      version: to.version,
      generation: tx.entry.index,
      previous: lastGood(tx, config, node, before),
      held,
    };
    tx.putRow(assignmentKey(node, uid), row);
    if (before !== undefined && before.version !== to.version && !held) restarted.push(node);
  }
  // A node that comes back to an older version acknowledges it anew.
  const rollout = rolloutOfVersion(tx, config, to.version);
  if (rollout !== undefined && restarted.length > 0) tx.put(moveNodes(rollout, restarted, "none"));
}

/** Tells nodes to run a decided version, save those whose standing veto of it holds them back. */
export function assignVersion(
  tx: Transaction,
  config: Config,
  nodes: readonly string[],
  version: number,
): void {
  const vetoes = vetoesOf(tx, config).filter((veto) => isActive(veto));
  const holders = new Set(
    vetoes.filter((veto) => veto.spec.version === version).map((veto) => veto.spec.node),
  );
  const free = nodes.filter((node) => !holders.has(node));
  assign(tx, config, free, { version });
  for (const node of nodes) {
    if (!holders.has(node)) continue;
    const own = vetoes.filter((veto) => veto.spec.node === node);
    assign(tx, config, [node], { version: runnableVersion(version, own), held: true });
  }
}

/** Names of nodes, in their order. */
export function namesOf(nodes: readonly Node[]): string[] {
  return nodes.map((node) => node.metadata.name);
}

/** A new generation for a node whose pins changed though its version did not. */
export function refresh(tx: Transaction, config: Config, node: string): void {
  const before = assignmentOf(tx, node, config.metadata.uid);
  if (before === undefined) return;
  const row: AssignmentRow = { ...before, generation: tx.entry.index };
  tx.putRow(assignmentKey(node, config.metadata.uid), row);
}

/** Version the node falls back to: the one it confirmed last, as far as the servers know. */
function lastGood(
  tx: Transaction,
  config: Config,
  node: string,
  before: AssignmentRow | undefined,
): number {
  if (before === undefined) return 0;
  if (before.version === 0) return before.previous;
  const rollout = rolloutOfVersion(tx, config, before.version);
  const confirmed = rollout?.status?.confirmed.includes(node) ?? false;
  return confirmed || before.held ? before.version : before.previous;
}

/** Brings a Config's assignments in line with the nodes that it selects now. */
export function followSelection(tx: Transaction, config: Config): void {
  const { uid, name, namespace = "" } = config.metadata;
  const selected = selectedNodes(tx, config);
  const wanted = new Set(selected.map((node) => node.metadata.name));
  for (const node of tx.objects("Node")) {
    const row = assignmentOf(tx, node.metadata.name, uid);
    if (row !== undefined && !wanted.has(node.metadata.name)) {
      tx.deleteRow(assignmentKey(node.metadata.name, uid));
    }
  }
  const fresh = selected.filter((node) => assignmentOf(tx, node.metadata.name, uid) === undefined);
  if (fresh.length > 0) joinRollout(tx, tx.object("Config", namespace, name) ?? config, fresh);
}

/** Brings a node's assignments in line with the Configs that select it now. */
export function followNode(tx: Transaction, node: Node): void {
  const configs = configsOf(tx, node);
  const wanted = new Set(configs.map((config) => config.metadata.uid));
  for (const [key] of tx.list(assignmentPrefix(node.metadata.name))) {
    if (!wanted.has(key.slice(key.lastIndexOf("/") + 1))) tx.deleteRow(key);
  }
  for (const config of configs) {
    const row = assignmentOf(tx, node.metadata.name, config.metadata.uid);
    if (row === undefined) joinRollout(tx, config, [node]);
  }
}

/**
 * New nodes get the decided version; while that is still being rolled out they first get the version
 * before it and enter with the last stage.
 */
function joinRollout(tx: Transaction, config: Config, nodes: readonly Node[]): void {
  const names = namesOf(nodes);
  const state = configStateOf(tx, config.metadata.uid);
  const rollout = tx.byUid("Rollout", state.rollout);
  const status = rollout?.status;
  const moving = status?.phase === "Progressing" || status?.phase === "Paused";
  if (rollout === undefined || status === undefined || !moving) {
    assignVersion(tx, config, names, config.status?.version ?? 0);
    return;
  }
  const last = status.stages.length - 1;
  const planned = new Set(status.stages.flatMap((stage) => stage.nodes));
  const late = names.filter((name) => !planned.has(name) && !status.excluded.includes(name));
  const stages = status.stages.map((stage, i) =>
    i === last && late.length > 0 ? { ...stage, nodes: [...stage.nodes, ...late].sort() } : stage,
  );
  if (late.length > 0) tx.put({ ...rollout, status: { ...status, stages } });
  const begun = new Set(
    stages.filter((stage) => stage.startedAtMs > 0).flatMap((stage) => stage.nodes),
  );
  const { version, fromVersion } = rollout.spec;
  assignVersion(
    tx,
    config,
    names.filter((name) => begun.has(name)),
    version,
  );
  assignVersion(
    tx,
    config,
    names.filter((name) => !begun.has(name)),
    fromVersion,
  );
}
