// A trial on this node: wait until the slot is at rest and its noise is known, check the candidate,
// mark the trial on disk, run the switchback, vote as soon as the evidence decides, and be back on
// the last known good content before the vote is written. Anything that interrupts it is an Abstain.

import { fromHex } from "@kingly/base";
import { advanceTrial, finishTrial, lnOnePlus, recordOf, startTrial } from "@kingly/evidence";
import { switchbackOrder, trialDecision, type TrialPlan, type TrialState } from "@kingly/evidence";
import type { TrialOrder, TrialProgress } from "@kingly/resources";
import type { Actuator } from "./actuator.ts";
import type { Arbiter } from "./arbiter.ts";
import type { Context } from "./context.ts";
import {
  PROGRESS_INTERVAL_MS,
  SLOTS_MAX,
  TRIAL_RESERVE_MAX_MS,
  TRIAL_RESERVE_SHARE,
} from "./limits.ts";
import type { Monitor } from "./monitor.ts";
import type { Outbox } from "./outbox.ts";
import { pairValues, signalsOf } from "./signals.ts";
import { lastKnownGood, type SlotState } from "./state.ts";
import { pairMs, Switchback, type PairResult } from "./switchback.ts";
import type { Content, SampleValues } from "./types.ts";
import {
  ballotOf,
  castVote,
  emptyEvidence,
  markVoted,
  planOf,
  refuseNoise,
  refuseOrder,
} from "./votes.ts";
import { trialKey } from "./votes.ts";

/** Room per aligned pair for applying, so that a group of nodes stays in step. */
const ALIGN_ROOM_MS = 250;

interface Trial {
  readonly order: TrialOrder;
  readonly plan: TrialPlan;
  readonly named: readonly { readonly name: string; readonly signal: string }[];
  phase: "waiting" | "checking" | "checked" | "running" | "paused";
  token: number;
  state: TrialState;
  switchback: Switchback | null;
  progressAtMs: number;
}

/** What the runner asks of the rest of the core. */
export interface TrialHooks {
  /** True when nothing else is going on for the slot. */
  readonly atRest: (slot: SlotState) => boolean;
  /** True when these signals' noise is known, or there is no time to find out before the deadline. */
  readonly calibrated: (slot: SlotState, deadlineMs: number) => boolean;
}

/** Runs one trial at a time; further orders wait in their order. */
export class TrialRunner {
  readonly #context: Context;
  readonly #actuator: Actuator;
  readonly #arbiter: Arbiter;
  readonly #outbox: Outbox;
  readonly #monitor: Monitor;
  readonly #hooks: TrialHooks;
  #queue: TrialOrder[] = [];
  #trial: Trial | null = null;

  constructor(parts: {
    readonly context: Context;
    readonly actuator: Actuator;
    readonly arbiter: Arbiter;
    readonly outbox: Outbox;
    readonly monitor: Monitor;
    readonly hooks: TrialHooks;
  }) {
    this.#context = parts.context;
    this.#actuator = parts.actuator;
    this.#arbiter = parts.arbiter;
    this.#outbox = parts.outbox;
    this.#monitor = parts.monitor;
    this.#hooks = parts.hooks;
  }

