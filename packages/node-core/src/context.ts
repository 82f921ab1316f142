// What the parts of the core share: the time of the event at hand, the durable state, the list of
// effects, and the rule that a change of state is written before anything that depends on it is
// done. `touch` returns the sequence number that the coming write will have.

import type { JsonObject } from "@kingly/base";
import { encodeDiskState, emptyDiskState, type DiskState, type SlotState } from "./state.ts";
import { MESSAGE_LENGTH_MAX } from "./limits.ts";
import type { Effect, NodeCoreOptions, NodeLog } from "./types.ts";

/** Shared by all parts of one core. */
export class Context {
  readonly options: NodeCoreOptions;
  nowMs = 0;
  state: DiskState;
  connected = false;
  /** Set by `stopping`: nothing new begins. */
  stopping = false;
  started = false;
  /** Highest sequence number known to be on disk. */
  durableSeq = 0;
  #effects: Effect[] = [];
  #seq = 0;
  #dirty = false;
  #token = 0;
  #wakeMs = Number.POSITIVE_INFINITY;
  #afterDurable: { readonly seq: number; readonly effect: Effect }[] = [];

  constructor(options: NodeCoreOptions) {
    this.options = options;
    this.state = emptyDiskState(options.clusterId, options.node);
  }

  /** Marks the state as changed; returns the sequence number under which it will be written. */
  touch(): number {
    this.#dirty = true;
    return this.#seq + 1;
  }

  emit(effect: Effect): void {
    this.#effects.push(effect);
  }

  /** Emits the effect once everything changed up to now is on disk. */
  emitDurable(effect: Effect): void {
    const seq = this.currentSeq;
    if (seq <= this.durableSeq) this.emit(effect);
    else this.#afterDurable.push({ seq, effect });
  }

  log(level: NodeLog["level"], event: string, message: string, fields: JsonObject = {}): void {
    this.emit({ type: "log", level, event, message: message.slice(0, MESSAGE_LENGTH_MAX), fields });
  }

  /** A number for a check, an apply or a block, unique within this start. */
  nextToken(): number {
    this.#token += 1;
    return this.#token;
  }

  /** Asks to be stepped at this time at the latest. */
  wakeAt(ms: number): void {
    if (ms < this.#wakeMs) this.#wakeMs = ms;
  }

  get wakeMs(): number {
    return this.#wakeMs;
  }

  resetWake(): void {
    this.#wakeMs = Number.POSITIVE_INFINITY;
  }

  onDurable(seq: number): void {
    if (seq > this.durableSeq) this.durableSeq = seq;
    const ready = this.#afterDurable.filter((entry) => entry.seq <= this.durableSeq);
    this.#afterDurable = this.#afterDurable.filter((entry) => entry.seq > this.durableSeq);
    for (const entry of ready) this.emit(entry.effect);
  }

  /** Sequence number under which everything changed up to now is or will be written. */
  get currentSeq(): number {
    return this.#dirty ? this.#seq + 1 : this.#seq;
  }

  /** True while something changed or written is not known to be on disk. */
  get hasUnwritten(): boolean {
    return this.#dirty || this.#seq > this.durableSeq;
  }

  /** Ends an event: writes the state when it changed, and hands the effects over. */
  flush(): Effect[] {
    if (this.#dirty) {
      this.#seq += 1;
      this.#dirty = false;
      this.emit({ type: "persist", seq: this.#seq, record: encodeDiskState(this.state) });
    }
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  /** Slots in the order of their config uid, so that effects have one order. */
  slots(): SlotState[] {
    return Object.keys(this.state.slots)
      .sort()
      .map((uid) => this.state.slots[uid])
      .filter((slot) => slot !== undefined);
  }

  slotOfTarget(target: string): SlotState | undefined {
    return this.slots().find((slot) => slot.target === target);
  }
}
