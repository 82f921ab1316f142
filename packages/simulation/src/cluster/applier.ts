// Applies committed entries of one simulated server in order, a little later than they are handed out,
// and hands their rows to storage, as the real server does.

import type { Storage } from "@kingly/storage";
import { confChangeOfEntry } from "raft-ts";
import type { ConfChange, ConfState, Entry, LogIndex, Message } from "raft-ts";
import type { Recorder } from "../checkers/recorder.ts";
import type { Host } from "./host.ts";
import type { Applied, Machine, RowsPrint } from "./machine.ts";

/** What the applier works with. */
export interface ApplierPorts {
  readonly id: number;
  readonly host: Host;
  readonly storage: Storage;
  readonly recorder: Recorder;
  /** Microseconds until the next batch is applied. */
  readonly delayUs: () => number;
  /** Puts a committed change of members into force. */
  readonly reconfigure: (change: ConfChange, index: LogIndex) => ConfState;
  readonly applied: (applied: Applied) => void;
  /** A batch is through. */
  readonly done: (message: Message) => void;
  readonly fatal: (error: unknown) => void;
}

/** Ordered application of entries. */
export class Applier {
  readonly #ports: ApplierPorts;
  #rows: RowsPrint;
  readonly #waiting: Message[] = [];
  #machine: Machine;
  #busy = false;
  #idle: (() => void)[] = [];

  constructor(ports: ApplierPorts, machine: Machine, rows: RowsPrint) {
    this.#ports = ports;
    this.#machine = machine;
    this.#rows = rows;
  }

  get machine(): Machine {
    return this.#machine;
  }

  get rowsPrint(): number {
    return this.#rows.value;
  }

  /** A snapshot brought another state. */
  replace(machine: Machine, rows: RowsPrint): void {
    this.#machine = machine;
    this.#rows = rows;
  }

  /** Queues a MsgStorageApply. */
  apply(message: Message): void {
    this.#waiting.push(message);
    if (this.#busy) return;
    this.#busy = true;
    this.#next();
  }

  /** Resolves when nothing waits to be applied. */
  idle(): Promise<void> {
    if (!this.#busy) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #next(): void {
    const { host, fatal } = this.#ports;
    host.after(this.#ports.delayUs(), () => {
      const message = this.#waiting.shift();
      if (message === undefined) return;
      this.#batch(message).then(() => {
        this.#ports.done(message);
        if (this.#waiting.length > 0) return this.#next();
        this.#busy = false;
        for (const resolve of this.#idle.splice(0)) resolve();
      }, fatal);
    });
  }

  async #batch(message: Message): Promise<void> {
    const { storage } = this.#ports;
    const rows = [];
    const history = [];
    let { confState } = storage.objects.meta;
    for (const entry of message.entries) {
      const applied = this.#one(entry);
      confState = this.#reconfigured(entry) ?? confState;
      rows.push(...applied.rows);
      history.push(...applied.history);
    }
    const meta = this.#machine.meta(confState);
    await storage.objects.commit({ rows, history, meta });
  }

  #reconfigured(entry: Entry): ConfState | undefined {
    const change = confChangeOfEntry(entry);
    if (change === undefined) return undefined;
    const { id, recorder, reconfigure } = this.#ports;
    const said = reconfigure(change, entry.index);
    recorder.reconfigured(id, entry.index, change, said);
    return said;
  }

  #one(entry: Entry): Applied {
    const { id, storage, recorder } = this.#ports;
    // A change of members is not the machine's business: to it, the entry is empty.
    const own = entry.type === "normal" ? entry : { ...entry, data: new Uint8Array(0) };
    const applied = this.#machine.apply(own, storage.log.chainHash(entry.index));
    for (const { key, value } of applied.rows) this.#rows.set(key, value);
    const effect = applied.effective ? applied.request : undefined;
    recorder.applied(id, entry, this.#rows.value, effect);
    this.#ports.applied(applied);
    return applied;
  }
}