  /** A marker on disk is a trial that a stop interrupted. */
  onStarted(): void {
    const marker = this.#context.state.trial;
    if (marker === null) return;
    this.#context.state.trial = null;
    const reason = "Interrupted: the agent stopped during the trial";
    castVote(this.#context, this.#outbox, marker, {
      reason,
      declined: false,
      evidence: emptyEvidence(marker.plan, reason),
    });
  }

  onOrder(order: TrialOrder): void {
    const key = trialKey(order.proposal.uid, order.attempt);
    const same = (other: TrialOrder): boolean =>
      trialKey(other.proposal.uid, other.attempt) === key;
    if (this.#context.state.voted.includes(key) || this.#queue.some(same)) return;
    if (this.#trial !== null && same(this.#trial.order)) return;
    if (this.#queue.length >= SLOTS_MAX) {
      this.#decline(order, `Busy: ${SLOTS_MAX} trials wait already`);
      return;
    }
    this.#queue.push(order);
  }

  onCancel(proposalUid: string, attempt: number, reason: string): void {
    const key = trialKey(proposalUid, attempt);
    this.#queue = this.#queue.filter((o) => trialKey(o.proposal.uid, o.attempt) !== key);
    const trial = this.#trial;
    if (trial === null || trialKey(trial.order.proposal.uid, trial.order.attempt) !== key) return;
    this.#end(trial);
    markVoted(this.#context, proposalUid, attempt);
    this.#context.log("info", "TrialCancelled", reason, { proposal: proposalUid, attempt });
  }

  /**
   * Ends a trial that has begun as Abstain, the slot's or any. One that still waits goes on waiting:
   * servers repeat its order, and it has measured nothing.
   */
  interrupt(reason: string, slot?: SlotState): void {
    const trial = this.#trial;
    if (trial === null || trial.switchback === null) return;
    if (slot !== undefined && trial.order.config.uid !== slot.config.uid) return;
    this.#vote(trial, reason);
  }

  /** True while a trial of this slot has begun. */
  isOn(slot: SlotState): boolean {
    const trial = this.#trial;
    if (trial === null || trial.switchback === null) return false;
    return trial.order.config.uid === slot.config.uid;
  }

  /** True while any order is at hand or waits. */
  get active(): boolean {
    return this.#trial !== null || this.#queue.length > 0;
  }

  onCheck(token: number, problem: string): void {
    const trial = this.#trial;
    if (trial?.phase !== "checking" || trial.token !== token) return;
    if (problem === "") trial.phase = "checked";
    else this.#declineTrial(trial, `CheckFailed: ${problem}`);
  }

  onSamples(block: number, values: SampleValues): void {
    this.#trial?.switchback?.onSamples(block, values);
  }

  step(): void {
    if (this.#context.stopping) return;
    if (this.#trial === null) this.#next();
    const trial = this.#trial;
    if (trial === null) return;
    const endMs = voteByMs(trial.order);
    if (this.#context.nowMs >= endMs) {
      this.#vote(trial, "Deadline: undecided when the time was over");
      return;
    }
    this.#context.wakeAt(endMs);
    if (trial.phase === "waiting") this.#prepare(trial);
    if (trial.phase === "checked" || trial.phase === "paused") this.#run(trial);
    if (trial.phase === "running") this.#measure(trial);
  }

  #next(): void {
    const order = this.#queue.shift();
    if (order === undefined) return;
    const plan = planOf(order);
    if (typeof plan === "string") {
      this.#decline(order, `InvalidPlan: ${plan}`);
      return;
    }
    const problem = refuseOrder(order, plan, this.#context);
    if (problem !== "") {
      this.#decline(order, problem, plan);
      return;
    }
    const named = plan.objectives.map(({ name }) => ({ name, signal: order.signals[name] ?? "" }));
    this.#trial = {
      order,
      plan,
      named,
      phase: "waiting",
      token: 0,
      state: startTrial(plan),
      switchback: null,
      progressAtMs: Number.NEGATIVE_INFINITY,
    };
  }

  /** Waits for rest and calibration, then asks the target about the candidate. */
  #prepare(trial: Trial): void {
    const { order } = trial;
    const slot = this.#context.state.slots[order.config.uid];
    if (slot === undefined || slot.orphaned || slot.overridden) {
      const why = slot === undefined ? "not assigned" : slot.overridden ? "Overridden" : "Orphaned";
      this.#declineTrial(trial, `NotManaged: the config is ${why} on this node`);
      return;
    }
    if (!this.#hooks.atRest(slot)) return;
    if (!this.#hooks.calibrated(slot, voteByMs(order))) return;
    const noise = refuseNoise(order, trial.plan, this.#context);
    if (noise !== "") {
      this.#declineTrial(trial, noise);
      return;
    }
    trial.phase = "checking";
    trial.token = this.#context.nextToken();
    this.#context.emit({
      type: "check",
      token: trial.token,
      target: order.target,
      content: candidateOf(order),
    });
  }

  /** Takes the turn; the marker is on disk before the candidate is applied. */
  #run(trial: Trial): void {
    const { order, plan } = trial;
    const slot = this.#context.state.slots[order.config.uid];
    if (slot === undefined || !this.#hooks.atRest(slot)) return;
    const pause = (): void => {
      trial.switchback?.restartPair();
      trial.phase = "paused";
    };
    if (!this.#arbiter.claim("trial", order.config.uid, pause)) return;
    if (trial.switchback === null) {
      const { proposalUid, attempt, candidateHash, baselineHash } = ballotOf(order);
      const configUid = order.config.uid;
      this.#context.state.trial = {
        proposalUid,
        attempt,
        configUid,
        candidateHash,
        baselineHash,
        plan,
      };
      slot.touched = true;
      trial.switchback = this.#switchback(trial, slot, this.#context.touch());
      this.#context.log("info", "TrialStarted", `trial of ${order.proposal.name} begins`, {
        proposal: order.proposal.name,
        config: order.config.name,
        attempt: order.attempt,
        changedKeys: order.changedKeys,
      });
    }
    trial.phase = "running";
  }

  #switchback(trial: Trial, slot: SlotState, seq: number): Switchback {
    const { order } = trial;
    const { sha256 } = this.#context.options.crypto;
    const seed = fromHex(order.seed);
    const blockMs = order.blockSeconds * 1000;
    const washoutMs = order.washoutSeconds * 1000;
    const periodMs = pairMs(blockMs, washoutMs) + ALIGN_ROOM_MS;
    const grouped = order.unit !== this.#context.options.node;
    return new Switchback(this.#context, this.#actuator, {
      target: order.target,
      candidate: candidateOf(order),
      // Before the first version the server knows no content: what was found is the baseline.
      baseline: order.baseline.version === 0 ? lastKnownGood(slot) : order.baseline,
      why: "trial",
      blockMs,
      washoutMs,
      signals: signalsOf(trial.named),
      seq,
      candidateFirst: (pair) =>
        switchbackOrder({ seed, unit: order.unit, pair }, sha256) === "candidate-first",
      ...(grouped ? { align: { originMs: order.startedAtMs, periodMs } } : {}),
    });
  }

  #measure(trial: Trial): void {
    const { switchback, plan } = trial;
    if (switchback === null) return;
    const failure = switchback.failure();
    if (failure !== undefined) {
      this.#vote(trial, `ApplyFailed: ${failure}`);
      return;
    }
    for (let result = switchback.step(); result !== null; result = switchback.step()) {
      trial.state = advanceTrial(trial.state, plan, pairValues(result, trial.named));
      this.#remember(trial, result);
      const decision = trialDecision(trial.state, plan);
      if (decision === "accept") this.#vote(trial, "no harm beyond the margins");
      else if (decision === "reject") this.#vote(trial, "harm beyond the margin");
      else if (trial.state.pairs >= plan.maxPairs) this.#vote(trial, "undecided after all pairs");
      if (this.#trial !== trial) return;
    }
    this.#report(trial);
  }

  /** Baseline blocks are history for the guard of the version that may come. */
  #remember(trial: Trial, result: PairResult): void {
    const slot = this.#context.state.slots[trial.order.config.uid];
    if (slot === undefined || trial.switchback === null) return;
    const { baseline } = trial.switchback.spec;
    if (baseline.hash === lastKnownGood(slot).hash) {
      this.#monitor.record(slot, baseline.hash, result.baseline);
    }
  }

  #report(trial: Trial): void {
    const { nowMs, connected } = this.#context;
    if (!connected || nowMs < trial.progressAtMs + PROGRESS_INTERVAL_MS) return;
    trial.progressAtMs = nowMs;
    const progress = progressOf(trial, this.#context.options.node);
    this.#context.emit({ type: "send", message: { type: "progress", progress } });
  }

  #vote(trial: Trial, reason: string): void {
    const evidence = finishTrial(trial.state, trial.plan, reason);
    this.#end(trial);
    const ballot = ballotOf(trial.order);
    castVote(this.#context, this.#outbox, ballot, { reason, declined: false, evidence });
  }

  /** Back on the last known good content, first of all. */
  #end(trial: Trial): void {
    const slot = this.#context.state.slots[trial.order.config.uid];
    trial.switchback?.stop();
    if (slot !== undefined && trial.switchback !== null && !slot.overridden) {
      this.#actuator.want(slot.target, lastKnownGood(slot), "revert");
    }
    this.#trial = null;
    this.#arbiter.release("trial");
    if (this.#context.state.trial === null) return;
    this.#context.state.trial = null;
    this.#context.touch();
  }

  #declineTrial(trial: Trial, reason: string): void {
    this.#end(trial);
    this.#decline(trial.order, reason, trial.plan);
  }

  #decline(order: TrialOrder, reason: string, plan?: TrialPlan): void {
    castVote(this.#context, this.#outbox, ballotOf(order), {
      reason,
      declined: true,
      ...(plan === undefined ? {} : { evidence: emptyEvidence(plan, reason) }),
    });
  }
}

