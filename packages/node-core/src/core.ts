// The node's core: one event in, effects out. It owns the parts and their order: a revert before a
// guard, a guard before a trial, a trial before calibration, calibration before the tuner. Every part
// is level-triggered, so an event is taken in first and then everybody takes a step.

import { toHex, unreachable } from "@kingly/base";
import { Actuator } from "./actuator.ts";
import { activeState } from "./answers.ts";
import { Arbiter } from "./arbiter.ts";
import { CalibrationRunner } from "./calibration.ts";
import { Context } from "./context.ts";
import { Guard } from "./guard.ts";
import { HEARTBEAT_MS, TRIPWIRE_GRACE_MS } from "./limits.ts";
import { Monitor } from "./monitor.ts";
import { Outbox } from "./outbox.ts";
import { Reconcile } from "./reconcile.ts";
import { Rollout } from "./rollout.ts";
import { activeContent, decodeDiskState, inProbation, type SlotState } from "./state.ts";
import { TrialRunner } from "./trial-runner.ts";
import { Tuner } from "./tuner.ts";
import type { ActiveState, Effect, NodeCoreOptions, NodeEvent, SampleValues } from "./types.ts";
import { Vetoes } from "./veto.ts";

/** The core of one node. Not re-entrant: hand effects' answers in by further calls. */
export class NodeCore {
  readonly #context: Context;
  readonly #actuator: Actuator;
  readonly #arbiter = new Arbiter();
  readonly #outbox: Outbox;
  readonly #monitor: Monitor;
  readonly #vetoes: Vetoes;
  readonly #guard: Guard;
  readonly #rollout: Rollout;
  readonly #reconcile: Reconcile;
  readonly #trials: TrialRunner;
  readonly #calibration: CalibrationRunner;
  readonly #tuner: Tuner;
  #heartbeatMs = HEARTBEAT_MS;
  #heartbeatAtMs = 0;
  #stopped = false;

