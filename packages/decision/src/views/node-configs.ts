// NodeConfigs and adoption: how far each node is with each Config. Never stored; rendered from
// assignments, the rollouts' lists and standing vetoes, so that 10,000 idle nodes cost the log nothing.

import { toHex, utf8Encode } from "@kingly/base";
import { API_VERSION } from "@kingly/resources";
import type {
  Config,
  ConfigStatus,
  Node,
  NodeConfig,
  NodeConfigStatus,
  Rollout,
} from "@kingly/resources";
import { assignmentPrefix } from "../core/keys.ts";
import { readObject, readObjects } from "../core/view.ts";
import type { StateView } from "../core/view.ts";
import { versionName } from "../model/content.ts";
import { isActive, vetoesOf } from "../model/pins.ts";
import { assignmentOf } from "../model/rows.ts";
import type { AssignmentRow } from "../model/rows.ts";
import type { HashingView } from "./effective.ts";

/** Adoption counts of a Config's decided version. */
export type Adoption = NonNullable<ConfigStatus["adoption"]>;

/** Which NodeConfigs to render; absent = all. */
export interface NodeConfigFilter {
  readonly node?: string;
}

/** NodeConfigs sorted by node, then by Config uid. */
export function renderNodeConfigs(view: HashingView, filter: NodeConfigFilter = {}): NodeConfig[] {
  const nodes =
    filter.node === undefined
      ? readObjects(view, "Node")
      : [readObject(view, "Node", "", filter.node)].filter((node) => node !== undefined);
  return nodes.flatMap((node) => nodeConfigsOf(view, node));
}

function nodeConfigsOf(view: HashingView, node: Node): NodeConfig[] {
  const found: NodeConfig[] = [];
  for (const [, value] of view.list(assignmentPrefix(node.metadata.name))) {
    const row = value as unknown as AssignmentRow;
    const config = readObject(view, "Config", row.namespace, row.config);
    if (config !== undefined) found.push(nodeConfig(view, { config, node, row }));
  }
  return found;
}

interface Place {
  readonly config: Config;
  readonly node: Node;
  readonly row: AssignmentRow;
}

function nodeConfig(view: HashingView, place: Place): NodeConfig {
  const { config, node, row } = place;
  const { name, namespace = "", uid, creationTimestamp } = config.metadata;
  const identity = `kingly/nodeconfig/v1|${node.metadata.uid}|${uid}`;
  const digest = toHex(view.crypto.sha256(utf8Encode(identity)));
  const cuts = [0, 8, 12, 16, 20, 32];
  return {
    apiVersion: API_VERSION,
    kind: "NodeConfig",
    metadata: {
      name: `${node.metadata.name}.${namespace}.${name}`,
      uid: cuts
        .slice(0, -1)
        .map((from, i) => digest.slice(from, cuts[i + 1]))
        .join("-"),
      resourceVersion: String(view.meta().revision),
      generation: row.generation,
      creationTimestamp,
    },
    spec: { node: node.metadata.name, namespace, config: name, target: config.spec.target },
    status: statusOf(view, place),
  };
}

function statusOf(view: StateView, place: Place): NodeConfigStatus {
  const { config, node, row } = place;
  const { name, namespace = "" } = config.metadata;
  const rollout = readObject(view, "Rollout", namespace, versionName(name, row.version));
  const state = row.held ? "vetoed" : stateIn(rollout, node.metadata.name);
  const runs = row.held || state === "applied" || state === "confirmed" || row.version === 0;
  const good = row.held || state === "confirmed";
  return {
    assigned: row.version,
    active: runs ? row.version : row.previous,
    lastKnownGood: good ? row.version : row.previous,
    state,
    error: errorOf(view, place, state),
  };
}

function stateIn(rollout: Rollout | undefined, node: string): NodeConfigStatus["state"] {
  const status = rollout?.status;
  if (status === undefined) return "pending";
  for (const list of ["confirmed", "applied", "received", "vetoed", "failed"] as const) {
    if (status[list].includes(node)) return list;
  }
  return "pending";
}

function errorOf(view: StateView, place: Place, state: NodeConfigStatus["state"]): string {
  if (state === "failed") return place.row.failure ?? "the node could not apply it";
  if (!place.row.held) return "";
  const own = vetoesOf(view, place.config).filter(
    (veto) => veto.spec.node === place.node.metadata.name && isActive(veto),
  );
  const last = own[own.length - 1];
  return last === undefined ? "" : `vetoes version ${last.spec.version}: ${last.spec.message}`;
}

/** How many nodes are how far with the version that the fleet decided. */
export function adoption(view: StateView, config: Config): Adoption {
  const { name, namespace = "", uid } = config.metadata;
  const version = config.status?.version ?? 0;
  const rollout = readObject(view, "Rollout", namespace, versionName(name, version));
  const { applied = [], confirmed = [], failed = [] } = rollout?.status ?? {};
  const vetoed = vetoesOf(view, config).filter(
    (veto) => veto.spec.version === version && isActive(veto),
  );
  let assigned = 0;
  for (const node of readObjects(view, "Node")) {
    const row = assignmentOf(view, node.metadata.name, uid);
    if (row !== undefined && row.version === version && !row.held) assigned += 1;
  }
  return {
    assigned,
    applied: applied.length + confirmed.length,
    confirmed: confirmed.length,
    vetoed: vetoed.length,
    failed: failed.length,
  };
}
