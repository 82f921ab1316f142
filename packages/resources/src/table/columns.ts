// Columns of each kind, as `kubectl get` prints them: what a person wants to know first. Columns
// of priority 1 appear in wide output only.

import type { JsonValue } from "@kingly/base";
import { isJsonObject } from "@kingly/base";
import {
  NOTHING,
  age,
  condition,
  count,
  items,
  percent,
  scalar,
  short,
  shortHash,
  size,
  until,
  valueAt,
  version,
} from "./cells.ts";
import type { Cell } from "./cells.ts";

/** One column of a table. */
export interface TableColumn {
  readonly name: string;
  readonly type: "string" | "integer" | "number";
  /** `name` for the first column, else "". */
  readonly format: "" | "name";
  readonly description: string;
  /** 0 = always shown, 1 = in wide output. */
  readonly priority: 0 | 1;
  /** The cell of one object; times are relative to `nowMs` when it is known. */
  readonly cell: (object: JsonValue, nowMs: number | undefined) => Cell;
}

type CellOf = TableColumn["cell"];

function column(name: string, description: string, cell: CellOf): TableColumn {
  return { name, type: "string", format: "", description, priority: 0, cell };
}

function wide(name: string, description: string, cell: CellOf): TableColumn {
  return { ...column(name, description, cell), priority: 1 };
}

function whole(name: string, description: string, cell: CellOf): TableColumn {
  return { ...column(name, description, cell), type: "integer" };
}

const at =
  (path: string): CellOf =>
  (object) =>
    scalar(object, path);

const NAME: TableColumn = {
  ...column("Name", "Name of the object.", at("metadata.name")),
  format: "name",
};

const AGE = column("Age", "Time since it was created.", (object, nowMs) =>
  age(object, "metadata.creationTimestamp", nowMs),
);

const CONFIG: readonly TableColumn[] = [
  column("Target", "Logical target.", at("spec.target")),
  column("Version", "Newest committed version.", (o) => version(o, "status.version")),
  column("Synced", "Whether the intent is what was decided.", (o) => condition(o, "Synced")),
  column("Confirmed", "Nodes that confirmed it, of those assigned.", adoption),
  whole("Vetoes", "Nodes that reverted it on evidence.", (o) => count(o, "status.adoption.vetoed")),
  column("Proposal", "Proposal in flight.", at("status.proposal")),
  wide("Keys", "Top-level keys of the intent.", (o) => size(o, "spec.data")),
  wide("Hash", "Hash of the committed content.", (o) => shortHash(o, "status.contentHash")),
  wide("Schema", "ConfigSchema.", at("spec.schemaRef")),
  wide("Policy", "Policy.", at("spec.policyRef")),
];

const CONFIG_VERSION: readonly TableColumn[] = [
  column("Config", "Config.", at("spec.config")),
  column("Version", "Number of the version.", (o) => version(o, "spec.version")),
  column("Verdict", "How it was decided.", at("spec.verdict")),
  column("Keys", "Keys that changed.", (o) => items(o, "spec.changedKeys")),
  column("Proposal", "Proposal it came from.", at("spec.proposal")),
  wide("Hash", "Hash of the content.", (o) => shortHash(o, "spec.contentHash")),
  wide("Parent", "Version before.", (o) => version(o, "spec.parent")),
  wide("Revert-Of", "Version it brings back.", (o) => version(o, "spec.revertOf")),
];

const CONFIG_SCHEMA: readonly TableColumn[] = [
  whole("Keys", "Keys with rules.", (o) => size(o, "spec.keys")),
  whole("Tunable", "Keys that agents may tune.", tunableKeys),
];

const PROPOSAL: readonly TableColumn[] = [
  column("Config", "Config.", at("spec.config")),
  column("Keys", "Keys it changes.", (o) => items(o, "status.changedKeys")),
  column("Stage", "Where it stands.", at("status.phase")),
  column("Votes", "For / against / without decision, of those asked.", votes),
  column("E-Max", "Greatest mean evidence of harm of any class.", greatestHarm),
  column("Version", "Version it became.", (o) => version(o, "status.committedVersion")),
  wide("Proposer", "Who proposed it.", at("spec.source.name")),
  wide("Base", "Version it was made against.", (o) => version(o, "spec.baseVersion")),
  wide("Deadline", "Time until voting ends.", (o, now) => until(o, "status.trial.deadlineMs", now)),
  wide("Why", "Reason of the phase.", at("status.reason")),
];

