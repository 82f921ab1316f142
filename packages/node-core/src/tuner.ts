// The node looks for better values of its own tunable keys, one climb at a time, when nothing else is
// going on and both the policy and the node's owner allow it. It never keeps what it finds: an
// improvement becomes a signed Proposal, and the node stays on its baseline until the fleet decides.

import { exp, finishTrial } from "@kingly/evidence";
import type { TrialPlan } from "@kingly/evidence";
import type { Assignment } from "@kingly/resources";
import type { Actuator } from "./actuator.ts";
import type { Arbiter } from "./arbiter.ts";
import { Climb, type ClimbStep, type Rung } from "./climb.ts";
import type { Context } from "./context.ts";
import { asJson, nextKey, queueDocument } from "./documents.ts";
import { TUNER_ALPHA, TUNER_PAIRS_MAX, TUNER_TRIED_MAX } from "./limits.ts";
import { movedContent, moveName, movesFrom } from "./moves.ts";
import type { Outbox } from "./outbox.ts";
import { baseWashoutMs, boundObjectives, pairValues, planObjective, signalsOf } from "./signals.ts";
import { lastKnownGood, type SlotState } from "./state.ts";
import { Switchback } from "./switchback.ts";
import type { Content, SampleValues } from "./types.ts";

interface Run {
  readonly slot: SlotState;
  readonly assignment: Assignment;
  readonly base: Content;
  readonly climb: Climb;
  content: Content;
  token: number;
  switchback: Switchback | null;
}

/** The tuner of a node; off unless allowed twice. */
export class Tuner {
  readonly #context: Context;
  readonly #actuator: Actuator;
  readonly #arbiter: Arbiter;
  readonly #outbox: Outbox;
  readonly #ready: (slot: SlotState) => boolean;
  #run: Run | null = null;

  constructor(parts: {
    readonly context: Context;
    readonly actuator: Actuator;
    readonly arbiter: Arbiter;
    readonly outbox: Outbox;
    /** Nothing else is going on, and the slot's noise is known. */
    readonly ready: (slot: SlotState) => boolean;
  }) {
    this.#context = parts.context;
    this.#actuator = parts.actuator;
    this.#arbiter = parts.arbiter;
    this.#outbox = parts.outbox;
    this.#ready = parts.ready;
  }

  /** True while a candidate may be active on the slot. */
  isOn(slot: SlotState): boolean {
    return this.#run?.slot === slot && this.#run.switchback !== null;
  }

  /** Drops the climb at hand; the slot's own content comes back. */
  stop(slot?: SlotState): void {
    const run = this.#run;
    if (run === null || (slot !== undefined && run.slot !== slot)) return;
    run.switchback?.stop();
    this.#run = null;
    this.#arbiter.release("tuner");
    if (run.switchback === null || run.slot.overridden) return;
    this.#actuator.want(run.slot.target, lastKnownGood(run.slot), "revert");
  }

