// The internal rows behind the API's objects: what the machine must remember that no reader of the
// API needs, or needs only explained. One interface per row, with its accessors.

import { assert } from "@kingly/base";
import type { KeyDelta, ObjectiveDocument, PolicySpec, VoteDecision } from "@kingly/resources";
import {
  assignmentKey,
  configStateKey,
  openTrialKey,
  rolloutStateKey,
  trialKey,
} from "../core/keys.ts";
import type { Transaction } from "../core/transaction.ts";
import type { StateView } from "../core/view.ts";

/** A change that lost, and where. */
export interface LostDelta {
  readonly deltas: readonly KeyDelta[];
  readonly classes: readonly string[];
  readonly untilMs: number;
  /** Name of the proposal that lost. */
  readonly proposal: string;
  readonly reason: string;
}

/** State of one Config beyond its object. */
export interface ConfigState {
  /** Number of the next version; numbers are never used twice. */
  readonly nextVersion: number;
  /** Uids of Validated proposals, in the order in which they get their turn. */
  readonly queue: readonly string[];
  /** Uid of the proposal on trial; "" = none. */
  readonly trial: string;
  /** Uid of the newest rollout; "" = none. */
  readonly rollout: string;
  /** Keys that a measured (voted) version changed last, for rivals. */
  readonly touched: Readonly<Record<string, { readonly version: number; readonly atMs: number }>>;
  readonly quarantine: readonly LostDelta[];
  /** Proposals of this Config that are stored, open or not. */
  readonly proposals: number;
  /** When retention looks at this Config next; replicated milliseconds. */
  readonly collectAtMs: number;
}

/** One place in the electorate. */
export interface Elector {
  readonly node: string;
  readonly class: string;
  readonly ownerGroup: string;
  /** interferenceGroup, or the node alone. */
  readonly unit: string;
  /** Variance scale per objective, in the trial's order. */
  readonly rho: readonly number[];
  readonly startedAtMs: number;
  /** "" = not answered yet. */
  readonly answer: VoteDecision | "";
  /** ln of the averaged harm e-value of its vote; 0 without evidence. */
  readonly lnHarm: number;
  /** True when the vote carried measured pairs. */
  readonly measured: boolean;
  /** How often this place was drawn anew. */
  readonly redraws: number;
}

/** A vote that came after the verdict. */
export interface LateVote {
  readonly node: string;
  readonly decision: VoteDecision;
  readonly atMs: number;
}

/** A trial, fixed when it started; only answers and redraws change it. */
export interface TrialRow {
  readonly proposalUid: string;
  readonly configUid: string;
  readonly attempt: number;
  /** Lower-case hex, 32 bytes. */
  readonly seed: string;
  readonly startedAtMs: number;
  readonly deadlineMs: number;
  readonly baselineVersion: number;
  readonly baselineHash: string;
  readonly candidateHash: string;
  readonly changedKeys: readonly string[];
  readonly objectives: readonly ObjectiveDocument[];
  readonly policy: PolicySpec;
  /** What this trial may spend of the policy's beta. */
  readonly beta: number;
  /** Which trial on these keys since the last confirmed commit; 1 = first. */
  readonly trialNumber: number;
  readonly washoutSeconds: number;
  readonly requireImprovement: boolean;
  /** Why improvement is asked, for people; "" when it is not. */
  readonly improvementReason: string;
  /** Nodes selected per class at the start: what a class stands for. */
  readonly classSizes: Readonly<Record<string, number>>;
  /** Hashes of what the decision rests on. */
  readonly hashes: {
    readonly selector: string;
    readonly schema: string;
    readonly objectives: string;
    readonly policy: string;
  };
  readonly electors: readonly Elector[];
  /** Per class, who is asked next when a node declines, in the order drawn. */
  readonly reserves: Readonly<Record<string, readonly string[]>>;
  /** Nodes that declined; never drawn again for this trial. */
  readonly declined: readonly string[];
  readonly lateVotes: readonly LateVote[];
}

/** Facts fixed when a rollout began. */
export interface RolloutRow {
  readonly policy: PolicySpec;
  /** Error probability of every node's guard for this version. */
  readonly alphaLocal: number;
  readonly changedKeys: readonly string[];
}

/** What one node shall run for one Config. */
export interface AssignmentRow {
  readonly namespace: string;
  readonly config: string;
  /** Version it shall run; 0 = as-found. */
  readonly version: number;
  /** Log index of the entry that changed it last: rises even over deletion and return. */
  readonly generation: number;
  /** Version it ran before, as far as the servers know; 0 = as-found. */
  readonly previous: number;
  /** True when a standing veto holds it there. */
  readonly held: boolean;
  /** Why the node could not apply this version, in its own words; absent while it did not fail. */
  readonly failure?: string;
}

/** State of a Config; it exists as long as the Config. */
export function configStateOf(view: StateView, configUid: string): ConfigState {
  const row = view.get(configStateKey(configUid)) as unknown as ConfigState | undefined;
  assert(row !== undefined, "every Config has its state row");
  return row;
}

/** Changes the state of a Config. */
export function updateConfigState(
  tx: Transaction,
  configUid: string,
  change: Partial<ConfigState>,
): void {
  tx.putRow(configStateKey(configUid), { ...configStateOf(tx, configUid), ...change });
}

/** A trial, running or over. */
export function trialOf(view: StateView, proposalUid: string): TrialRow | undefined {
  return view.get(trialKey(proposalUid)) as unknown as TrialRow | undefined;
}

/** Stores a trial; `open` says whether its nodes are still measuring. */
export function putTrial(tx: Transaction, trial: TrialRow, open: boolean): void {
  tx.putRow(trialKey(trial.proposalUid), trial);
  if (open) tx.putRow(openTrialKey(trial.proposalUid), trial.proposalUid);
  else tx.deleteRow(openTrialKey(trial.proposalUid));
}

/** Facts of a rollout. */
export function rolloutRowOf(view: StateView, rolloutUid: string): RolloutRow {
  const row = view.get(rolloutStateKey(rolloutUid)) as unknown as RolloutRow | undefined;
  assert(row !== undefined, "every Rollout has its row");
  return row;
}

/** Assignment of a node for a Config; undefined when the Config does not reach it. */
export function assignmentOf(
  view: StateView,
  node: string,
  configUid: string,
): AssignmentRow | undefined {
  return view.get(assignmentKey(node, configUid)) as unknown as AssignmentRow | undefined;
}
