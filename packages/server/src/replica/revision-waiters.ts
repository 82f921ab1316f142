// Calls that wait until this server's state has reached a revision.
import { KinglyError } from "@kingly/base";
import { RETRY_AFTER_MS, REVISION_WAITERS_MAX } from "../limits.ts";

interface Waiter {
  readonly revision: number;
  readonly finish: (error?: KinglyError) => void;
}

/** Waiters by revision. */
export class RevisionWaiters {
  readonly #waiters = new Set<Waiter>();

  /** Resolves at `revision`; RevisionTooLarge after `deadlineMs`. */
  wait(revision: number, deadlineMs: number, present: number): Promise<void> {
    if (this.#waiters.size >= REVISION_WAITERS_MAX) {
      const details = { limit: REVISION_WAITERS_MAX, retryAfterMs: RETRY_AFTER_MS };
      return Promise.reject(new KinglyError("Overloaded", "too many calls wait", details));
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiter.finish(
          new KinglyError(
            "RevisionTooLarge",
            `revision ${revision} is newer than this server's state`,
            { field: "resourceVersion", limit: present, value: revision, retryAfterMs: 1_000 },
          ),
        );
      }, deadlineMs);
      const waiter: Waiter = {
        revision,
        finish: (error) => {
          clearTimeout(timer);
          this.#waiters.delete(waiter);
          if (error === undefined) resolve();
          else reject(error);
        },
      };
      this.#waiters.add(waiter);
    });
  }

  /** The state is at `revision` now. */
  reached(revision: number): void {
    for (const waiter of this.#waiters) if (waiter.revision <= revision) waiter.finish();
  }

  failAll(error: KinglyError): void {
    for (const waiter of this.#waiters) waiter.finish(error);
  }
}
