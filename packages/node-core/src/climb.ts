// One climb of the tuner: a ladder of values of one key, each against the content that runs. A rung
// that looks better leads to the next, twice as far; the best rung is then measured on until its
// improvement is proved or given up. Every rung has its own e-process; going back to one
// continues it, which anytime-valid evidence allows.

import { advanceTrial, lnHarmOf, ln, pairDifference, recordOf, startTrial } from "@kingly/evidence";
import type { ObjectiveValues, TrialPlan, TrialState } from "@kingly/evidence";
import {
  TUNER_ALPHA,
  TUNER_GAIN_MIN,
  TUNER_GAIN_NOISE_SHARE,
  TUNER_HARM_LN,
  TUNER_LADDER_STEPS_MAX,
} from "./limits.ts";
import { TUNER_PAIRS_MAX, TUNER_SCREEN_PAIRS, TUNER_STEP_GAIN_MIN } from "./limits.ts";
import { valueAt, type Move } from "./moves.ts";

/** One value of the key, and what is known of it. */
export interface Rung {
  readonly index: number;
  readonly value: number;
  trial: TrialState;
  /** Sum of the primary's log gains, and pairs in it. */
  gains: number;
  counted: number;
}

/** What comes next. */
export type ClimbStep =
  | { readonly type: "measure"; readonly rung: Rung }
  | { readonly type: "improved"; readonly rung: Rung; readonly gain: number; readonly lnE: number }
  | { readonly type: "given-up"; readonly reason: string };

/** A climb in progress; lives in memory only. */
export class Climb {
  readonly move: Move;
  readonly plan: TrialPlan;
  readonly #primary: string;
  readonly #gainMin: number;
  readonly #noise: number;
  #best: Rung | null = null;
  #current: Rung;
  #final = false;

  /** `noise` is the standard deviation of the primary's pair ratios. */
  constructor(move: Move, plan: TrialPlan, noise: number) {
    this.move = move;
    this.plan = plan;
    this.#primary = plan.objectives.find((objective) => objective.role === "primary")?.name ?? "";
    this.#noise = noise;
    this.#gainMin = Math.max(TUNER_GAIN_MIN, noise * TUNER_GAIN_NOISE_SHARE);
    this.#current = this.#rung(0, valueAt(move, 0) ?? move.from);
  }

  get current(): Rung {
    return this.#current;
  }

  /** One more pair of the current rung. */
  advance(values: readonly ObjectiveValues[]): ClimbStep {
    const rung = this.#current;
    rung.trial = advanceTrial(rung.trial, this.plan, values);
    this.#count(rung, values);
    const { pairs } = rung.trial;
    if (lnHarmOf(rung.trial.objectives, this.plan) >= TUNER_HARM_LN) return this.#back("harmful");
    const lnE = this.#lnImprovement(rung);
    if (lnE >= ln(1 / TUNER_ALPHA)) return { type: "improved", rung, gain: this.#gain(rung), lnE };
    if (pairs >= TUNER_PAIRS_MAX) return this.#back("not proved within the pairs of a candidate");
    const screened = pairs % TUNER_SCREEN_PAIRS === 0;
    if (!screened) return { type: "measure", rung };
    // Half a standard error of doubt: a real gain is seldom passed over, a fruitless try is short.
    const doubt = (0.5 * this.#noise) / Math.sqrt(pairs);
    if (this.#gain(rung) + doubt < this.#gainMin) return this.#back("no gain");
    return this.#final || pairs > TUNER_SCREEN_PAIRS ? { type: "measure", rung } : this.#up();
  }

  /** The current rung looks good: one further, or stay with the better of the last two. */
  #up(): ClimbStep {
    const rung = this.#current;
    const best = this.#best;
    const better = best === null || this.#gain(rung) >= this.#gain(best) + TUNER_STEP_GAIN_MIN;
    if (!better) {
      this.#final = true;
      if (best !== null && this.#gain(best) >= this.#gain(rung)) this.#current = best;
      return { type: "measure", rung: this.#current };
    }
    this.#best = rung;
    const index = rung.index + 1;
    const value = index < TUNER_LADDER_STEPS_MAX ? valueAt(this.move, index) : undefined;
    if (value === undefined) this.#final = true;
    else this.#current = this.#rung(index, value);
    return { type: "measure", rung: this.#current };
  }

  /** The current rung is no good: back to the best one before, or the end. */
  #back(reason: string): ClimbStep {
    const best = this.#best;
    if (best === null || best === this.#current) return { type: "given-up", reason };
    this.#final = true;
    this.#current = best;
    return { type: "measure", rung: best };
  }

  /** Mean log gain of the primary, not clipped; > 0 is better than what runs. */
  #gain(rung: Rung): number {
    return rung.counted === 0 ? 0 : rung.gains / rung.counted;
  }

  #count(rung: Rung, values: readonly ObjectiveValues[]): void {
    const objective = this.plan.objectives.find(({ name }) => name === this.#primary);
    const pair = values.find((value) => value.objective === this.#primary);
    if (objective === undefined || pair === undefined) return;
    const { candidate, baseline } = pair;
    if (candidate === null || baseline === null) return;
    const { direction, floor } = objective;
    rung.gains -= pairDifference({ candidate, baseline, direction, floor });
    rung.counted += 1;
  }

  #lnImprovement(rung: Rung): number {
    return this.#improvement(rung)?.lnE ?? 0;
  }

  #improvement(rung: Rung): ReturnType<typeof recordOf> {
    const found = rung.trial.objectives.find((objective) => objective.objective === this.#primary);
    return found === undefined ? undefined : recordOf(found, "improvement");
  }

  #rung(index: number, value: number): Rung {
    return { index, value, trial: startTrial(this.plan), gains: 0, counted: 0 };
  }
}
