// After a version is applied: a drift alarm may start a short switchback between the last known good
// content and the version, and only its e-process vetoes. There is one process per version over all
// its life: a later switchback goes on where the last one ended, also after a restart, so
// the chance of ever vetoing a harmless version stays below alphaLocal (Ville).

import {
  advanceDrift,
  advanceTrial,
  finishTrial,
  lnHarmOf,
  recordOf,
  startDrift,
} from "@kingly/evidence";
import { ln, startTrial, trialDecision, TRIAL_PAIRS_MAX } from "@kingly/evidence";
import type { DriftState, TrialEvidence, TrialPlan } from "@kingly/evidence";
import type { Actuator } from "./actuator.ts";
import type { Arbiter } from "./arbiter.ts";
import type { Context } from "./context.ts";
import {
  DRIFT_RELEARN_BLOCKS,
  DRIFT_SLACK,
  DRIFT_THRESHOLD,
  GUARD_BETA,
  GUARD_SESSIONS_MAX,
} from "./limits.ts";
import { levelOf } from "./monitor.ts";
import type { Monitor, Observation } from "./monitor.ts";
import { boundObjectives, pairValues, planObjective, signalsOf } from "./signals.ts";
import {
  activeContent,
  revertTarget,
  type DriftLevel,
  type GuardRecord,
  type SlotState,
} from "./state.ts";
import { Switchback, type PairResult } from "./switchback.ts";
import type { Content } from "./types.ts";

/** What the guard found against a version. */
export interface Harm {
  readonly plan: TrialPlan;
  readonly evidence: TrialEvidence;
  readonly message: string;
}

interface Session {
  readonly switchback: Switchback;
  readonly record: GuardRecord;
  /** Blocks of the version seen in this session, as the next level of the drift alarm. */
  readonly after: Map<string, number[]>;
}

/** Guards of all slots; at most one measures at a time. */
export class Guard {
  readonly #context: Context;
  readonly #actuator: Actuator;
  readonly #arbiter: Arbiter;
  readonly #monitor: Monitor;
  readonly #onHarm: (slot: SlotState, harm: Harm) => void;
  readonly #wanted = new Map<string, string>();
  readonly #drifts = new Map<string, Map<string, DriftState>>();
  /** Blocks of what is usual by now, by objective, until they make a level. */
  readonly #learning = new Map<string, Map<string, number[]>>();
  #session: Session | null = null;
  #sessionUid = "";

  constructor(parts: {
    readonly context: Context;
    readonly actuator: Actuator;
    readonly arbiter: Arbiter;
    readonly monitor: Monitor;
    readonly onHarm: (slot: SlotState, harm: Harm) => void;
  }) {
    this.#context = parts.context;
    this.#actuator = parts.actuator;
    this.#arbiter = parts.arbiter;
    this.#monitor = parts.monitor;
    this.#onHarm = parts.onHarm;
  }

