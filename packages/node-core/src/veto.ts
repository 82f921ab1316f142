// The node's last word on its own configuration: put the last known good content back first, then
// write, sign and report. The revert waits for nothing but an apply that is in flight; the record
// says how long it took from the evidence to its beginning.

import { changedTopLevelKeys } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import type { TrialEvidence, TrialPlan } from "@kingly/evidence";
import type { Actuator } from "./actuator.ts";
import type { Context } from "./context.ts";
import { asJson, nextKey, queueDocument } from "./documents.ts";
import { MESSAGE_LENGTH_MAX, VETO_BACKOFF_DOUBLINGS_MAX, VETOES_MAX } from "./limits.ts";
import type { Outbox } from "./outbox.ts";
import { activeContent, revertTarget, type SlotState, type VetoRecord } from "./state.ts";
import type { Content } from "./types.ts";

/** Why the active content goes. */
export interface VetoInput {
  readonly cause: VetoRecord["cause"];
  readonly message: string;
  /** When the evidence was complete. */
  readonly evidenceAtMs: number;
  readonly plan?: TrialPlan;
  readonly evidence?: TrialEvidence;
}

/** Executes and reports vetoes. */
export class Vetoes {
  readonly #context: Context;
  readonly #actuator: Actuator;
  readonly #outbox: Outbox;
  readonly #arming = new Map<string, VetoInput>();

  constructor(context: Context, actuator: Actuator, outbox: Outbox) {
    this.#context = context;
    this.#actuator = actuator;
    this.#outbox = outbox;
  }

  /** Reverts the slot's active content and reports it; a second call while one is on is ignored. */
  execute(slot: SlotState, input: VetoInput): void {
    if (this.#arming.has(slot.config.uid)) return;
    this.#actuator.want(slot.target, revertTarget(slot), "revert");
    this.#arming.set(slot.config.uid, input);
    this.#finish(slot, input);
  }

  /** True while a revert waits for an apply in flight. */
  isArming(slot: SlotState): boolean {
    return this.#arming.has(slot.config.uid);
  }

  /** Goes on with reverts that had to wait. */
  step(): void {
    for (const slot of this.#context.slots()) {
      const input = this.#arming.get(slot.config.uid);
      if (input !== undefined) this.#finish(slot, input);
    }
  }

  /** Once the revert has begun: state and document in one write. */
  #finish(slot: SlotState, input: VetoInput): void {
    const context = this.#context;
    const good = revertTarget(slot);
    if (!this.#actuator.hasBegun(slot.target, good.hash)) return;
    this.#arming.delete(slot.config.uid);
    const vetoed = activeContent(slot);
    const delayMs = Math.max(0, this.#actuator.askedAtMs(slot.target) - input.evidenceAtMs);
    const record = this.#record(slot, vetoed, good, input);
    if (slot.pending !== null) slot.pending = null;
    else slot.confirmed = slot.confirmed.slice(1);
    slot.guard = null;
    slot.failure = null;
    slot.revertedAtMs = context.nowMs;
    slot.vetoes = [...slot.vetoes, record].slice(-VETOES_MAX);
    context.touch();
    this.#report(slot, { record, good, input, delayMs });
  }

  #record(slot: SlotState, vetoed: Content, good: Content, input: VetoInput): VetoRecord {
    const { assignment } = slot;
    const changed = assignment?.version === vetoed.version ? assignment.changedKeys : [];
    const keys = changed.length > 0 ? changed : changedTopLevelKeys(good.data, vetoed.data);
    const pins: Record<string, JsonValue> = {};
    for (const key of [...keys].sort()) {
      pins[key] = Object.hasOwn(good.data, key) ? (good.data[key] as JsonValue) : null;
    }
    const doublings = Math.min(slot.vetoes.length, VETO_BACKOFF_DOUBLINGS_MAX);
    const lifeMs = (assignment?.guard.vetoExpirySeconds ?? 0) * 1000 * (1 << doublings);
    return {
      version: vetoed.version,
      hash: vetoed.hash,
      cause: input.cause,
      expiresAtMs: Math.floor(this.#context.nowMs + lifeMs),
      pins,
    };
  }

  #report(
    slot: SlotState,
    done: {
      readonly record: VetoRecord;
      readonly good: Content;
      readonly input: VetoInput;
      readonly delayMs: number;
    },
  ): void {
    const { record, good, input, delayMs } = done;
    const { config } = slot;
    const message = input.message.slice(0, MESSAGE_LENGTH_MAX);
    const empty: JsonObject = {};
    queueDocument(
      this.#context,
      this.#outbox,
      { kind: "Veto", key: nextKey(this.#context, "Veto") },
      {
        configUid: config.uid,
        version: record.version,
        contentHash: record.hash,
        cause: record.cause,
        message,
        pinnedKeys: Object.keys(record.pins).sort(),
        plan: input.plan === undefined ? empty : asJson(input.plan),
        evidence: input.evidence === undefined ? empty : asJson(input.evidence),
        runsVersion: good.version,
        expiresAtMs: record.expiresAtMs,
        revertDelayMs: delayMs,
      },
    );
    this.#context.log("warn", "Vetoed", `${config.name} v${record.version} vetoed: ${message}`, {
      config: config.name,
      version: record.version,
      cause: record.cause,
      runsVersion: good.version,
      revertDelayMs: delayMs,
    });
  }
}