/** When the vote has to be written so that it arrives before the deadline. */
function voteByMs(order: TrialOrder): number {
  const planned = Math.max(0, order.deadlineMs - order.startedAtMs);
  return order.deadlineMs - Math.min(TRIAL_RESERVE_MAX_MS, planned * TRIAL_RESERVE_SHARE);
}

function candidateOf(order: TrialOrder): Content {
  return { version: 0, hash: order.candidate.hash, data: order.candidate.data };
}

function progressOf(trial: Trial, node: string): TrialProgress {
  return {
    node,
    proposalUid: trial.order.proposal.uid,
    pairs: trial.state.pairs,
    droppedPairs: trial.state.droppedPairs,
    objectives: trial.state.objectives.map((objective, i) => {
      const harm = recordOf(objective, "harm");
      const margin = trial.plan.objectives[i]?.harmMarginRatio ?? 0;
      const mean =
        harm === undefined || harm.pairs === 0 ? 0 : harm.sum / harm.pairs + lnOnePlus(margin);
      return {
        objective: objective.objective,
        lnHarm: harm?.lnE ?? 0,
        lnNonInferior: recordOf(objective, "nonInferior")?.lnE ?? 0,
        lnImprovement: recordOf(objective, "improvement")?.lnE ?? 0,
        meanLogRatio: mean,
      };
    }),
  };
}
