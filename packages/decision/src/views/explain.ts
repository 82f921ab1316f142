// `why`: everything that led to a decision, as numbers and sentences. The evidence is recomputed from
// the stored documents, so what is shown is what was counted.

import { isJsonObject } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import { exp, pointEffect, readEvidence, recordOf } from "@kingly/evidence";
import type { TrialEvidence } from "@kingly/evidence";
import type { RolloutStatus, Verdict, Veto, Vote } from "@kingly/resources";
import { rolloutStateKey } from "../core/keys.ts";
import { readObject, readObjects } from "../core/view.ts";
import type { StateView } from "../core/view.ts";
import { committedContent, contentOf, versionName } from "../model/content.ts";
import { objectivesOf } from "../model/electorate.ts";
import { statusOf } from "../model/phases.ts";
import { vetoesOf } from "../model/pins.ts";
import { configStateOf, trialOf } from "../model/rows.ts";
import type { LateVote, RolloutRow, TrialRow } from "../model/rows.ts";

/** Largest e-value shown as a number; beyond it only its logarithm says more. */
const LN_SHOWN_MAX = 700;

/** One changed key. */
export interface KeyChange {
  readonly key: string;
  /** null = was not there. */
  readonly from: JsonValue;
  /** null = is removed. */
  readonly to: JsonValue;
}

/** What one node measured of one objective. */
export interface ObjectiveExplanation {
  readonly objective: string;
  readonly role: string;
  /** Pairs that counted for this objective. */
  readonly pairs: number;
  readonly droppedPairs: number;
  /** Point estimate, percent; > 0 is worse whatever the direction. */
  readonly effectPercent: number;
  /** E-values of the processes, as numbers (capped at e^700). */
  readonly harmE: number;
  readonly nonInferiorE: number;
  readonly improvementE: number;
  /** Loss that Accept had to exclude and that Reject had to prove, percent. */
  readonly marginPercent: number;
  readonly harmMarginPercent: number;
}

/** One vote. */
export interface VoteExplanation {
  readonly node: string;
  readonly class: string;
  readonly decision: string;
  readonly reason: string;
  readonly declined: boolean;
  readonly pairs: number;
  readonly objectives: readonly ObjectiveExplanation[];
}

/** Why a proposal is where it is. */
export interface ProposalExplanation {
  readonly proposal: { readonly namespace: string; readonly name: string; readonly uid: string };
  readonly phase: string;
  readonly reason: string;
  readonly message: string;
  readonly changes: readonly KeyChange[];
  /** 1 = next; 0 = not waiting. */
  readonly queuePosition: number;
  readonly thresholds?: {
    readonly alpha: number;
    /** What this trial could spend of the policy's beta. */
    readonly beta: number;
    readonly trialNumber: number;
    /** E-values at which a node accepts and rejects. */
    readonly acceptE: number;
    readonly rejectE: number;
    readonly requireImprovement: boolean;
    readonly improvementReason: string;
  };
  readonly votes: readonly VoteExplanation[];
  /** Trial nodes that have not answered. */
  readonly missing: readonly string[];
  readonly lateVotes: readonly LateVote[];
  readonly verdict?: Verdict;
  readonly rollout?: RolloutStatus;
  readonly vetoes: readonly VetoExplanation[];
}

/** Why a node does not run a version. */
export interface VetoExplanation {
  readonly veto: { readonly namespace: string; readonly name: string };
  readonly node: string;
  readonly class: string;
  readonly version: number;
  readonly cause: string;
  readonly message: string;
  readonly active: boolean;
  readonly pinnedKeys: readonly string[];
  readonly runsVersion: number;
  readonly expiresAtMs: number;
  /** E of the harm process at its stopping time; 1 when no process was involved. */
  readonly harmE: number;
  readonly pairs: number;
  readonly objectives: readonly ObjectiveExplanation[];
}

/** Explains a proposal; undefined when there is none of this name. */
export function explainProposal(
  view: StateView,
  namespace: string,
  name: string,
): ProposalExplanation | undefined {
  const proposal = readObject(view, "Proposal", namespace, name);
  if (proposal === undefined) return undefined;
  const { uid } = proposal.metadata;
  const status = statusOf(proposal);
  const trial = trialOf(view, uid);
  const config = readObject(view, "Config", namespace, proposal.spec.config);
  const votes = readObjects(view, "Vote", namespace).filter(
    (vote) => vote.spec.proposalUid === uid && vote.spec.attempt === (trial?.attempt ?? 0),
  );
  const base = trial === undefined && config !== undefined ? committedContent(view, config) : {};
  const from = trial === undefined ? base : contentOf(view, trial.baselineHash);
  const to = contentOf(view, status.candidateHash);
  const queue = config === undefined ? [] : configStateOf(view, config.metadata.uid).queue;
  const vetoes = config === undefined ? [] : vetoesOf(view, config);
  const rollout =
    status.rollout === undefined
      ? undefined
      : readObject(view, "Rollout", namespace, status.rollout)?.status;
  return {
    proposal: { namespace, name, uid },
    phase: status.phase,
    reason: status.reason,
    message: status.message,
    changes: changesOf(status.changedKeys, from, to),
    queuePosition: queue.indexOf(uid) + 1,
    ...(trial === undefined ? {} : { thresholds: thresholdsOf(trial) }),
    votes: votes.map((vote) => explainVote(vote, trial)),
    missing: (trial?.electors ?? []).filter((one) => one.answer === "").map((one) => one.node),
    lateVotes: trial?.lateVotes ?? [],
    ...(status.verdict === undefined ? {} : { verdict: status.verdict }),
    ...(rollout === undefined ? {} : { rollout }),
    vetoes: vetoes
      .filter(
        (veto) => status.committedVersion > 0 && veto.spec.version === status.committedVersion,
      )
      .map((veto) => explain(view, veto)),
  };
}