  /** Before a version is applied: its record, with the level of what runs until then. */
  prepare(slot: SlotState, content: Content): void {
    const known = slot.guard;
    if (known?.version === content.version && known.hash === content.hash) return;
    this.stop(slot);
    const plan = guardPlan(slot, this.#context);
    slot.guard =
      plan === null
        ? null
        : {
            version: content.version,
            hash: content.hash,
            plan,
            trial: startTrial(plan),
            sessions: 0,
            levels: this.#monitor.levels(slot, revertTarget(slot).hash),
          };
    this.#context.touch();
  }

  /** The version runs now: the alarm is set; without a past the switchback itself is the check. */
  begin(slot: SlotState): void {
    const record = this.#recordOf(slot);
    if (record === null) return;
    this.#drifts.set(slot.config.uid, driftsOf(record.levels));
    const blind = Object.keys(record.levels).length === 0;
    if (!blind) return;
    if (record.sessions > 0) {
      this.#learning.set(slot.config.uid, new Map());
      return;
    }
    const replaces = slot.pending !== null && revertTarget(slot).version > 0;
    this.#context.log("info", "GuardBlind", `${slot.config.name}: no history to compare with`, {
      config: slot.config.name,
      switchback: replaces,
    });
    if (replaces) this.#wanted.set(slot.config.uid, "no history to compare with");
  }

  /** A block of what runs: adds to suspicion. */
  observe(slot: SlotState, seen: Observation): void {
    const record = this.#recordOf(slot);
    const drifts = this.#drifts.get(slot.config.uid);
    if (record === null || drifts === undefined || seen.hash !== record.hash) return;
    this.#learn(slot, record, seen.values);
    for (const name of [...drifts.keys()].sort()) {
      const value = seen.values[name];
      const state = drifts.get(name);
      if (typeof value !== "number" || state === undefined) continue;
      const next = advanceDrift(state, value);
      drifts.set(name, next.state);
      if (next.alarm && !this.isBusy(slot)) {
        this.#wanted.set(slot.config.uid, `${name} drifted`);
        this.#context.log("warn", "DriftAlarm", `${slot.config.name}: ${name} looks worse`, {
          config: slot.config.name,
          version: record.version,
          objective: name,
        });
      }
    }
  }

  /** True while a switchback runs or waits for its turn. */
  isBusy(slot: SlotState): boolean {
    return this.#sessionUid === slot.config.uid || this.#wanted.has(slot.config.uid);
  }

  /** True while a switchback of any slot runs or waits. */
  get active(): boolean {
    return this.#sessionUid !== "" || this.#wanted.size > 0;
  }

  onSamples(block: number, values: Parameters<Switchback["onSamples"]>[1]): void {
    this.#session?.switchback.onSamples(block, values);
  }

  /** Ends whatever the guard does on a slot; its evidence stays. */
  stop(slot: SlotState): void {
    this.#wanted.delete(slot.config.uid);
    this.#drifts.delete(slot.config.uid);
    this.#learning.delete(slot.config.uid);
    if (this.#sessionUid === slot.config.uid) this.#close();
  }

  step(slot: SlotState): void {
    if (this.#wanted.has(slot.config.uid)) this.#open(slot);
    const session = this.#session;
    if (session === null || this.#sessionUid !== slot.config.uid) return;
    for (
      let result = session.switchback.step();
      result !== null;
      result = session.switchback.step()
    ) {
      this.#advance(slot, session, result);
      if (this.#session === null) return;
    }
  }

  #recordOf(slot: SlotState): GuardRecord | null {
    const active = activeContent(slot);
    const { guard } = slot;
    return guard !== null && guard.version === active.version && guard.hash === active.hash
      ? guard
      : null;
  }

  #open(slot: SlotState): void {
    const { uid } = slot.config;
    const record = this.#recordOf(slot);
    const guard = slot.assignment?.guard;
    if (record === null || guard === undefined || record.sessions >= GUARD_SESSIONS_MAX) {
      this.#wanted.delete(uid);
      return;
    }
    // One guard at a time: a second slot's waits here until the first has ended.
    if (!this.#arbiter.claim("guard", uid, () => this.#close())) return;
    const reason = this.#wanted.get(uid) ?? "";
    this.#wanted.delete(uid);
    record.sessions += 1;
    const seq = this.#context.touch();
    const coins = this.#context.options.prng.fork(
      `guard/${uid}/${record.version}/${record.sessions}`,
    );
    const flips: boolean[] = [];
    const switchback = new Switchback(this.#context, this.#actuator, {
      target: slot.target,
      candidate: activeContent(slot),
      baseline: revertTarget(slot),
      why: "guard",
      blockMs: guard.blockSeconds * 1000,
      washoutMs: guard.washoutSeconds * 1000,
      signals: signalsOf(boundObjectives(slot.assignment, this.#context)),
      seq,
      candidateFirst: (pair) => (flips[pair] ??= coins.chance(0.5)),
    });
    this.#session = { switchback, record, after: new Map() };
    this.#sessionUid = uid;
    this.#context.log("info", "GuardStarted", `${slot.config.name} v${record.version}: ${reason}`, {
      config: slot.config.name,
      version: record.version,
      session: record.sessions,
    });
  }

  #advance(slot: SlotState, session: Session, result: PairResult): void {
    const { record } = session;
    const objectives = boundObjectives(slot.assignment, this.#context);
    const named = objectives.filter((o) => record.plan.objectives.some((p) => p.name === o.name));
    record.trial = advanceTrial(record.trial, record.plan, pairValues(result, named));
    record.alarmPairs = (record.alarmPairs ?? 0) + 1;
    const seen = this.#monitor.record(slot, record.hash, result.candidate);
    for (const name of Object.keys(seen.values).sort()) {
      const value = seen.values[name];
      if (typeof value === "number")
        session.after.set(name, [...(session.after.get(name) ?? []), value]);
    }
    this.#context.touch();
    const lnHarm = lnHarmOf(record.trial.objectives, record.plan);
    this.#context.log("debug", "GuardPair", `${slot.config.name} pair ${record.trial.pairs}`, {
      config: slot.config.name,
      version: record.version,
      pairs: record.trial.pairs,
      lnHarm,
    });
    if (trialDecision(record.trial, record.plan) === "reject") {
      this.#close();
      const message = `harm beyond the margin after ${record.trial.pairs} pairs`;
      const evidence = finishTrial(record.trial, record.plan, message);
      this.#onHarm(slot, { plan: record.plan, evidence, message });
    } else this.#maybeClear(slot, session);
  }

  /** Ends a session that showed no harm, and lets the alarm compare with what is usual by now. */
  #maybeClear(slot: SlotState, session: Session): void {
    const { record } = session;
    const planEnd =
      (record.alarmPairs ?? 0) >= (slot.assignment?.guard.maxPairs ?? 0) ||
      record.trial.pairs >= record.plan.maxPairs;
    const clear = isNonInferior(record);
    if (!planEnd && !clear) return;
    this.#close();
    // An alarm is paid for once: what runs like this now is the level to compare with.
    record.alarmPairs = 0;
    const before = record.levels;
    record.levels = {};
    this.#drifts.set(slot.config.uid, new Map());
    this.#learning.set(slot.config.uid, session.after);
    for (const name of [...session.after.keys()].sort())
      this.#arm(slot, record, name, before[name]);
    const how = clear ? "not worse than the margin" : "no harm shown within the plan";
    this.#context.log("info", "GuardCleared", `${slot.config.name} v${record.version}: ${how}`, {
      config: slot.config.name,
      version: record.version,
      pairs: record.trial.pairs,
    });
  }

  /** Adds a block to what is not yet known well enough, and sets the alarm where it is. */
  #learn(slot: SlotState, record: GuardRecord, values: Observation["values"]): void {
    const learning = this.#learning.get(slot.config.uid);
    if (learning === undefined || this.isBusy(slot)) return;
    for (const { name } of record.plan.objectives) {
      const value = values[name];
      if (typeof value !== "number" || Object.hasOwn(record.levels, name)) continue;
      learning.set(name, [...(learning.get(name) ?? []), value]);
      this.#arm(slot, record, name);
    }
  }

  #arm(slot: SlotState, record: GuardRecord, name: string, before?: DriftLevel): void {
    const list = this.#learning.get(slot.config.uid)?.get(name) ?? [];
    if (list.length < DRIFT_RELEARN_BLOCKS) return;
    const { mean, standardDeviation } = levelOf(list.slice(-DRIFT_RELEARN_BLOCKS));
    const spread = Math.max(standardDeviation, before?.standardDeviation ?? 0);
    const level = { mean, standardDeviation: spread };
    record.levels = { ...record.levels, [name]: level };
    for (const [key, drift] of driftsOf({ [name]: level })) {
      this.#drifts.get(slot.config.uid)?.set(key, drift);
    }
    this.#context.touch();
  }

  #close(): void {
    this.#session?.switchback.stop();
    this.#session = null;
    this.#sessionUid = "";
    this.#arbiter.release("guard");
  }
}

