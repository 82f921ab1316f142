// Linearizable read points (read-index, thesis section 6.4). All reads that arrive while one request
// is under way share the next one, so a thousand readers cost one heartbeat round. A lost request is
// sent again; the answer is waited for until this server has applied that far.
import { KinglyError } from "@kingly/base";
import type { DropReason, ReadState } from "raft-ts";
import { PENDING_READS_MAX, READ_RETRY_MS, RETRY_AFTER_MS } from "../limits.ts";

interface Waiting {
  readonly resolve: (revision: number) => void;
  readonly reject: (error: KinglyError) => void;
  readonly deadline: number;
}

/** What reads need from the node. */
export interface ReadPorts {
  /** Asks the core; a reason when it did not take the request. */
  readIndex(context: Uint8Array): DropReason | undefined;
  appliedIndex(): number;
  revision(): number;
  isRecovering(): boolean;
}

/** Batches read requests. */
export class ReadPoints {
  readonly #ports: ReadPorts;
  /** Random start, so that an answer to a former process is never taken for ours. */
  readonly #context = new Uint8Array(16);
  #counter = 0;
  #sentAt = 0;
  /** Waiting for the request under way, and for the next one. */
  #current: Waiting[] = [];
  #next: Waiting[] = [];
  /** Confirmed, waiting for apply. Ascending by index. */
  #confirmed: { readonly index: number; readonly reads: Waiting[] }[] = [];
  #kicked = false;

  constructor(ports: ReadPorts, seed: Uint8Array) {
    this.#ports = ports;
    this.#context.set(seed.subarray(0, 8));
  }

  get size(): number {
    return this.#current.length + this.#next.length;
  }

  /** Resolves with a revision that covers every write finished before this call. */
  add(deadlineMs: number): Promise<number> {
    if (this.#ports.isRecovering()) {
      return Promise.reject(
        new KinglyError("Recovering", "this server lost part of its log and serves no reads yet"),
      );
    }
    if (this.size >= PENDING_READS_MAX) {
      return Promise.reject(
        new KinglyError("Overloaded", "too many reads are waiting", {
          limit: PENDING_READS_MAX,
          retryAfterMs: RETRY_AFTER_MS,
        }),
      );
    }
    return new Promise((resolve, reject) => {
      this.#next.push({ resolve, reject, deadline: performance.now() + deadlineMs });
      if (this.#kicked) return;
      this.#kicked = true;
      setImmediate(() => {
        this.#kicked = false;
        this.#send();
      });
    });
  }

  #send(): void {
    if (this.#current.length > 0 || this.#next.length === 0) return;
    this.#current = this.#next;
    this.#next = [];
    this.#request();
  }

  #request(): void {
    this.#counter += 1;
    this.#sentAt = performance.now();
    new DataView(this.#context.buffer).setFloat64(8, this.#counter);
    this.#ports.readIndex(this.#context.slice());
  }

  /** Answers of the core. */
  confirmed(states: readonly ReadState[]): void {
    for (const state of states) {
      if (!this.#isCurrent(state.context)) continue;
      this.#confirmed.push({ index: state.index, reads: this.#current });
      this.#current = [];
    }
    this.applied();
    this.#send();
  }

  #isCurrent(context: Uint8Array): boolean {
    if (this.#current.length === 0 || context.length !== this.#context.length) return false;
    return context.every((byte, at) => byte === this.#context[at]);
  }

  /** The state moved on. */
  applied(): void {
    const index = this.#ports.appliedIndex();
    while (this.#confirmed[0] !== undefined && this.#confirmed[0].index <= index) {
      const revision = this.#ports.revision();
      for (const read of this.#confirmed.shift()?.reads ?? []) read.resolve(revision);
    }
  }

  /** Once per tick: ends what is too late, repeats what got lost. `immediately` after a new leader
   * is known. */
  tick(immediately: boolean = false): void {
    const now = performance.now();
    this.#current = this.#expire(this.#current, now);
    this.#next = this.#expire(this.#next, now);
    for (const batch of this.#confirmed) {
      const kept = this.#expire(batch.reads, now);
      batch.reads.splice(0, batch.reads.length, ...kept);
    }
    if (this.#current.length === 0) this.#send();
    else if (immediately || now - this.#sentAt >= READ_RETRY_MS) this.#request();
  }

  #expire(reads: readonly Waiting[], now: number): Waiting[] {
    return reads.filter((read) => {
      if (read.deadline > now) return true;
      read.reject(
        new KinglyError("NoLeader", "no leader confirmed the read in time", {
          retryAfterMs: RETRY_AFTER_MS,
        }),
      );
      return false;
    });
  }

  failAll(error: KinglyError): void {
    const all = [...this.#current, ...this.#next, ...this.#confirmed.flatMap((one) => one.reads)];
    this.#current = [];
    this.#next = [];
    this.#confirmed = [];
    for (const read of all) read.reject(error);
  }
}
