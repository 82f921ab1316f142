// Documents on their way to the servers: kept on disk, sent one at a time in the order written, again
// after a reconnect or a silence, until a server gave a final answer. The key makes a repetition
// harmless, so a document has its effect exactly once.

import type { Context } from "./context.ts";
import {
  OUTBOX_ENTRIES_MAX,
  SUBMISSION_RETRY_MAX_MS,
  SUBMISSION_RETRY_MS,
  SUBMISSION_TIMEOUT_MS,
} from "./limits.ts";
import type { OutboxEntry } from "./state.ts";

/** The answer to a submission. */
export interface SubmissionAnswer {
  readonly idempotencyKey: string;
  readonly code: string;
  readonly message: string;
  readonly retry: boolean;
}

/** The node's queue of signed documents. */
export class Outbox {
  readonly #context: Context;
  #sentKey = "";
  #sentAtMs = 0;
  #retryAtMs = 0;
  #retries = 0;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Appends a document; it is sent once it is on disk. A key that waits already is not doubled. */
  add(entry: OutboxEntry): void {
    const { outbox } = this.#context.state;
    if (outbox.some((other) => other.idempotencyKey === entry.idempotencyKey)) return;
    if (outbox.length >= OUTBOX_ENTRIES_MAX) this.#makeRoom();
    this.#context.state.outbox.push(entry);
    this.#context.touch();
  }

  /** A new connection: whatever was sent may be lost. */
  onConnected(): void {
    this.#sentKey = "";
    this.#retryAtMs = 0;
    this.#retries = 0;
  }

  /** Returns the entry that got its final answer, or null. */
  onResult(answer: SubmissionAnswer): OutboxEntry | null {
    const { state, nowMs } = this.#context;
    const at = state.outbox.findIndex((entry) => entry.idempotencyKey === answer.idempotencyKey);
    const entry = state.outbox[at];
    if (entry === undefined) return null;
    if (answer.retry) {
      this.#sentKey = "";
      const doublings = Math.min(this.#retries, 10);
      this.#retries += 1;
      const waitMs = Math.min(SUBMISSION_RETRY_MAX_MS, SUBMISSION_RETRY_MS * (1 << doublings));
      this.#retryAtMs = nowMs + waitMs;
      return null;
    }
    state.outbox.splice(at, 1);
    this.#sentKey = "";
    this.#retries = 0;
    this.#retryAtMs = 0;
    this.#context.touch();
    const { kind, idempotencyKey } = entry;
    const refused = answer.code !== "";
    this.#context.log(
      refused ? "warn" : "info",
      refused ? "DocumentRefused" : "DocumentDelivered",
      refused ? `${kind} refused: ${answer.code} ${answer.message}` : `${kind} delivered`,
      { kind, idempotencyKey, code: answer.code },
    );
    return entry;
  }

  /** Sends the head when it may go. */
  step(): void {
    const context = this.#context;
    const head = context.state.outbox[0];
    if (head === undefined || !context.connected || context.hasUnwritten) return;
    const { nowMs } = context;
    if (this.#sentKey === head.idempotencyKey) {
      const lateMs = this.#sentAtMs + SUBMISSION_TIMEOUT_MS;
      if (nowMs < lateMs) {
        context.wakeAt(lateMs);
        return;
      }
    }
    if (nowMs < this.#retryAtMs) {
      context.wakeAt(this.#retryAtMs);
      return;
    }
    this.#sentKey = head.idempotencyKey;
    this.#sentAtMs = nowMs;
    context.wakeAt(nowMs + SUBMISSION_TIMEOUT_MS);
    context.emit({ type: "send", message: { type: "submission", ...head } });
  }

  /** Votes and vetoes matter most: a full queue gives up the oldest of the rest first. */
  #makeRoom(): void {
    const { outbox } = this.#context.state;
    const least = outbox.findIndex((e) => e.kind === "Calibration" || e.kind === "Proposal");
    const [dropped] = outbox.splice(Math.max(0, least), 1);
    this.#context.log("error", "OutboxFull", `outbox holds ${OUTBOX_ENTRIES_MAX} documents`, {
      dropped: dropped?.idempotencyKey ?? "",
    });
  }
}
