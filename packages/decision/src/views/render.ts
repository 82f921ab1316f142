// What servers push to agents, rendered from state: the whole desired state of a node, and the trials
// it takes part in. Equal state gives equal documents on every replica.

import { changedTopLevelKeys } from "@kingly/base";
import type { JsonObject } from "@kingly/base";
import type {
  Assignment,
  AssignmentPush,
  Config,
  ConfigReference,
  ConfigSchemaSpec,
  GuardPlan,
  PolicySpec,
  TrialOrder,
} from "@kingly/resources";
import { defaultPolicySpec } from "@kingly/resources";
import { alphaLocal } from "@kingly/evidence";
import { OPEN_TRIAL_PREFIX, assignmentPrefix, rolloutStateKey, uidKey } from "../core/keys.ts";
import { readObject } from "../core/view.ts";
import type { StateView } from "../core/view.ts";
import { contentOf, versionName } from "../model/content.ts";
import { objectivesOf, planFor } from "../model/electorate.ts";
import { guardOf } from "../model/guard.ts";
import { trialOf } from "../model/rows.ts";
import type { AssignmentRow, Elector, RolloutRow, TrialRow } from "../model/rows.ts";
import { effectiveContent } from "./effective.ts";
import type { HashingView } from "./effective.ts";

/** Everything that a node shall run, sorted by Config uid; empty for an unknown node. */
export function renderAssignments(view: HashingView, node: string): AssignmentPush {
  const assignments: Assignment[] = [];
  for (const [, value] of view.list(assignmentPrefix(node))) {
    const row = value as unknown as AssignmentRow;
    const config = readObject(view, "Config", row.namespace, row.config);
    if (config !== undefined) assignments.push(renderAssignment(view, config, node, row));
  }
  return { clusterId: view.meta().clusterId, node, assignments };
}

function renderAssignment(
  view: HashingView,
  config: Config,
  node: string,
  row: AssignmentRow,
): Assignment {
  const { namespace = "" } = config.metadata;
  const effective = effectiveContent(view, config, node, row.version);
  const before = effectiveContent(view, config, node, row.previous);
  const changedKeys = changedTopLevelKeys(before.data, effective.data);
  const schema = readObject(view, "ConfigSchema", namespace, config.spec.schemaRef)?.spec;
  const policy = readObject(view, "Policy", namespace, config.spec.policyRef)?.spec;
  return {
    config: referenceOf(config),
    target: config.spec.target,
    generation: row.generation,
    version: row.version,
    contentHash: effective.contentHash,
    data: effective.data,
    changedKeys,
    keys: schema?.keys ?? {},
    objectives: objectivesOf(view, config),
    guard: guardFor(view, config, row.version, { changedKeys, schema, policy }),
    requiresConnectivity: config.spec.requiresConnectivity,
    agentsMayPropose: policy?.agentsMayPropose ?? false,
    heldByVeto: row.held,
  };
}

function guardFor(
  view: StateView,
  config: Config,
  version: number,
  context: {
    readonly changedKeys: readonly string[];
    readonly schema: ConfigSchemaSpec | undefined;
    readonly policy: PolicySpec | undefined;
  },
): GuardPlan {
  const { name, namespace = "" } = config.metadata;
  const rollout = readObject(view, "Rollout", namespace, versionName(name, version));
  const stored =
    rollout === undefined
      ? undefined
      : (view.get(rolloutStateKey(rollout.metadata.uid)) as unknown as RolloutRow | undefined);
  const policy = context.policy ?? defaultPolicySpec;
  const row = stored ?? { policy, alphaLocal: alphaLocal(1), changedKeys: [] };
  const settle = context.changedKeys.map((key) => {
    const keys = context.schema?.keys ?? {};
    return Object.hasOwn(keys, key) ? (keys[key]?.settleSeconds ?? 0) : 0;
  });
  return guardOf(row, Math.max(row.policy.trial.washoutSeconds, ...settle));
}

/** How documents name a Config. */
function referenceOf(config: Config): ConfigReference {
  const { namespace = "", name, uid } = config.metadata;
  return { namespace, name, uid };
}

/** The running trials in which this node has not answered yet, sorted by proposal uid. */
export function renderTrialOrders(view: StateView, node: string): TrialOrder[] {
  const orders: TrialOrder[] = [];
  for (const [, uid] of view.list(OPEN_TRIAL_PREFIX)) {
    const trial = typeof uid === "string" ? trialOf(view, uid) : undefined;
    const elector = trial?.electors.find((one) => one.node === node && one.answer === "");
    if (trial === undefined || elector === undefined) continue;
    const order = renderOrder(view, trial, elector);
    if (order !== undefined) orders.push(order);
  }
  return orders;
}

function renderOrder(view: StateView, trial: TrialRow, elector: Elector): TrialOrder | undefined {
  const [, namespace = "", name = ""] = rowKeyOf(view, trial.proposalUid).split("/");
  const proposal = readObject(view, "Proposal", namespace, name);
  const config =
    proposal === undefined
      ? undefined
      : readObject(view, "Config", namespace, proposal.spec.config);
  if (proposal === undefined || config === undefined) return undefined;
  return {
    proposal: { namespace, name, uid: trial.proposalUid },
    attempt: trial.attempt,
    config: referenceOf(config),
    target: config.spec.target,
    seed: trial.seed,
    unit: elector.unit,
    candidate: { hash: trial.candidateHash, data: contentOf(view, trial.candidateHash) },
    baseline: {
      hash: trial.baselineHash,
      data: contentOf(view, trial.baselineHash),
      version: trial.baselineVersion,
    },
    changedKeys: trial.changedKeys,
    blockSeconds: trial.policy.trial.blockSeconds,
    washoutSeconds: trial.washoutSeconds,
    startedAtMs: elector.startedAtMs,
    deadlineMs: trial.deadlineMs,
    plan: planFor(trial, elector) as unknown as JsonObject,
    signals: Object.fromEntries(trial.objectives.map(({ name: key, signal }) => [key, signal])),
  };
}

function rowKeyOf(view: StateView, uid: string): string {
  const key = view.get(uidKey(uid));
  return typeof key === "string" ? key : "";
}
