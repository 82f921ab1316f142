// Who leads, as far as this server knows, and waiting for that to change.
import type { Member } from "../transport/types.ts";

/** Knowledge of the present leader. */
export class LeaderWatch {
  #leader: Member | undefined;
  #leads = false;
  #waiting = new Set<() => void>();

  /** The leader; undefined when none is known. */
  get leader(): Member | undefined {
    return this.#leader;
  }

  /** Raft id of the leader, 0 when none is known. */
  get leaderId(): number {
    return this.#leader?.raftId ?? 0;
  }

  /** True when this server leads. */
  get leads(): boolean {
    return this.#leads;
  }

  changed(leader: Member | undefined, leads: boolean): void {
    this.#leader = leader;
    this.#leads = leads;
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }

  /** Resolves true once the condition holds, false after `deadlineMs` or when the server stops. */
  waitFor(condition: (watch: LeaderWatch) => boolean, deadlineMs: number): Promise<boolean> {
    if (condition(this)) return Promise.resolve(true);
    return new Promise((resolve) => {
      const finish = (result: boolean): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve(result);
      };
      const wake = (): void => {
        if (this.#stopped) finish(false);
        else if (condition(this)) finish(true);
      };
      const timer = setTimeout(() => finish(condition(this)), Math.max(0, deadlineMs));
      this.#waiting.add(wake);
    });
  }

  #stopped = false;

  /** Nothing will change any more. */
  stop(): void {
    this.#stopped = true;
    this.#leads = false;
    this.#leader = undefined;
    this.#wake();
  }
}
