// Durability of every acknowledged write, checked at the end: each server of the healed cluster has
// applied past the entry, and the state it holds still knows the request.

import { Violation } from "../engine/violation.ts";
import type { ExactlyOnce } from "./exactly-once.ts";

/** The final state of one server. */
export interface FinalState {
  readonly id: number;
  readonly appliedIndex: number;
  /** Does the state know of this request, or of a later one of the same client? */
  readonly remembers: (key: string) => boolean;
}

/** Every acknowledged write must be in every final state. */
export function checkDurability(requests: ExactlyOnce, finals: readonly FinalState[]): void {
  for (const [key, index] of requests.acknowledgedEffects()) {
    for (const state of finals) {
      if (state.appliedIndex >= index && state.remembers(key)) continue;
      throw new Violation(
        "acknowledged-durable",
        `server ${state.id} (applied ${state.appliedIndex}) lost request ${key}, which was ` +
          `acknowledged after it took effect at index ${index}`,
      );
    }
  }
}
