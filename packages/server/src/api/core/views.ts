// The one place of the API layer that calls the decision package's views: what follows from the
// replicated state and is computed when somebody asks.

import { compareStrings } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import {
  adoption,
  contentOf,
  effectiveContent,
  explainProposal,
  explainVeto,
  renderAssignments,
  renderNodeConfigs,
  renderTrialOrders,
} from "@kingly/decision";
import type { StateMachine } from "@kingly/decision";
import { objectKey } from "@kingly/resources";
import type {
  AssignmentPush,
  Cell,
  Config,
  ConfigStatus,
  KindName,
  NodeConfig,
  Proposal,
  TrialOrder,
  Veto,
  Vote,
} from "@kingly/resources";
import type { Replica } from "../../replica/replica.ts";
import type { Row } from "./reader.ts";

/** How far a Config's newest version is, counted over its nodes. */
export function adoptionOf(
  state: StateMachine,
  config: Config,
): NonNullable<ConfigStatus["adoption"]> {
  return adoption(state, config);
}

/** The content of a committed version; undefined for one without content. */
export function versionData(state: StateMachine, hash: string): JsonObject | undefined {
  return hash === "" ? undefined : contentOf(state, hash);
}

/** Keys of a version that this node keeps at an older value because of its vetoes. */
export function pinnedKeysOf(
  state: StateMachine,
  config: Config,
  node: string,
  version: number,
): readonly string[] {
  return effectiveContent(state, config, node, version).pinnedKeys;
}

/** What a node should run. */
export function assignmentsOf(state: StateMachine, node: string): AssignmentPush {
  return renderAssignments(state, node);
}

/** Trials that wait for this node's vote. */
export function trialOrdersOf(state: StateMachine, node: string): readonly TrialOrder[] {
  return renderTrialOrders(state, node);
}

/** All NodeConfigs, sorted by key. What agents report goes before what the log knows. */
export function nodeConfigRows(replica: Replica): Row[] {
  const rows = renderNodeConfigs(replica.state).map((object) => ({
    key: `nodeconfigs//${object.metadata.name}`,
    value: withReport(replica, object) as unknown as JsonValue,
  }));
  return rows.toSorted((a, b) => compareStrings(a.key, b.key));
}

/** The NodeConfig with what its node said last about the version that it runs. */
function withReport(replica: Replica, object: NodeConfig): NodeConfig {
  const { node, namespace, config } = object.spec;
  const uid = replica.state.object("Config", namespace, config)?.metadata.uid;
  const report = replica.soft.heartbeat(node)?.active.find((one) => one.configUid === uid);
  if (report === undefined || object.status === undefined) return object;
  const status = {
    ...object.status,
    active: report.version,
    lastKnownGood: report.lastKnownGood,
    error: object.status.error === "" ? report.message : object.status.error,
  };
  return { ...object, status };
}

/** How many places of a trial have their answer, of how many; undefined before the trial. */
export function votesCast(
  state: Pick<StateMachine, "list">,
  proposal: Proposal,
): { readonly cast: number; readonly asked: number } | undefined {
  const trial = proposal.status?.trial;
  if (trial === undefined) return undefined;
  const { namespace, name, uid } = proposal.metadata;
  // Votes are named after proposal, attempt and node: these are read, and no others. Whoever declined
  // and was replaced is no trial node any more; another proposal's name may begin like this one's.
  const answered = new Set<string>();
  for (const [, value] of state.list(objectKey("Vote", namespace, `${name}-a${trial.attempt}-`))) {
    const { proposalUid, attempt, node } = (value as unknown as Vote).spec;
    if (proposalUid === uid && attempt === trial.attempt) answered.add(node);
  }
  const cast = trial.nodes.filter((node) => answered.has(node)).length;
  return { cast, asked: trial.nodes.length };
}

/** Table cells, by column, that the object alone does not tell. */
export function liveCells(
  state: StateMachine,
  kind: KindName,
  object: JsonObject,
): Readonly<Record<string, Cell>> {
  if (kind !== "Proposal") return {};
  const proposal = object as unknown as Proposal;
  if (proposal.status?.verdict !== undefined) return {};
  const votes = votesCast(state, proposal);
  return votes === undefined ? {} : { Votes: `${votes.cast}/${votes.asked}` };
}

/** Why a proposal stands where it stands. */
export function whyProposal(replica: Replica, proposal: Proposal): JsonValue {
  const { namespace = "", name, uid } = proposal.metadata;
  const explanation = explainProposal(replica.state, namespace, name);
  const progress = replica.soft.progress(uid) as unknown as JsonValue;
  return { ...(explanation as unknown as JsonObject | undefined), progress };
}

/** Why a node rejected a version. */
export function whyVeto(replica: Replica, veto: Veto): JsonValue {
  const { namespace = "", name } = veto.metadata;
  return (explainVeto(replica.state, namespace, name) ?? null) as unknown as JsonValue;
}
