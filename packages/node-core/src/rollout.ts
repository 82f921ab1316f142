// From a pending version to a confirmed one: apply, soak, guard, confirm, all local. The dead-man
// timer gives up what could not be applied in time; for lack of a server it reverts only Configs that
// ask for it. Also the first thing after every start: back to a last known good content.

import type { Actuator } from "./actuator.ts";
import { sendAck, sendNack } from "./answers.ts";
import type { Arbiter } from "./arbiter.ts";
import { withLifted } from "./content.ts";
import type { Context } from "./context.ts";
import type { Guard } from "./guard.ts";
import { APPLY_ATTEMPTS_MAX, CONFIRMED_CONTENTS_MAX, PENDING_STARTS_MAX } from "./limits.ts";
import { inProbation, lastKnownGood, type PendingVersion, type SlotState } from "./state.ts";
import type { Vetoes } from "./veto.ts";

/** Moves every slot towards the content that is meant to run. */
export class Rollout {
  readonly #context: Context;
  readonly #actuator: Actuator;
  readonly #arbiter: Arbiter;
  readonly #guard: Guard;
  readonly #vetoes: Vetoes;
  /** Slots that are on a last known good content since this start. */
  readonly #restored = new Set<string>();
  #startedAtMs = 0;

  constructor(parts: {
    readonly context: Context;
    readonly actuator: Actuator;
    readonly arbiter: Arbiter;
    readonly guard: Guard;
    readonly vetoes: Vetoes;
  }) {
    this.#context = parts.context;
    this.#actuator = parts.actuator;
    this.#arbiter = parts.arbiter;
    this.#guard = parts.guard;
    this.#vetoes = parts.vetoes;
  }

  /** The state was read: every slot that we ever touched goes back to what is known to be good. */
  onStarted(): void {
    this.#startedAtMs = this.#context.nowMs;
    for (const slot of this.#context.slots()) {
      if (slot.pending === null) continue;
      slot.pending.starts += 1;
      slot.pending.appliedAtMs = 0;
      this.#context.touch();
    }
  }

  /** True once the slot began on a last known good content. */
  isRestored(slot: SlotState): boolean {
    return !slot.touched || this.#restored.has(slot.config.uid);
  }

