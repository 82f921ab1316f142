// Calls of clients at one simulated server: writes are proposed where this server leads and answered
// when their entry is applied here; reads wait for a read index and for apply to reach it.

import type { DropReason, RawNode, ReadState } from "raft-ts";
import { READS_WAITING_MAX, WRITES_WAITING_MAX } from "../limits.ts";
import { requestKey } from "./machine.ts";
import type { Applied, Machine, Request } from "./machine.ts";
import type { Call, Reply } from "./parcels.ts";

/** What the desk works with. */
export interface CallDeskPorts {
  readonly node: RawNode;
  readonly machine: () => Machine;
  readonly encode: (request: Request) => Uint8Array;
  /** Counts the starts of this server; read contexts of different lives differ. */
  readonly life: number;
  /** The observer: a read is called, and confirmed at an index. */
  readonly reads: {
    readonly called: () => number;
    readonly confirmed: (index: number, called: number) => void;
  };
  readonly reply: (client: number, reply: Reply) => void;
}

type Read = Extract<Call, { kind: "read" }>;

/** Calls under way at one server. */
export class CallDesk {
  readonly #ports: CallDeskPorts;
  readonly #writers = new Map<string, Request>();
  readonly #asked = new Map<string, { readonly read: Read; readonly called: number }>();
  #confirmed: { readonly index: number; readonly read: Read }[] = [];
  #counter = 0;
  #genesisTerm = 0;

  constructor(ports: CallDeskPorts) {
    this.#ports = ports;
  }

  /** Takes a call: answers later, refuses at once, or forgets it when too many wait. */
  take(call: Call): void {
    if (call.kind === "write") this.#write(call);
    else this.#read(call);
  }

  #write(call: Extract<Call, { kind: "write" }>): void {
    const { client, attempt, request } = call;
    const { node } = this.#ports;
    const status = node.basicStatus();
    const name = requestKey(client, request.sequence);
    const isFull = this.#writers.size >= WRITES_WAITING_MAX;
    let refused: DropReason | "full" | undefined = isFull ? "full" : undefined;
    if (refused === undefined && status.state !== "leader") refused = "forwarding-disabled";
    if (refused === undefined) {
      const result = node.propose(this.#ports.encode(request));
      if (!result.ok) refused = result.reason;
    }
    if (refused !== undefined) return this.#refuse(client, request.sequence, attempt);
    this.#writers.set(name, request);
  }

  #refuse(client: number, sequence: number, attempt: number): void {
    const leader = this.#ports.node.basicStatus().lead;
    this.#ports.reply(client, { kind: "refused", sequence, attempt, leader });
  }

  #read(read: Read): void {
    const { node } = this.#ports;
    const { client, sequence, attempt } = read;
    const isFull = this.#asked.size >= READS_WAITING_MAX;
    if (isFull || node.basicStatus().recovering) return this.#refuse(client, sequence, attempt);
    this.#counter += 1;
    const context = new Uint8Array(8);
    const view = new DataView(context.buffer);
    view.setUint32(0, this.#ports.life);
    view.setUint32(4, this.#counter);
    if (!node.readIndex(context).ok) return this.#refuse(client, sequence, attempt);
    this.#asked.set(context.join("."), { read, called: this.#ports.reads.called() });
  }

  /** Read states of the core. */
  confirmed(states: readonly ReadState[]): void {
    for (const { index, context } of states) {
      const key = context.join(".");
      const asked = this.#asked.get(key);
      this.#asked.delete(key);
      if (asked === undefined) continue;
      this.#ports.reads.confirmed(index, asked.called);
      this.#confirmed.push({ index, read: asked.read });
    }
    if (states.length > 0) this.stateMoved();
  }

  /** An entry was applied here. */
  applied({ request, answer }: Applied): void {
    if (request !== undefined) {
      const waiting = this.#writers.get(request);
      this.#writers.delete(request);
      if (waiting !== undefined && answer !== undefined) {
        const { client, sequence } = waiting;
        this.#ports.reply(client, { kind: "done", sequence, seen: answer.seen });
      }
    }
    this.stateMoved();
  }

  /** The machine may have reached the index of a confirmed read. */
  stateMoved(): void {
    if (this.#confirmed.length === 0) return;
    const machine = this.#ports.machine();
    const { appliedIndex } = machine;
    this.#confirmed = this.#confirmed.filter(({ index, read }) => {
      if (index > appliedIndex) return true;
      const { client, sequence, key } = read;
      this.#ports.reply(client, { kind: "done", sequence, seen: machine.read(key) });
      return false;
    });
  }

  /** Proposes a machine's first command, once per term, while nothing else was applied. */
  offerGenesis(term: number, make: () => Uint8Array | undefined): void {
    if (this.#genesisTerm === term || this.#ports.machine().isReady) return;
    this.#genesisTerm = term;
    const data = make();
    if (data !== undefined) this.#ports.node.propose(data);
  }
}
