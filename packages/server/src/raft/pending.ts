// Writes under way on this server, from proposal to apply. A write is answered when its own entry is
// applied here; certainly refused when another entry took its place in the log; and unknown when
// leadership or patience ends first.
import { KinglyError } from "@kingly/base";
import type { ApplyResult } from "@kingly/decision";
import type { Entry } from "raft-ts";

/** One write that waits. */
interface Waiting {
  readonly requestId: string;
  readonly data: Uint8Array;
  readonly idempotencyKey: string | undefined;
  readonly resolve: (result: ApplyResult) => void;
  readonly reject: (error: KinglyError) => void;
  /** performance.now() after which the caller is told that the outcome is unknown. */
  deadline: number;
  readonly startedAt: number;
  /** 0 = not placed in the log yet. */
  index: number;
  term: number;
}

/** All writes under way. */
export class PendingWrites {
  readonly #byRequest = new Map<string, Waiting>();
  readonly #byData = new Map<Uint8Array, Waiting>();
  readonly #byIndex = new Map<number, Waiting>();
  readonly #observe: (milliseconds: number) => void;

  /** `observe` receives the time from proposal to apply, in milliseconds. */
  constructor(observe: (milliseconds: number) => void) {
    this.#observe = observe;
  }

  get size(): number {
    return this.#byRequest.size;
  }

  /** Waits for the entry with this request id; Indeterminate after `deadlineMs`. */
  add(write: {
    readonly requestId: string;
    readonly data: Uint8Array;
    readonly idempotencyKey: string | undefined;
    readonly deadlineMs: number;
  }): Promise<ApplyResult> {
    return new Promise((resolve, reject) => {
      const { requestId, data, idempotencyKey } = write;
      const startedAt = performance.now();
      const deadline = startedAt + write.deadlineMs;
      const waiting: Waiting = {
        requestId,
        data,
        idempotencyKey,
        resolve,
        reject,
        deadline,
        startedAt,
        index: 0,
        term: 0,
      };
      this.#byRequest.set(write.requestId, waiting);
      this.#byData.set(write.data, waiting);
    });
  }

  /** Entries of this leader got their place in the log. */
  placed(entries: readonly Entry[]): void {
    if (this.#byData.size === 0) return;
    for (const entry of entries) {
      const waiting = this.#byData.get(entry.data);
      if (waiting === undefined) continue;
      this.#byData.delete(entry.data);
      waiting.index = entry.index;
      waiting.term = entry.term;
      this.#byIndex.set(entry.index, waiting);
    }
  }

  /** Once per raft tick: answers those whose deadline passed. One timer for all of them, because a
   * timer of its own would cost more than the rest of a write's bookkeeping. */
  tick(): void {
    const now = performance.now();
    for (const waiting of this.#byRequest.values()) {
      if (waiting.deadline > now) continue;
      this.#fail(waiting, unknown(waiting, "the deadline passed"));
    }
  }

  /** The core refused to take the write: certainly not written. */
  dropped(requestId: string, error: KinglyError): void {
    const waiting = this.#byRequest.get(requestId);
    if (waiting !== undefined) this.#fail(waiting, error);
  }

  /** An entry was applied: answers the write whose entry it is, or whose place it took. */
  applied(entry: Entry, result: ApplyResult): void {
    const placed = this.#byIndex.get(entry.index);
    if (placed !== undefined && placed.requestId !== result.requestId) {
      const message = "another leader's entry took the write's place; nothing was written";
      this.#fail(placed, new KinglyError("Unavailable", message, { retryAfterMs: 0 }));
    }
    const waiting = this.#byRequest.get(result.requestId);
    if (waiting === undefined) return;
    this.#forget(waiting);
    this.#observe(performance.now() - waiting.startedAt);
    waiting.resolve(result);
  }

  /**
   * Leadership is lost: entries of the last term may still be committed by others and then answer
   * their writes, but not for long, so that callers with a key can ask the next leader.
   */
  leadershipLost(graceMs: number): void {
    const latest = performance.now() + graceMs;
    for (const waiting of this.#byRequest.values()) {
      if (waiting.deadline > latest) waiting.deadline = latest;
    }
  }

  /** A snapshot replaced everything up to `index`: what waited there is unknown. */
  skippedTo(index: number): void {
    for (const waiting of this.#byIndex.values()) {
      if (waiting.index <= index) this.#fail(waiting, unknown(waiting, "the log was replaced"));
    }
  }

  /** Nothing will be answered any more. */
  failAll(reason: string): void {
    for (const waiting of this.#byRequest.values()) this.#fail(waiting, unknown(waiting, reason));
  }

  #fail(waiting: Waiting, error: KinglyError): void {
    this.#forget(waiting);
    waiting.reject(error);
  }

  #forget(waiting: Waiting): void {
    this.#byRequest.delete(waiting.requestId);
    this.#byData.delete(waiting.data);
    if (this.#byIndex.get(waiting.index) === waiting) this.#byIndex.delete(waiting.index);
  }
}

function unknown(waiting: Waiting, reason: string): KinglyError {
  const key = waiting.idempotencyKey;
  return new KinglyError(
    "Indeterminate",
    `${reason} before the write was known to be committed or lost`,
    {
      reason,
      ...(key === undefined ? {} : { idempotencyKey: key }),
      help: "repeat the write with the same idempotency key, or read to find out",
    },
  );
}