/** Explains a veto; undefined when there is none of this name. */
export function explainVeto(
  view: StateView,
  namespace: string,
  name: string,
): VetoExplanation | undefined {
  const veto = readObject(view, "Veto", namespace, name);
  return veto === undefined ? undefined : explain(view, veto);
}

function changesOf(keys: readonly string[], from: JsonObject, to: JsonObject): KeyChange[] {
  const at = (data: JsonObject, key: string): JsonValue =>
    Object.hasOwn(data, key) ? (data[key] as JsonValue) : null;
  return keys.map((key) => ({ key, from: at(from, key), to: at(to, key) }));
}

function thresholdsOf(trial: TrialRow): NonNullable<ProposalExplanation["thresholds"]> {
  return {
    alpha: trial.policy.alpha,
    beta: trial.beta,
    trialNumber: trial.trialNumber,
    acceptE: 1 / trial.beta,
    rejectE: 1 / trial.policy.alpha,
    requireImprovement: trial.requireImprovement,
    improvementReason: trial.improvementReason,
  };
}

interface Margins {
  readonly role: string;
  readonly marginRatio: number;
  readonly harmMarginRatio: number;
}

function explainVote(vote: Vote, trial: TrialRow | undefined): VoteExplanation {
  const { node, class: className, decision, reason } = vote.spec;
  const margins = (name: string): Margins | undefined => {
    const objective = trial?.objectives.find((one) => one.name === name);
    if (trial === undefined || objective === undefined) return undefined;
    const { harmMarginRatio } = trial.policy.trial;
    return { role: objective.role, marginRatio: objective.marginRatio, harmMarginRatio };
  };
  const evidence = evidenceOf(vote.spec.evidence);
  return {
    node,
    class: className,
    decision,
    reason,
    declined: vote.status?.["declined"] === true,
    pairs: evidence?.pairs ?? 0,
    objectives: evidence === undefined ? [] : explainObjectives(evidence, margins),
  };
}

/** Margin of harm in the trial that led to the version a standing veto is about. */
function votedMargin(view: StateView, veto: Veto): number | undefined {
  const { namespace = "" } = veto.metadata;
  const name = versionName(veto.spec.config, veto.spec.version);
  const uid = readObject(view, "Rollout", namespace, name)?.metadata.uid;
  const row = uid === undefined ? undefined : view.get(rolloutStateKey(uid));
  return (row as unknown as RolloutRow | undefined)?.policy.trial.harmMarginRatio;
}

function explain(view: StateView, veto: Veto): VetoExplanation {
  const { spec, metadata } = veto;
  const { namespace = "", name } = metadata;
  const config = readObject(view, "Config", namespace, spec.config);
  const objectives = config === undefined ? [] : objectivesOf(view, config);
  const margins = (key: string): Margins | undefined => {
    const objective = objectives.find((one) => one.name === key);
    if (objective === undefined) return undefined;
    const { role, marginRatio } = objective;
    // A vote tested harm against the trial's smaller margin, a guard against the objective's own.
    const harmMarginRatio = spec.cause === "Voted" ? votedMargin(view, veto) : marginRatio;
    return { role, marginRatio, harmMarginRatio: harmMarginRatio ?? marginRatio };
  };
  // Only measured causes carry evidence that was checked.
  const measured = spec.cause === "Regression" || spec.cause === "Voted";
  const evidence = measured ? evidenceOf(spec.evidence) : undefined;
  return {
    veto: { namespace, name },
    node: spec.node,
    class: spec.class,
    version: spec.version,
    cause: spec.cause,
    message: spec.message,
    active: veto.status?.["active"] === true,
    pinnedKeys: spec.pinnedKeys,
    runsVersion: spec.runsVersion,
    expiresAtMs: spec.expiresAtMs,
    harmE: exp(Math.min(spec.lnE, LN_SHOWN_MAX)),
    pairs: evidence?.pairs ?? 0,
    objectives: evidence === undefined ? [] : explainObjectives(evidence, margins),
  };
}

/** Evidence was checked before it was stored; an empty one says that nothing was measured. */
function evidenceOf(value: JsonObject): TrialEvidence | undefined {
  return isJsonObject(value["objectives"]) || Array.isArray(value["objectives"])
    ? readEvidence(value)
    : undefined;
}

function explainObjectives(
  evidence: TrialEvidence,
  marginsOf: (objective: string) => Margins | undefined,
): ObjectiveExplanation[] {
  return evidence.objectives.map((found) => {
    const margins = marginsOf(found.objective) ?? {
      role: "",
      marginRatio: 0,
      harmMarginRatio: 0,
    };
    const lnE = (kind: "harm" | "nonInferior" | "improvement"): number =>
      exp(Math.min(recordOf(found, kind)?.lnE ?? 0, LN_SHOWN_MAX));
    return {
      objective: found.objective,
      role: margins.role,
      pairs: evidence.pairs - found.droppedPairs,
      droppedPairs: found.droppedPairs,
      effectPercent: percent(pointEffect(found, margins.harmMarginRatio)),
      harmE: lnE("harm"),
      nonInferiorE: lnE("nonInferior"),
      improvementE: lnE("improvement"),
      marginPercent: percent(margins.marginRatio),
      harmMarginPercent: percent(margins.harmMarginRatio),
    };
  });
}

/** Percent with two decimals. */
function percent(ratio: number): number {
  return Math.floor(ratio * 10_000 + 0.5) / 100;
}
