// One switch per open store: the first failed write or sync trips it, and from then on every call
// fails with that first cause. Nothing is retried: after a failed fsync the kernel may have dropped
// the dirty pages and report success the next time (Rebello et al., ATC 2020).

import type { KinglyError } from "@kingly/base";
import { halted } from "./errors.ts";

/** Shared by log, objects and files of one store. */
export class HaltSwitch {
  #cause: KinglyError | undefined;

  /** The first failure, or undefined while the store works. */
  get cause(): KinglyError | undefined {
    return this.#cause;
  }

  /** Records the first failure; later ones are consequences. Returns the first. */
  trip(cause: KinglyError): KinglyError {
    this.#cause ??= cause;
    return this.#cause;
  }

  /** Throws the first failure if there was one. */
  check(): void {
    if (this.#cause !== undefined) throw halted(this.#cause);
  }
}