  constructor(options: NodeCoreOptions) {
    const context = new Context(options);
    this.#context = context;
    const arbiter = this.#arbiter;
    const actuator = new Actuator(context);
    this.#actuator = actuator;
    const outbox = new Outbox(context);
    this.#outbox = outbox;
    const monitor = new Monitor(context, actuator);
    this.#monitor = monitor;
    const vetoes = new Vetoes(context, actuator, outbox);
    this.#vetoes = vetoes;
    const atRest = (slot: SlotState): boolean => this.#atRest(slot);
    this.#guard = new Guard({
      context,
      actuator,
      arbiter,
      monitor,
      onHarm: (slot, harm) =>
        vetoes.execute(slot, { cause: "Regression", evidenceAtMs: context.nowMs, ...harm }),
    });
    this.#rollout = new Rollout({ context, actuator, arbiter, guard: this.#guard, vetoes });
    this.#reconcile = new Reconcile(context, actuator, {
      preempt: (slot, reason) => this.#preempt(slot, reason),
    });
    this.#calibration = new CalibrationRunner({
      context,
      actuator,
      arbiter,
      outbox,
      monitor,
      atRest,
    });
    const calibrated = (slot: SlotState, deadlineMs: number): boolean =>
      this.#calibration.mayTry(slot, deadlineMs);
    const hooks = { atRest, calibrated };
    this.#trials = new TrialRunner({ context, actuator, arbiter, outbox, monitor, hooks });
    const ready = (slot: SlotState): boolean =>
      atRest(slot) &&
      !this.#trials.active &&
      !this.#guard.active &&
      this.#calibration.isKnown(slot);
    this.#tuner = new Tuner({ context, actuator, arbiter, outbox, ready });
  }

  /** Takes one event in; the effects are to be carried out in order. Throws on a foreign state record. */
  handle(event: NodeEvent, nowMs: number): Effect[] {
    const context = this.#context;
    // A clock that jumps back must not make time run backwards for anything in here.
    context.nowMs = Math.max(context.nowMs, nowMs);
    context.resetWake();
    this.#take(event);
    if (context.started) this.#step();
    return context.flush();
  }

  /** `handle` of the passage of time. */
  tick(nowMs: number): Effect[] {
    return this.handle({ type: "tick" }, nowMs);
  }

  /** When the core wants to be ticked at the latest; Infinity = only events matter. */
  get nextWakeMs(): number {
    return this.#context.wakeMs;
  }

  /** What runs for every Config, for greetings and heartbeats. */
  active(): readonly ActiveState[] {
    return this.#context
      .slots()
      .map((slot) => activeState(slot, this.#context, this.#trials.isOn(slot)));
  }

  /** Rises with every start; 0 before `started`. */
  get incarnation(): number {
    return this.#context.state.incarnation;
  }

  #take(event: NodeEvent): void {
    switch (event.type) {
      case "started":
        this.#onStarted(event.record);
        return;
      case "captured":
        this.#reconcile.onCaptured(event.target, event.content);
        return;
      case "pushReceived":
        this.#reconcile.onPush(event.push, event.nonce);
        return;
      case "trialOrder":
        this.#trials.onOrder(event.order);
        return;
      case "trialCancel":
        this.#trials.onCancel(event.proposalUid, event.attempt, event.reason);
        return;
      case "submissionResult":
        this.#outbox.onResult(event);
        return;
      case "connected":
        this.#context.connected = true;
        this.#heartbeatMs = event.heartbeatMs > 0 ? event.heartbeatMs : HEARTBEAT_MS;
        this.#heartbeatAtMs = 0;
        this.#outbox.onConnected();
        return;
      case "disconnected":
        this.#context.connected = false;
        return;
      case "samples":
        this.#onSamples(event.block, event.values);
        return;
      case "checkPassed":
        this.#onCheck(event.token, "");
        return;
      case "checkFailed":
        this.#onCheck(event.token, event.message === "" ? "check failed" : event.message);
        return;
      case "applyDone":
        this.#actuator.onDone(event.token);
        return;
      case "applyFailed":
        this.#actuator.onFailed(event.token, event.message);
        return;
      case "diskWritten":
        this.#context.onDurable(event.seq);
        return;
      case "tripwire":
        this.#onTripwire(event);
        return;
      case "fileEdited":
        this.#onEdited(event.target, event.message);
        return;
      case "editCleared":
        this.#onEditCleared(event.target);
        return;
      case "vetoRequest":
        this.#onVetoRequest(event);
        return;
      case "stopping":
        this.#onStopping();
        return;
      case "tick":
        return;
      default:
        unreachable(event, "node event");
    }
  }

  #onStarted(record: string | null): void {
    const context = this.#context;
    const { clusterId, node } = context.options;
    if (record !== null) context.state = decodeDiskState(record, clusterId, node);
    if (context.state.instance === "") {
      context.state.instance = toHex(context.options.prng.fork("instance").bytes(8));
    }
    context.state.incarnation += 1;
    context.started = true;
    context.touch();
    this.#rollout.onStarted();
    this.#reconcile.onStarted();
    this.#trials.onStarted();
  }

  #onSamples(block: number, values: SampleValues): void {
    const seen = this.#monitor.onSamples(block, values);
    if (seen !== null) {
      const slot = this.#context.state.slots[seen.configUid];
      if (slot !== undefined) this.#guard.observe(slot, seen);
      return;
    }
    this.#guard.onSamples(block, values);
    this.#trials.onSamples(block, values);
    this.#calibration.onSamples(block, values);
    this.#tuner.onSamples(block, values);
  }

  #onCheck(token: number, problem: string): void {
    this.#reconcile.onCheck(token, problem);
    this.#trials.onCheck(token, problem);
    this.#tuner.onCheck(token, problem);
  }

  /** Tripwires revert at once: whatever is tried ends, and an unproved version is vetoed. */
  #onTripwire(event: Extract<NodeEvent, { readonly type: "tripwire" }>): void {
    const context = this.#context;
    context.log("warn", "Tripwire", `${event.name}: ${event.message}`, { target: event.target });
    for (const slot of context.slots()) {
      if (slot.overridden || (event.target !== "" && slot.target !== event.target)) continue;
      if (this.#trials.isOn(slot)) {
        this.#trials.interrupt(`Tripwire: ${event.name}: ${event.message}`, slot);
        continue;
      }
      if (this.#tuner.isOn(slot)) {
        this.#tuner.onTripwire(event.name);
        continue;
      }
      if (!this.#isSuspect(slot)) continue;
      this.#calibration.stop(slot);
      this.#guard.stop(slot);
      const message = `${event.name}: ${event.message}`;
      this.#vetoes.execute(slot, { cause: "Tripwire", message, evidenceAtMs: context.nowMs });
    }
  }

  /** Whether what runs may be to blame: not confirmed, in probation, or fallen back to just now. */
  #isSuspect(slot: SlotState): boolean {
    const { nowMs } = this.#context;
    if (slot.revertedAtMs > 0 && nowMs < slot.revertedAtMs + TRIPWIRE_GRACE_MS) return false;
    if (slot.pending !== null) {
      return this.#arbiter.holds(slot.config.uid) || this.#runsOrBegins(slot);
    }
    if (inProbation(slot, nowMs)) return true;
    const probationMs = (slot.assignment?.guard.probationSeconds ?? 0) * 1000;
    const fellBack = slot.revertedAtMs > 0 && nowMs < slot.revertedAtMs + probationMs;
    return fellBack && slot.confirmed.length > 1;
  }

  #runsOrBegins(slot: SlotState): boolean {
    return this.#actuator.hasBegun(slot.target, activeContent(slot).hash);
  }

  #onEdited(target: string, message: string): void {
    const slot = this.#context.slotOfTarget(target);
    if (slot === undefined || slot.overridden) return;
    this.#preempt(slot, "Overridden: edited by hand");
    slot.overridden = true;
    this.#actuator.release(target);
    this.#actuator.forget(target);
    this.#context.touch();
    this.#context.log("warn", "Overridden", `${target} was edited by hand: ${message}`, {
      config: slot.config.name,
      target,
    });
  }

  #onEditCleared(target: string): void {
    const slot = this.#context.slotOfTarget(target);
    if (slot === undefined || !slot.overridden) return;
    slot.overridden = false;
    slot.failure = null;
    this.#context.touch();
    this.#context.log("info", "OverrideEnded", `${target} is as we left it again`, {
      config: slot.config.name,
      target,
    });
    this.#reconcile.onEditCleared(slot);
  }

  #onVetoRequest(event: Extract<NodeEvent, { readonly type: "vetoRequest" }>): void {
    const context = this.#context;
    const slot = context.state.slots[event.configUid];
    const runs = slot === undefined ? 0 : activeContent(slot).version;
    if (slot === undefined || runs === 0 || runs !== event.version) {
      context.log("warn", "VetoRequestIgnored", `version ${event.version} does not run here`, {
        configUid: event.configUid,
        runs,
      });
      return;
    }
    this.#preempt(slot, "the owner vetoes the version");
    const message = `${event.requestedBy}: ${event.reason}`;
    this.#vetoes.execute(slot, { cause: "Manual", message, evidenceAtMs: context.nowMs });
  }

  #onStopping(): void {
    if (this.#context.stopping) return;
    this.#context.stopping = true;
    this.#trials.interrupt("Interrupted: the agent is stopping");
    for (const slot of this.#context.slots()) {
      this.#preempt(slot, "the agent is stopping");
      this.#monitor.stop(slot);
    }
  }

  #preempt(slot: SlotState, reason: string): void {
    this.#trials.interrupt(`Interrupted: ${reason}`, slot);
    this.#calibration.stop(slot);
    this.#tuner.stop(slot);
    this.#guard.stop(slot);
  }

  /** Nothing is pending, suspected or edited, and the slot began this start on a good content. */
  #atRest(slot: SlotState): boolean {
    return (
      slot.pending === null &&
      !slot.overridden &&
      !slot.orphaned &&
      this.#rollout.isRestored(slot) &&
      !this.#reconcile.isChecking(slot) &&
      !this.#vetoes.isArming(slot) &&
      !this.#guard.active
    );
  }

  #step(): void {
    const context = this.#context;
    this.#actuator.step();
    this.#vetoes.step();
    const slots = context.slots();
    for (const slot of slots) this.#rollout.step(slot);
    if (!context.stopping) {
      for (const slot of slots) this.#guard.step(slot);
      this.#trials.step();
      this.#calibration.step();
      this.#tuner.step();
      // A part that gave its turn back leaves the target to the slot's own content.
      for (const slot of slots) this.#rollout.step(slot);
      for (const slot of slots) this.#monitor.step(slot, this.#mayWatch(slot));
    }
    this.#outbox.step();
    this.#heartbeat();
    this.#finishStop();
  }

  #mayWatch(slot: SlotState): boolean {
    return !this.#arbiter.holds(slot.config.uid) && !slot.overridden && !slot.orphaned;
  }

  #heartbeat(): void {
    const { nowMs, connected } = this.#context;
    if (!connected) return;
    if (nowMs >= this.#heartbeatAtMs) {
      this.#heartbeatAtMs = nowMs + this.#heartbeatMs;
      const active = this.active();
      this.#context.emit({ type: "send", message: { type: "heartbeat", active, clockMs: nowMs } });
    }
    this.#context.wakeAt(this.#heartbeatAtMs);
  }

  #finishStop(): void {
    const context = this.#context;
    if (!context.stopping || this.#stopped || !this.#actuator.settled || context.hasUnwritten)
      return;
    this.#stopped = true;
    context.emit({ type: "stopped" });
  }
}