  /** A tripwire under a candidate: back at once, and never this way again from this version. */
  onTripwire(name: string): void {
    const run = this.#run;
    if (run === null) return;
    this.stop();
    this.#remember(moveName(run.climb.move));
    this.#context.log("warn", "TunerTripwire", `${moveName(run.climb.move)} tripped ${name}`, {
      config: run.slot.config.name,
      key: run.climb.move.key,
      value: run.climb.current.value,
    });
  }

  onCheck(token: number, problem: string): void {
    const run = this.#run;
    if (run?.token !== token) return;
    run.token = 0;
    if (problem !== "") {
      this.#give(run, `the target refuses ${run.climb.current.value}: ${problem}`);
    } else this.#measure(run);
  }

  onSamples(block: number, values: SampleValues): void {
    this.#run?.switchback?.onSamples(block, values);
  }

  step(): void {
    if (!this.#context.options.tuner.enabled || this.#context.stopping) return;
    if (this.#run === null) this.#begin();
    const run = this.#run;
    if (run === null || run.switchback === null) return;
    const failure = run.switchback.failure();
    if (failure !== undefined) {
      this.#give(run, `cannot be applied: ${failure}`);
      return;
    }
    const named = boundObjectives(run.assignment, this.#context);
    for (let result = run.switchback.step(); result !== null; result = run.switchback.step()) {
      const before = run.climb.current;
      this.#act(run, before, run.climb.advance(pairValues(result, named)));
      if (this.#run !== run || run.switchback === null) return;
    }
  }

  #act(run: Run, before: Rung, step: ClimbStep): void {
    switch (step.type) {
      case "measure":
        if (step.rung !== before) this.#change(run, step.rung);
        return;
      case "improved":
        this.#propose(run, step);
        return;
      case "given-up":
        this.#give(run, step.reason);
        return;
    }
  }

  #begin(): void {
    const { state, nowMs, options } = this.#context;
    const slot = this.#context
      .slots()
      .find((candidate) => this.#allowed(candidate) && this.#ready(candidate));
    if (slot === undefined || slot.assignment === null) return;
    if (nowMs < state.tuner.notBeforeMs) {
      this.#context.wakeAt(state.tuner.notBeforeMs);
      return;
    }
    const base = lastKnownGood(slot);
    this.#rebase(`${slot.config.uid}/${base.version}/${base.hash}`);
    const prng = options.prng.fork(`tuner/${state.tuner.base}`);
    const moves = movesFrom(base.data, slot.assignment.keys, {
      options,
      target: slot.target,
      prng,
    });
    const move = moves.find((candidate) => !state.tuner.tried.includes(moveName(candidate)));
    if (move === undefined) {
      // A whole sweep brought nothing: rest, then look again, for loads change.
      state.tuner.notBeforeMs = nowMs + options.tuner.minIntervalMs;
      state.tuner.tried = [];
      this.#context.touch();
      this.#context.wakeAt(state.tuner.notBeforeMs);
      return;
    }
    const plan = this.#plan(slot.assignment);
    if (plan === null || !this.#arbiter.claim("tuner", slot.config.uid, () => this.stop())) return;
    const primary = boundObjectives(slot.assignment, this.#context).find(
      (o) => o.role === "primary",
    );
    const noise = state.noise[primary?.signal ?? ""]?.standardDeviation ?? 0;
    const climb = new Climb(move, plan, noise);
    this.#run = {
      slot,
      assignment: slot.assignment,
      base,
      climb,
      content: base,
      token: 0,
      switchback: null,
    };
    this.#change(this.#run, climb.current);
  }

  /** Another value: the target is asked first. */
  #change(run: Run, rung: Rung): void {
    run.switchback?.stop();
    run.switchback = null;
    run.content = movedContent(run.base, run.climb.move.key, rung.value, this.#context.options);
    run.token = this.#context.nextToken();
    this.#actuator.want(run.slot.target, run.base, "tuner");
    this.#context.emit({
      type: "check",
      token: run.token,
      target: run.slot.target,
      content: run.content,
    });
    this.#context.log("info", "TunerTries", `${run.climb.move.key} = ${rung.value}`, {
      config: run.slot.config.name,
      key: run.climb.move.key,
      from: run.climb.move.from,
      value: rung.value,
      pairs: rung.trial.pairs,
    });
  }

  #measure(run: Run): void {
    const { guard } = run.assignment;
    const { settleSeconds } = run.climb.move;
    run.slot.touched = true;
    const { index } = run.climb.current;
    const label = `tuner/${this.#context.nowMs}/${moveName(run.climb.move)}/${index}`;
    const coins = this.#context.options.prng.fork(label);
    const flips: boolean[] = [];
    run.switchback = new Switchback(this.#context, this.#actuator, {
      target: run.slot.target,
      candidate: run.content,
      baseline: run.base,
      why: "tuner",
      blockMs: guard.blockSeconds * 1000,
      washoutMs: Math.max(baseWashoutMs(guard), settleSeconds * 1000),
      signals: signalsOf(boundObjectives(run.assignment, this.#context)),
      seq: this.#context.touch(),
      candidateFirst: (pair) => (flips[pair] ??= coins.chance(0.5)),
    });
  }

  #propose(run: Run, found: Extract<ClimbStep, { readonly type: "improved" }>): void {
    const { climb, base, slot } = run;
    const { key, from } = climb.move;
    const { value, trial } = found.rung;
    this.stop();
    const percent = Math.round((1 - exp(0 - found.gain)) * 100);
    const reason = `${key} ${from} -> ${value}: about ${percent} % better in ${trial.pairs} pairs`;
    this.#remember(moveName(climb.move));
    this.#context.state.tuner.notBeforeMs =
      this.#context.nowMs + this.#context.options.tuner.minIntervalMs;
    queueDocument(
      this.#context,
      this.#outbox,
      { kind: "Proposal", key: nextKey(this.#context, "Proposal") },
      {
        configUid: slot.config.uid,
        baseVersion: base.version,
        patch: { [key]: value },
        reason,
        plan: asJson(climb.plan),
        evidence: asJson(finishTrial(trial, climb.plan, reason)),
      },
    );
    this.#context.log("info", "TunerProposes", reason, {
      config: slot.config.name,
      key,
      from,
      value,
      pairs: trial.pairs,
      lnE: found.lnE,
    });
  }

  #give(run: Run, reason: string): void {
    this.stop();
    this.#remember(moveName(run.climb.move));
    this.#context.log("info", "TunerGivesUp", `${moveName(run.climb.move)}: ${reason}`, {
      config: run.slot.config.name,
      key: run.climb.move.key,
      value: run.climb.current.value,
      pairs: run.climb.current.trial.pairs,
    });
  }

  #allowed(slot: SlotState): boolean {
    const { tuner } = this.#context.options;
    const waiting = this.#context.state.outbox.some((entry) => entry.kind === "Proposal");
    return (
      slot.assignment?.agentsMayPropose === true &&
      tuner.targets.includes(slot.target) &&
      lastKnownGood(slot).raw === undefined &&
      !waiting
    );
  }

  #plan(assignment: Assignment): TrialPlan | null {
    const bound = boundObjectives(assignment, this.#context);
    if (!bound.some((objective) => objective.role === "primary")) return null;
    return {
      objectives: bound.map((objective) => planObjective(objective, this.#context, 0)),
      alpha: TUNER_ALPHA,
      beta: TUNER_ALPHA,
      clip: assignment.guard.clip,
      maxPairs: TUNER_PAIRS_MAX,
      requireImprovement: true,
    };
  }

  #rebase(base: string): void {
    const { tuner } = this.#context.state;
    if (tuner.base === base) return;
    this.#context.state.tuner = { ...tuner, base, tried: [] };
    this.#context.touch();
  }

  #remember(name: string): void {
    const { tuner } = this.#context.state;
    tuner.tried = [...tuner.tried, name].slice(-TUNER_TRIED_MAX);
    this.#context.touch();
  }
}
