// Which nodes a Config reaches: labels, and pools bound to the namespace. Class, owner group and pool
// are labels too, set at enrolment or by an operator, so a node cannot select itself.

import type { Config, Namespace, Node } from "@kingly/resources";
import { invalid } from "../core/fields.ts";
import { refuse } from "../core/refuse.ts";
import type { Transaction } from "../core/transaction.ts";
import { readObject, readObjects } from "../core/view.ts";
import type { StateView } from "../core/view.ts";

/** Labels that every node has without being told, from its spec. */
export const IMPLICIT_LABELS: {
  readonly class: string;
  readonly ownerGroup: string;
  readonly pool: string;
} = {
  class: "kingly.dev/class",
  ownerGroup: "kingly.dev/owner-group",
  pool: "kingly.dev/pool",
};

/** True when the namespace may use the pool: `spec.pools` lists it, or is absent (all pools). */
function mayUsePool(namespace: Namespace | undefined, pool: string): boolean {
  const pools = namespace?.spec?.["pools"];
  return !Array.isArray(pools) || pools.includes(pool);
}

function matches(node: Node, config: Config): boolean {
  const labels: Readonly<Record<string, string>> = {
    ...node.metadata.labels,
    [IMPLICIT_LABELS.class]: node.spec.class,
    [IMPLICIT_LABELS.ownerGroup]: node.spec.ownerGroup,
    [IMPLICIT_LABELS.pool]: node.spec.pool,
  };
  const wanted = config.spec.selector.matchLabels;
  return Object.keys(wanted).every(
    (label) => Object.hasOwn(labels, label) && labels[label] === wanted[label],
  );
}

/** True when the Config configures the node. */
export function selects(view: StateView, config: Config, node: Node): boolean {
  const namespace = readObject(view, "Namespace", "", config.metadata.namespace ?? "");
  return mayUsePool(namespace, node.spec.pool) && matches(node, config);
}

/** Nodes that a Config configures, sorted by name. */
export function selectedNodes(view: StateView, config: Config): Node[] {
  const namespace = readObject(view, "Namespace", "", config.metadata.namespace ?? "");
  return readObjects(view, "Node").filter(
    (node) => mayUsePool(namespace, node.spec.pool) && matches(node, config),
  );
}

/** Configs that configure a node, sorted by namespace and name. */
export function configsOf(view: StateView, node: Node): Config[] {
  return readObjects(view, "Config").filter((config) => selects(view, config, node));
}

/** Classes of nodes, sorted, without repetitions. */
export function classesOf(nodes: readonly Node[]): string[] {
  return [...new Set(nodes.map((node) => node.spec.class))].sort();
}

/** Refuses when another Config already configures one of this Config's nodes at the same target. */
export function requireNoOverlap(tx: Transaction, config: Config): void {
  const others = tx
    .objects("Config")
    .filter(
      (other) =>
        other.spec.target === config.spec.target && other.metadata.uid !== config.metadata.uid,
    );
  if (others.length === 0) return;
  for (const node of selectedNodes(tx, config)) {
    const rival = others.find((other) => selects(tx, other, node));
    if (rival !== undefined) refuseOverlap(config, rival, node.metadata.name);
  }
}

/** Refuses when two Configs configure this node at the same target. */
export function requireOneConfigPerTarget(tx: Transaction, node: Node): void {
  const byTarget = new Map<string, Config>();
  for (const config of configsOf(tx, node)) {
    const other = byTarget.get(config.spec.target);
    if (other !== undefined) refuseOverlap(config, other, node.metadata.name);
    byTarget.set(config.spec.target, config);
  }
}

function refuseOverlap(config: Config, other: Config, node: string): never {
  const name = `${other.metadata.namespace}/${other.metadata.name}`;
  return refuse(
    "Conflict",
    `node ${node} is configured at target ${config.spec.target} by Config ${name} already`,
    {
      field: "spec.selector",
      value: node,
      rule: "OneConfigPerTarget",
      help: "narrow one of the selectors or use another target",
    },
  );
}

/** Refuses unless the namespace exists. */
export function requireNamespace(tx: Transaction, namespace: string): void {
  if (namespace === "") invalid("namespace", "the name of a namespace", namespace);
  if (tx.object("Namespace", "", namespace) !== undefined) return;
  refuse("NotFound", `namespace ${namespace} does not exist`, {
    field: "metadata.namespace",
    value: namespace,
    help: `create the namespace ${namespace} first`,
  });
}