const VOTE: readonly TableColumn[] = [
  column("Proposal", "Proposal.", at("spec.proposal")),
  column("Node", "Node.", at("spec.node")),
  column("Class", "Class of the node.", at("spec.class")),
  column("Decision", "The answer.", at("spec.decision")),
  column("Reason", "Why.", at("spec.reason")),
  wide("Attempt", "Number of the trial.", at("spec.attempt")),
];

const VETO: readonly TableColumn[] = [
  column("Config", "Config.", at("spec.config")),
  column("Version", "Version that is rejected.", (o) => version(o, "spec.version")),
  column("Node", "Node.", at("spec.node")),
  column("Cause", "What led to it.", at("spec.cause")),
  column("Runs", "Version it runs instead.", runsInstead),
  column("Expires", "Time until it ends.", (o, now) => until(o, "spec.expiresAtMs", now)),
  wide("Ln-E", "Logarithm of the evidence of harm.", (o) => short(count(o, "spec.lnE"))),
  wide("Pinned", "Keys kept at their former values.", (o) => items(o, "spec.pinnedKeys")),
  wide("Class", "Class of the node.", at("spec.class")),
];

const OBJECTIVE: readonly TableColumn[] = [
  column("Signal", "Logical signal.", at("spec.signal")),
  column("Better", "Which way is better.", at("spec.direction")),
  column("Role", "Primary or guardrail.", at("spec.role")),
  column("Margin", "Loss that counts as none.", (o) => percent(o, "spec.marginRatio")),
  wide("Weight", "Relative weight.", at("spec.weight")),
  wide("Unit", "Unit.", at("spec.unit")),
];

const POLICY: readonly TableColumn[] = [
  column("Quorum", "Share of weight a verdict needs.", (o) => percent(o, "spec.quorum")),
  column("Accept", "Share of Accept a class needs.", (o) => fraction(o, "spec.acceptThreshold")),
  column("Alpha", "Level of false rejections.", at("spec.alpha")),
  column("Beta", "Level of false acceptances.", at("spec.beta")),
  column("Direct", "Whether trial and vote may be skipped.", at("spec.directCommits")),
  wide("Stages", "Shares of nodes.", stageShares),
  wide("On-Split", "What happens when classes disagree.", at("spec.onSplit")),
];

const ROLLOUT: readonly TableColumn[] = [
  column("Config", "Config.", at("spec.config")),
  column("Version", "Version.", (o) => version(o, "spec.version")),
  column("Phase", "Where it stands.", at("status.phase")),
  column("Stage", "Stage in progress, of all.", stage),
  column("Confirmed", "Nodes that confirmed, of those assigned.", confirmedOfStaged),
  column("Vetoes", "Vetoes, of those that stop the stage.", vetoesOfBudget),
  wide("From", "Version it replaces.", (o) => version(o, "spec.fromVersion")),
  wide("Excluded", "Nodes never assigned.", (o) => size(o, "status.excluded")),
  wide("Why", "Reason of the phase.", at("status.reason")),
];

const NODE: readonly TableColumn[] = [
  column("Ready", "Whether its agent is connected.", (o) => condition(o, "Ready")),
  column("Class", "Class.", at("spec.class")),
  column("Owner", "Owner group.", at("spec.ownerGroup")),
  column("Pool", "Pool.", at("spec.pool")),
  column("Agent", "Version of the agent.", at("status.agentVersion")),
  wide("Group", "Nodes that switch as one.", at("spec.interferenceGroup")),
  wide("Targets", "Targets it has bound.", (o) => items(o, "status.targets")),
  wide("Signals", "Signals it has bound.", (o) => items(o, "status.signals")),
];

const NODE_CONFIG: readonly TableColumn[] = [
  column("Node", "Node.", at("spec.node")),
  column("Config", "Config.", (o) => `${scalar(o, "spec.namespace")}/${scalar(o, "spec.config")}`),
  column("State", "How far the assigned version is.", at("status.state")),
  column("Assigned", "Version it should run.", (o) => version(o, "status.assigned")),
  column("Active", "Version it runs.", (o) => version(o, "status.active")),
  column("Good", "Version it would return to.", (o) => version(o, "status.lastKnownGood")),
  wide("Target", "Logical target.", at("spec.target")),
  wide("Error", "Why it is not further.", at("status.error")),
];

const NAMESPACE: readonly TableColumn[] = [column("Status", "State.", namespacePhase)];