  step(slot: SlotState): void {
    const { uid } = slot.config;
    if (slot.overridden || this.#vetoes.isArming(slot)) return;
    const good = lastKnownGood(slot);
    if (!slot.touched) return;
    if (!this.#restored.has(uid) && !this.#restore(slot)) return;
    if (this.#context.stopping) {
      this.#actuator.want(slot.target, good, "stop");
      return;
    }
    if (slot.pending !== null) this.#stepPending(slot, slot.pending);
    else if (!this.#arbiter.holds(uid)) this.#actuator.want(slot.target, good, "revert");
  }

  /** A slot that is new in this start runs as-found; an old one is put on its last known good. */
  #restore(slot: SlotState): boolean {
    const good = lastKnownGood(slot);
    this.#actuator.want(slot.target, good, "restore");
    if (!this.#actuator.isRunning(slot.target, good.hash)) return false;
    this.#restored.add(slot.config.uid);
    if (inProbation(slot, this.#context.nowMs)) this.#guard.begin(slot);
    return true;
  }

  #stepPending(slot: SlotState, pending: PendingVersion): void {
    const { content } = pending;
    if (pending.starts > PENDING_STARTS_MAX) {
      this.#giveUp(slot, `unconfirmed after ${pending.starts} starts of the agent`);
      return;
    }
    this.#guard.prepare(slot, content);
    if (!this.#arbiter.holds(slot.config.uid)) {
      this.#actuator.want(slot.target, content, "rollout", this.#context.currentSeq);
    }
    if (pending.appliedAtMs > 0) this.#stepApplied(slot, pending);
    else if (this.#actuator.isRunning(slot.target, content.hash)) this.#applied(slot, pending);
    else this.#stepApplying(slot, pending);
  }

  #stepApplying(slot: SlotState, pending: PendingVersion): void {
    const failure = this.#actuator.failure(slot.target, pending.content.hash);
    const limitMs = (slot.assignment?.guard.confirmDeadlineSeconds ?? 0) * 1000;
    const deadlineMs = Math.max(pending.receivedAtMs, this.#startedAtMs) + limitMs;
    const late = this.#context.nowMs >= deadlineMs;
    if (failure !== undefined && (late || failure.attempts >= APPLY_ATTEMPTS_MAX)) {
      this.#giveUp(slot, failure.message);
    } else if (late) this.#giveUp(slot, `not applied within ${limitMs / 1000} s`);
    else this.#context.wakeAt(deadlineMs);
  }

  #applied(slot: SlotState, pending: PendingVersion): void {
    pending.appliedAtMs = this.#context.nowMs;
    this.#context.touch();
    this.#context.log(
      "info",
      "Applied",
      `${slot.config.name} v${pending.content.version} applied`,
      {
        config: slot.config.name,
        version: pending.content.version,
      },
    );
    sendAck(this.#context, slot, "APPLIED");
    this.#guard.begin(slot);
    this.#stepApplied(slot, pending);
  }

  #stepApplied(slot: SlotState, pending: PendingVersion): void {
    const { assignment } = slot;
    if (assignment === null) return;
    const { soakSeconds, confirmDeadlineSeconds } = assignment.guard;
    const { nowMs } = this.#context;
    const soakedMs = pending.appliedAtMs + soakSeconds * 1000;
    const deadlineMs = pending.appliedAtMs + Math.max(soakSeconds, confirmDeadlineSeconds) * 1000;
    const cutOff = assignment.requiresConnectivity && !this.#context.connected;
    if (cutOff && nowMs >= deadlineMs) {
      this.#fail(slot, "no server reachable at the confirm deadline", true);
      return;
    }
    if (nowMs < soakedMs) this.#context.wakeAt(soakedMs);
    else if (cutOff) this.#context.wakeAt(deadlineMs);
    else if (!this.#guard.isBusy(slot)) this.#confirm(slot, pending);
  }

  #confirm(slot: SlotState, pending: PendingVersion): void {
    const { assignment } = slot;
    if (assignment?.version === pending.content.version) {
      slot.vetoes = withLifted(slot, assignment);
    }
    const confirmed = { content: pending.content, confirmedAtMs: this.#context.nowMs };
    const older = slot.confirmed.filter((c) => c.content.version !== pending.content.version);
    slot.confirmed = [confirmed, ...older].slice(0, CONFIRMED_CONTENTS_MAX);
    slot.pending = null;
    slot.failure = null;
    this.#context.touch();
    this.#context.log(
      "info",
      "Confirmed",
      `${slot.config.name} v${pending.content.version} confirmed`,
      {
        config: slot.config.name,
        version: pending.content.version,
      },
    );
    sendAck(this.#context, slot, "CONFIRMED");
  }

  /** The target does not take it: the last known good content stays, and the fleet hears of it. */
  #giveUp(slot: SlotState, message: string): void {
    const { assignment } = slot;
    this.#guard.stop(slot);
    const evidenceAtMs = this.#context.nowMs;
    this.#vetoes.execute(slot, { cause: "Unappliable", message, evidenceAtMs });
    if (assignment === null) return;
    sendNack(this.#context, assignment, slot.nonce, { reason: "ApplyFailed", message });
  }

  #fail(slot: SlotState, message: string, retry: boolean): void {
    this.#guard.stop(slot);
    slot.pending = null;
    slot.failure = { reason: "ApplyFailed", message, retry };
    slot.revertedAtMs = this.#context.nowMs;
    this.#actuator.want(slot.target, lastKnownGood(slot), "revert");
    this.#context.touch();
    this.#context.log("warn", "Reverted", `${slot.config.name}: ${message}`, {
      config: slot.config.name,
      runsVersion: lastKnownGood(slot).version,
    });
  }
}
