// Is a learner fit to vote? Replication to it is cut into rounds: a round ends when the learner holds
// everything the leader had when the round began. Rounds get shorter as the learner gets closer; once
// the last of them were each shorter than an election timeout, it can become a voter without the group
// having to wait for it (thesis section 4.2.1).
//
//   leader's log  |-------- round 1 --------|---- 2 ----|-3-|4|
//   ticks                    40                  15       5  1     ready after promotionRounds quick ones
import type { LogIndex } from "../ids.ts";

/** What counts as quick enough. */
export interface CatchUpLimits {
  /** Consecutive quick rounds until the learner is ready; at least 1. */
  readonly rounds: number;
  /** Longest quick round, in ticks. */
  readonly roundTicks: number;
}

/** What a leader sees at the moment a learner answers. */
export interface CatchUpView {
  readonly match: LogIndex;
  readonly lastIndex: LogIndex;
  readonly tick: number;
}

/** Rounds of one learner under one leader. */
export class CatchUp {
  readonly #limits: CatchUpLimits;
  /** End of the round under way; undefined before the first answer. */
  #target: LogIndex | undefined;
  #startTick = 0;
  #rounds = 0;
  #quickRounds = 0;
  #lastRoundTicks: number | undefined;

  constructor(limits: CatchUpLimits) {
    this.#limits = limits;
  }

  /** Completed rounds. */
  get rounds(): number {
    return this.#rounds;
  }

  /** Length of the last completed round in ticks; undefined before the first. */
  get lastRoundTicks(): number | undefined {
    return this.#lastRoundTicks;
  }

  /** Takes an answer of the learner: ends the round if its goal is reached, and begins the next. */
  observe(view: CatchUpView): void {
    if (this.#target !== undefined) {
      if (view.match < this.#target) return;
      const ticks = view.tick - this.#startTick;
      this.#rounds++;
      this.#lastRoundTicks = ticks;
      this.#quickRounds = ticks <= this.#limits.roundTicks ? this.#quickRounds + 1 : 0;
    }
    this.#target = view.lastIndex;
    this.#startTick = view.tick;
  }

  /** True if the last rounds were quick and the one under way is not overdue. */
  isReady(tick: number): boolean {
    const { rounds, roundTicks } = this.#limits;
    return this.#quickRounds >= rounds && tick - this.#startTick <= roundTicks;
  }

  /** Starts anew: what the learner had is not there any more. */
  reset(): void {
    this.#target = undefined;
    this.#quickRounds = 0;
  }
}