const EVENT: readonly TableColumn[] = [
  column("Last Seen", "Time since it happened.", (o, now) =>
    age(o, "metadata.creationTimestamp", now),
  ),
  column("Type", "Normal or Warning.", at("spec.type")),
  column("Reason", "What, in one word.", at("spec.reason")),
  column("Object", "What it happened to.", involvedObject),
  column("Message", "What happened.", at("spec.message")),
  { ...wide("Count", "How often.", (o) => count(o, "spec.count")), type: "integer" },
  { ...NAME, priority: 1 },
];

const COLUMNS: Readonly<Record<string, readonly TableColumn[]>> = {
  Config: [NAME, ...CONFIG, AGE],
  ConfigVersion: [NAME, ...CONFIG_VERSION, AGE],
  ConfigSchema: [NAME, ...CONFIG_SCHEMA, AGE],
  Proposal: [NAME, ...PROPOSAL, AGE],
  Vote: [NAME, ...VOTE, AGE],
  Veto: [NAME, ...VETO, AGE],
  Objective: [NAME, ...OBJECTIVE, AGE],
  Policy: [NAME, ...POLICY, AGE],
  Rollout: [NAME, ...ROLLOUT, AGE],
  Node: [NAME, ...NODE, AGE],
  // Rendered on read: it has no age of its own.
  NodeConfig: [NAME, ...NODE_CONFIG],
  Namespace: [NAME, ...NAMESPACE, AGE],
  Event: EVENT,
};

/** The columns of a kind; name and age for a kind without its own. */
export function columnsOf(kind: string): readonly TableColumn[] {
  return Object.hasOwn(COLUMNS, kind) ? (COLUMNS[kind] ?? [NAME, AGE]) : [NAME, AGE];
}

function adoption(object: JsonValue): Cell {
  if (valueAt(object, "status.adoption") === undefined) return NOTHING;
  return `${count(object, "status.adoption.confirmed")}/${count(object, "status.adoption.assigned")}`;
}

function tunableKeys(object: JsonValue): Cell {
  const rules = valueAt(object, "spec.keys");
  if (!isJsonObject(rules)) return 0;
  return Object.values(rules).filter((rule) => valueAt(rule, "tunable") === true).length;
}

function votes(object: JsonValue): Cell {
  const asked = size(object, "status.trial.nodes");
  if (valueAt(object, "status.verdict.votes") === undefined)
    return asked > 0 ? `?/${asked}` : NOTHING;
  const cast = ["accept", "reject", "abstain"].map((kind) =>
    count(object, `status.verdict.votes.${kind}`),
  );
  return `${cast.join("/")} of ${asked}`;
}

function greatestHarm(object: JsonValue): Cell {
  const classes = valueAt(object, "status.verdict.classes");
  if (!Array.isArray(classes) || classes.length === 0) return NOTHING;
  let greatest = 0;
  for (const tally of classes as readonly JsonValue[]) {
    greatest = Math.max(greatest, count(tally, "meanHarmE"));
  }
  return short(greatest);
}

function runsInstead(object: JsonValue): Cell {
  const runs = version(object, "spec.runsVersion");
  return runs === NOTHING ? "as-found" : runs;
}

function fraction(object: JsonValue, path: string): Cell {
  return `${scalar(object, `${path}.numerator`)}/${scalar(object, `${path}.denominator`)}`;
}

function stageShares(object: JsonValue): Cell {
  const shares = valueAt(object, "spec.rollout.stages");
  return Array.isArray(shares) ? shares.map(String).join(",") : NOTHING;
}

function stage(object: JsonValue): Cell {
  const stages = size(object, "status.stages");
  return stages === 0 ? NOTHING : `${count(object, "status.stage") + 1}/${stages}`;
}

function confirmedOfStaged(object: JsonValue): Cell {
  const stages = valueAt(object, "status.stages");
  if (!Array.isArray(stages)) return NOTHING;
  const last = count(object, "status.stage");
  let assigned = 0;
  for (const one of (stages as readonly JsonValue[]).slice(0, last + 1)) {
    assigned += size(one, "nodes");
  }
  return `${size(object, "status.confirmed")}/${assigned}`;
}

function vetoesOfBudget(object: JsonValue): Cell {
  return `${size(object, "status.vetoed")}/${count(object, "status.vetoBudget")}`;
}

function namespacePhase(object: JsonValue): Cell {
  const phase = scalar(object, "status.phase");
  return phase === NOTHING ? "Active" : phase;
}

function involvedObject(object: JsonValue): Cell {
  const kind = String(scalar(object, "spec.involvedObject.kind")).toLowerCase();
  return `${kind}/${scalar(object, "spec.involvedObject.name")}`;
}
