// A client: one operation after the other, each written into the history with the order of its call
// and answer. Repeats an unanswered operation, writes under the same idempotency key, elsewhere; gives
// up after some attempts, and then the outcome is unknown, never "failed".

import type { Prng } from "@kingly/base";
import type { Operation, RegisterAction } from "../checkers/linearizability.ts";
import type { Recorder } from "../checkers/recorder.ts";
import type { Scheduler } from "../engine/scheduler.ts";
import { CLIENT_ATTEMPTS_MAX } from "../limits.ts";
import { requestKey } from "./machine.ts";
import type { Call, Reply } from "./parcels.ts";
import type { Scenario } from "./scenario.ts";

/** What a client works with. */
export interface ClientPorts {
  readonly id: number;
  readonly scenario: Scenario;
  readonly scheduler: Scheduler;
  readonly prng: Prng;
  readonly recorder: Recorder;
  readonly history: Operation[];
  /** Sends a call to a server; may be lost. */
  readonly send: (server: number, call: Call) => void;
}

interface Current {
  readonly sequence: number;
  readonly key: string;
  readonly action: RegisterAction;
  readonly calledAt: number;
  attempt: number;
}

/** What became of a client's operations. */
export interface ClientCounts {
  reads: number;
  writes: number;
  unknown: number;
}

/** One simulated client. */
export class Client {
  readonly #ports: ClientPorts;
  readonly counts: ClientCounts = { reads: 0, writes: 0, unknown: 0 };
  /** Last value seen or written per key, for a cas that has a chance. */
  readonly #seen = new Map<string, string>();
  #sequence = 0;
  #current: Current | undefined;
  #leader: number;
  /** Operations still to finish before the client rests; Infinity: never rests. */
  #left = Infinity;

  constructor(ports: ClientPorts) {
    this.#ports = ports;
    this.#leader = this.#anyone();
  }

  /** True when it has nothing under way and nothing left to do. */
  get resting(): boolean {
    return this.#left === 0 && this.#current === undefined;
  }

  /** Begins to work. */
  start(): void {
    this.#think();
  }

  /** Rests after this many more operations that succeeded. */
  finishAfter(operations: number): void {
    this.#left = operations;
  }

  #think(): void {
    if (this.#left === 0) return;
    const { scheduler, prng, scenario } = this.#ports;
    scheduler.after(1 + prng.below(scenario.thinkUs), () => this.#begin());
  }

  #begin(): void {
    const { prng, scenario, id, scheduler } = this.#ports;
    this.#sequence += 1;
    const sequence = this.#sequence;
    const key = `k${prng.below(scenario.keys)}`;
    const value = requestKey(id, sequence);
    const roll = prng.unit();
    let action: RegisterAction = { kind: "put", value };
    if (roll < scenario.readShare) action = { kind: "get" };
    else if (roll < scenario.readShare + scenario.casShare) {
      action = { kind: "cas", expected: this.#seen.get(key) ?? "", value };
    }
    this.#current = { sequence, key, action, calledAt: scheduler.order, attempt: 0 };
    this.#attempt(this.#current);
  }

  #attempt(current: Current): void {
    const { scheduler, prng, scenario, id, send } = this.#ports;
    current.attempt += 1;
    const { attempt, sequence, key, action } = current;
    // Reads go anywhere; writes to whom we think leads, and now and then elsewhere.
    const anywhere = action.kind === "get" || attempt > 2 || prng.chance(scenario.wandering);
    const server = anywhere ? this.#anyone() : this.#leader;
    if (action.kind === "get") send(server, { kind: "read", client: id, sequence, attempt, key });
    else {
      const expected = action.kind === "cas" ? action.expected : "";
      const { kind, value } = action;
      const request = { client: id, sequence, kind, key, value, expected };
      send(server, { kind: "write", client: id, attempt, request });
    }
    scheduler.after(scenario.attemptTimeoutUs, () => this.#timeout(current, attempt));
  }

  #timeout(current: Current, attempt: number): void {
    if (this.#current !== current || current.attempt !== attempt) return;
    if (attempt >= CLIENT_ATTEMPTS_MAX) return this.#finish(current, undefined);
    this.#attempt(current);
  }

  #anyone(): number {
    const { prng, scenario } = this.#ports;
    return 1 + prng.below(scenario.servers + scenario.spares);
  }

  /** An answer arrived. */
  receive(reply: Reply): void {
    const current = this.#current;
    if (current === undefined || reply.sequence !== current.sequence) return;
    if (reply.kind === "done") return this.#finish(current, reply.seen);
    if (reply.attempt !== current.attempt) return;
    if (reply.leader !== 0) this.#leader = reply.leader;
    const { scheduler, prng, scenario } = this.#ports;
    const { attempt } = current;
    scheduler.after(1 + prng.below(Math.floor(scenario.attemptTimeoutUs / 5)), () =>
      this.#timeout(current, attempt),
    );
  }

  #finish(current: Current, seen: string | undefined): void {
    const { scheduler, history, recorder, id } = this.#ports;
    const { action, sequence, key, calledAt } = current;
    this.#current = undefined;
    const isKnown = seen !== undefined;
    const returnedAt = isKnown ? scheduler.order : Infinity;
    const found = action.kind === "put" ? undefined : seen;
    history.push({ client: id, key, action, calledAt, returnedAt, seen: found });
    if (action.kind === "get") this.counts.reads += 1;
    else this.counts.writes += 1;
    if (!isKnown) this.counts.unknown += 1;
    else if (action.kind !== "get") recorder.requests.acknowledged(requestKey(id, sequence));
    if (isKnown) this.#seen.set(key, action.kind === "put" ? action.value : seen);
    if (isKnown && this.#left > 0) this.#left -= 1;
    this.#think();
  }

  /** What was under way when everything ended: its outcome is unknown. */
  abandon(): void {
    if (this.#current !== undefined) this.#finish(this.#current, undefined);
  }
}
