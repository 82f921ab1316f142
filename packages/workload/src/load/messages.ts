// What main thread and load thread say to each other, besides the counters in shared memory.
import type { ProfileName } from "./profiles.ts";

/** What the starter hands to the load thread. */
export interface LoadInput {
  readonly profile: ProfileName;
  /** Seed of texts and arrival times. */
  readonly seed: number;
  /** Base URL the load goes to, http only. */
  readonly target: string;
  /** The memory of LoadStats. */
  readonly stats: SharedArrayBuffer;
}

/** To the load thread: send these bursts and answer `LoadReply`, or start the scheduled load. */
export type LoadOrder =
  | {
      readonly kind: "warm";
      readonly target: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly sizes: readonly number[];
    }
  | { readonly kind: "start" };

/** From the load thread, once per "warm". */
export interface LoadReply {
  readonly failures: number;
}
