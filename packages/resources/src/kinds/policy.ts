// Objective and Policy: what "performance" means, and by which rules a change is decided.

import type { JsonObject } from "@kingly/base";
import type { ApiObject } from "../meta.ts";

/** One measured aspect of performance. */
export interface ObjectiveSpec {
  /** Logical signal that nodes bind themselves, for example `latencyMean`. */
  readonly signal: string;
  readonly direction: "lower" | "higher";
  readonly role: "primary" | "guardrail";
  /** Added to both sides of the ratio so that zeros are defined; in the signal's unit, >= 0. */
  readonly floor: number;
  /** Relative weight in E_any, > 0. */
  readonly weight: number;
  /** One margin per objective: non-inferiority in the trial and the guard's veto, ratio, 0.05. */
  readonly marginRatio: number;
  readonly unit: string;
}

/** What "performance" means, one aspect each. */
export type Objective = ApiObject<ObjectiveSpec, JsonObject>;

/** Electorate, thresholds, trial plan, stages: the rules of a decision. */
export interface PolicySpec {
  readonly electorate: {
    /** Trial nodes drawn per class; all of a smaller class. */
    readonly nodesPerClass: number;
    readonly minVotesPerClass: number;
  };
  /** Non-abstaining share of the electorate's weight that a verdict needs, 0 to 1. */
  readonly quorum: number;
  readonly acceptThreshold: { readonly numerator: number; readonly denominator: number };
  readonly rejectThreshold: { readonly numerator: number; readonly denominator: number };
  /** False veto / rejection level, default 0.01. */
  readonly alpha: number;
  /** False acceptance level, default 0.05. */
  readonly beta: number;
  readonly trial: {
    readonly blockSeconds: number;
    readonly washoutSeconds: number;
    readonly maxPairs: number;
    /** From TrialStart to the end of voting. */
    readonly deadlineSeconds: number;
    /** A trial's Reject tests harm against this smaller margin, ratio, 0.02. */
    readonly harmMarginRatio: number;
    readonly clip: number;
  };
  readonly rollout: {
    /** Cumulative shares of nodes per stage, ascending, last 1; 0 = one node per class. */
    readonly stages: readonly number[];
    readonly soakSeconds: number;
    /** Confirmed share of reachable assigned nodes that ends a stage, 0 to 1. */
    readonly confirmedShare: number;
    readonly confirmDeadlineSeconds: number;
    readonly probationSeconds: number;
    readonly onFirstVeto: "pause" | "continue" | "rollback";
    /** Vetoes that always stop a rollout, whatever the computed budget; at least 1. */
    readonly vetoCeiling: number;
  };
  readonly onSplit: "narrow" | "reject";
  readonly directCommits: boolean;
  readonly agentsMayPropose: boolean;
  readonly vetoExpirySeconds: number;
}

/** The rules by which changes of a Config are decided. */
export type Policy = ApiObject<PolicySpec, JsonObject>;
