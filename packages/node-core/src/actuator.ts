// One lane per target: at most one apply in flight, level-triggered towards the content that is
// wanted. Whoever wants another content just says so; an apply whose reason is not on disk yet waits
// for the write. A revert never waits for the disk.

import type { Context } from "./context.ts";
import { APPLY_RETRY_MAX_MS, APPLY_RETRY_MS, APPLY_TIMEOUT_MS } from "./limits.ts";
import type { ApplyReason, Content } from "./types.ts";

interface Wish {
  readonly content: Content;
  readonly why: ApplyReason;
  /** Sequence number that must be on disk first; 0 = none. */
  readonly seq: number;
}

interface Lane {
  wish: Wish | null;
  /** Hash that runs; "" = not known. */
  running: string;
  inFlight: { readonly token: number; readonly hash: string; readonly sinceMs: number } | null;
  /** When the last apply was asked for, and when the last one ended well. */
  askedAtMs: number;
  appliedAtMs: number;
  failures: number;
  failedHash: string;
  message: string;
  retryAtMs: number;
}

/** Why a content does not run. */
export interface ApplyFailure {
  readonly attempts: number;
  readonly message: string;
}

/** All lanes of a node. */
export class Actuator {
  readonly #context: Context;
  readonly #lanes = new Map<string, Lane>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** Wants a content on a target from now on. `seq` must be on disk before it is applied. */
  want(target: string, content: Content, why: ApplyReason, seq = 0): void {
    const lane = this.#lane(target);
    const same = lane.wish?.content.hash === content.hash;
    lane.wish = {
      content,
      why,
      seq: same && lane.wish !== null ? Math.min(lane.wish.seq, seq) : seq,
    };
    if (!same) {
      lane.failures = 0;
      lane.failedHash = "";
      lane.retryAtMs = 0;
    }
    this.#drive(target, lane);
  }

  /** Nothing is wanted any more; an apply in flight ends as it ends. */
  release(target: string): void {
    this.#lane(target).wish = null;
  }

  /** True when this content runs and nothing else is on its way. */
  isRunning(target: string, hash: string): boolean {
    const lane = this.#lane(target);
    return lane.running === hash && lane.inFlight === null;
  }

  /** Whether an apply of this content was handed out, or it runs already. */
  hasBegun(target: string, hash: string): boolean {
    const lane = this.#lane(target);
    return lane.inFlight === null ? lane.running === hash : lane.inFlight.hash === hash;
  }

  /** Hash that runs or is being applied; "" = unknown. */
  current(target: string): string {
    const lane = this.#lane(target);
    return lane.inFlight?.hash ?? lane.running;
  }

  /** When the last apply of the target was handed out; 0 = never in this start. */
  askedAtMs(target: string): number {
    return this.#lane(target).askedAtMs;
  }

  /** When the content that runs was applied; 0 = not in this start. */
  appliedAtMs(target: string): number {
    return this.#lane(target).appliedAtMs;
  }

  /** The failure of this content's latest attempts, or undefined. */
  failure(target: string, hash: string): ApplyFailure | undefined {
    const lane = this.#lane(target);
    if (lane.failedHash !== hash || lane.failures === 0) return undefined;
    return { attempts: lane.failures, message: lane.message };
  }

  /** A content that was read from the target: it runs, without an apply of ours. */
  assume(target: string, hash: string): void {
    const lane = this.#lane(target);
    if (lane.running === "" && lane.inFlight === null) lane.running = hash;
  }

  /** What runs is no longer known (somebody edited it); the next want applies again. */
  forget(target: string): void {
    this.#lane(target).running = "";
  }

  /** True when no apply is in flight and every wish is fulfilled. */
  get settled(): boolean {
    for (const lane of this.#lanes.values()) {
      if (lane.inFlight !== null) return false;
      if (lane.wish !== null && lane.wish.content.hash !== lane.running) return false;
    }
    return true;
  }

  onDone(token: number): void {
    const found = this.#find(token);
    if (found === undefined) return;
    const [target, lane] = found;
    lane.running = lane.inFlight?.hash ?? "";
    lane.inFlight = null;
    lane.appliedAtMs = this.#context.nowMs;
    lane.failures = 0;
    lane.failedHash = "";
    this.#drive(target, lane);
  }

  onFailed(token: number, message: string): void {
    const found = this.#find(token);
    if (found === undefined) return;
    this.#fail(found[0], found[1], message);
  }

  /** Hands out whatever may go now. */
  step(): void {
    for (const target of [...this.#lanes.keys()].sort()) {
      const lane = this.#lane(target);
      if (lane.inFlight !== null) {
        const lateMs = lane.inFlight.sinceMs + APPLY_TIMEOUT_MS;
        if (this.#context.nowMs >= lateMs) {
          this.#fail(target, lane, `no answer to apply within ${APPLY_TIMEOUT_MS} ms`);
        } else this.#context.wakeAt(lateMs);
      }
      this.#drive(target, lane);
    }
  }

  #fail(target: string, lane: Lane, message: string): void {
    const hash = lane.inFlight?.hash ?? "";
    lane.inFlight = null;
    // A failed apply leaves the target in an unknown state: whatever is wanted is applied again.
    lane.running = "";
    lane.failures = lane.failedHash === hash ? lane.failures + 1 : 1;
    lane.failedHash = hash;
    lane.message = message;
    const doublings = Math.min(lane.failures - 1, 10);
    const waitMs = Math.min(APPLY_RETRY_MAX_MS, APPLY_RETRY_MS * (1 << doublings));
    lane.retryAtMs = this.#context.nowMs + waitMs;
    this.#context.log("warn", "ApplyFailed", `${target}: ${message}`, {
      target,
      hash,
      attempts: lane.failures,
    });
    this.#drive(target, lane);
  }

  #drive(target: string, lane: Lane): void {
    const { wish } = lane;
    if (wish === null || lane.inFlight !== null || wish.content.hash === lane.running) return;
    if (wish.seq > this.#context.durableSeq) return;
    const { nowMs } = this.#context;
    if (lane.failedHash === wish.content.hash && nowMs < lane.retryAtMs) {
      this.#context.wakeAt(lane.retryAtMs);
      return;
    }
    const token = this.#context.nextToken();
    lane.inFlight = { token, hash: wish.content.hash, sinceMs: nowMs };
    lane.askedAtMs = nowMs;
    this.#context.wakeAt(nowMs + APPLY_TIMEOUT_MS);
    this.#context.emit({ type: "apply", token, target, content: wish.content, why: wish.why });
  }

  #find(token: number): readonly [string, Lane] | undefined {
    for (const [target, lane] of this.#lanes) {
      if (lane.inFlight?.token === token) return [target, lane];
    }
    return undefined;
  }

  #lane(target: string): Lane {
    const known = this.#lanes.get(target);
    if (known !== undefined) return known;
    const lane: Lane = {
      wish: null,
      running: "",
      inFlight: null,
      askedAtMs: 0,
      appliedAtMs: 0,
      failures: 0,
      failedHash: "",
      message: "",
      retryAtMs: 0,
    };
    this.#lanes.set(target, lane);
    return lane;
  }
}
