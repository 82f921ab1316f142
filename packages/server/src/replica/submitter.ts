// The way of a write: find the leader, admit there, propose, wait for apply. Retries are made here
// only where nothing can have been written, or where an idempotency key makes a repetition safe.
//
// Time: the leader stamps with its own clock, never behind the state's. (The design's rule that a
// leader hands over when its clock leaves a quorum's median is not part of this release.)
import { randomBytes } from "node:crypto";
import { KinglyError, assert, toHex } from "@kingly/base";
import type { Clock } from "@kingly/base";
import { encodeCommand } from "@kingly/decision";
import type { ApplyResult, StateMachine } from "@kingly/decision";
import type { Admission } from "../admission/admit.ts";
import { ADMISSION_ATTEMPTS_MAX, PENDING_WRITES_MAX, RETRY_AFTER_MS } from "../limits.ts";
import { droppedError } from "../raft/driver.ts";
import type { RaftDriver } from "../raft/driver.ts";
import type { PendingWrites } from "../raft/pending.ts";
import type { Transport } from "../transport/types.ts";
import type { LeaderWatch } from "./leader-watch.ts";
import type { Actor, SubmitResult, WriteRequest } from "./replica.ts";

const PAUSE_MS = 20;

/** What a submitter works with. */
export interface SubmitterPorts {
  readonly memberId: string;
  readonly clock: Clock;
  readonly admission: Admission;
  readonly pending: PendingWrites;
  readonly leaders: LeaderWatch;
  readonly transport: Transport;
  readonly driver: RaftDriver;
  state(): StateMachine;
  isStopped(): boolean;
}

/** What the leader adds to a write. */
export interface LeadOptions {
  readonly deadlineMs: number;
  /** 32 bytes for trial-start. */
  readonly entropy?: Uint8Array;
}

/** Submits writes from this server. */
export class Submitter {
  readonly #ports: SubmitterPorts;
  readonly #boot = toHex(randomBytes(6));
  #counter = 0;
  #lastStampMs = 0;

  constructor(ports: SubmitterPorts) {
    this.#ports = ports;
  }

  /** Submits on the leader, wherever it is. */
  async submit(request: WriteRequest, actor: Actor, deadlineMs: number): Promise<SubmitResult> {
    const { admission, leaders } = this.#ports;
    if (request.dryRun === true) {
      const state = this.#ports.state();
      const { object } = admission.admit(state, request);
      return { value: object, revision: state.meta().revision };
    }
    const deadline = performance.now() + deadlineMs;
    for (;;) {
      if (this.#ports.isStopped()) throw new KinglyError("Unavailable", "the server is stopping");
      const left = deadline - performance.now();
      const known = await leaders.waitFor((watch) => watch.leader !== undefined, left);
      const { leader } = leaders;
      if (!known || leader === undefined) {
        throw noLeader();
      }
      try {
        const rest = Math.max(1, deadline - performance.now());
        if (leaders.leads) return await this.lead(request, actor, { deadlineMs: rest });
        return await this.#ports.transport.forward(leader.id, request, actor, rest);
      } catch (error) {
        if (!isRepeatable(error, request)) throw error;
        if (deadline - performance.now() < 2 * PAUSE_MS) throw lastWord(error, leaders);
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  /** Submits on this server, which must lead: NotLeader otherwise. */
  async lead(request: WriteRequest, actor: Actor, options: LeadOptions): Promise<SubmitResult> {
    const deadline = performance.now() + options.deadlineMs;
    for (let attempt = 1; ; attempt += 1) {
      const { outcome, lastRevision } = await this.#attempt(request, actor, {
        ...options,
        deadlineMs: Math.max(1, deadline - performance.now()),
      });
      if (outcome.ok) return { value: outcome.value, revision: lastRevision };
      const again = outcome.code === "Retry" && attempt < ADMISSION_ATTEMPTS_MAX;
      if (!again) throw new KinglyError(outcome.code, outcome.message, outcome.details);
    }
  }

  async #attempt(request: WriteRequest, actor: Actor, options: LeadOptions): Promise<ApplyResult> {
    const { pending, driver, leaders, admission } = this.#ports;
    if (!leaders.leads) {
      const hint = leaders.leader?.address;
      throw new KinglyError("NotLeader", "this server does not lead", {
        retryAfterMs: RETRY_AFTER_MS,
        ...(hint === undefined ? {} : { leaderHint: hint }),
      });
    }
    if (pending.size >= PENDING_WRITES_MAX) {
      throw new KinglyError("Overloaded", "too many writes are waiting", {
        limit: PENDING_WRITES_MAX,
        value: pending.size,
        retryAfterMs: RETRY_AFTER_MS,
      });
    }
    const admitted = admission.admit(this.#ports.state(), request);
    this.#counter += 1;
    const requestId = `${this.#ports.memberId}-${this.#boot}-${this.#counter.toString(36)}`;
    const { name, method, server } = actor;
    const { idempotencyKey } = request;
    const data = encodeCommand({
      type: request.command,
      body: admitted.body,
      actor: { name, method, server },
      timeMs: this.#stamp(),
      readSet: admitted.readSet,
      requestId,
      signature: request.signature,
      entropy: options.entropy,
      idempotencyKey,
      isAdmitted: admitted.isAdmitted,
    });
    const { deadlineMs } = options;
    const applied = pending.add({ requestId, data, idempotencyKey, deadlineMs });
    driver.propose({
      data,
      dropped: (reason) => pending.dropped(requestId, droppedError(reason, RETRY_AFTER_MS)),
    });
    return applied;
  }

  /** The leader's clock, whole milliseconds, never behind what was stamped or applied before. */
  #stamp(): number {
    const now = Math.floor(this.#ports.clock.nowMs());
    const stamp = Math.max(now, this.#lastStampMs, this.#ports.state().meta().timeMs);
    assert(Number.isSafeInteger(stamp), "time stamps are whole milliseconds");
    this.#lastStampMs = stamp;
    return stamp;
  }
}

function noLeader(cause?: unknown): KinglyError {
  const details = { retryAfterMs: RETRY_AFTER_MS };
  return new KinglyError("NoLeader", "the cluster has no leader at present", details, { cause });
}

/** What a caller hears when time is up: that a server did not lead tells it nothing. */
function lastWord(error: unknown, leaders: LeaderWatch): unknown {
  const isNotLeader = error instanceof KinglyError && error.code === "NotLeader";
  return isNotLeader && !leaders.leads ? noLeader(error) : error;
}

/** True when repeating cannot write twice: certainly nothing was written, or a key protects. */
function isRepeatable(error: unknown, request: WriteRequest): boolean {
  if (!(error instanceof KinglyError)) return false;
  if (error.code === "Indeterminate") return request.idempotencyKey !== undefined;
  return ["NotLeader", "NoLeader", "Unavailable"].includes(error.code);
}