/** The plan of a guard: harm at alphaLocal against the objective's one margin, never an Accept. */
function guardPlan(slot: SlotState, context: Context): TrialPlan | null {
  const objectives = boundObjectives(slot.assignment, context);
  if (slot.assignment === null || objectives.length === 0) return null;
  const { alphaLocal, clip, maxPairs } = slot.assignment.guard;
  return {
    objectives: objectives.map((objective) => planObjective(objective, context)),
    alpha: alphaLocal,
    beta: 0,
    clip,
    maxPairs: Math.min(TRIAL_PAIRS_MAX, maxPairs * GUARD_SESSIONS_MAX),
    requireImprovement: false,
  };
}

function isNonInferior(record: GuardRecord): boolean {
  const lnThreshold = ln(1 / GUARD_BETA);
  return record.trial.objectives.every(
    (objective) => (recordOf(objective, "nonInferior")?.lnE ?? 0) >= lnThreshold,
  );
}

function driftsOf(levels: Readonly<Record<string, DriftLevel>>): Map<string, DriftState> {
  const drifts = new Map<string, DriftState>();
  for (const name of Object.keys(levels).sort()) {
    const level = levels[name];
    if (level === undefined) continue;
    drifts.set(name, startDrift({ ...level, threshold: DRIFT_THRESHOLD, slack: DRIFT_SLACK }));
  }
  return drifts;
}
