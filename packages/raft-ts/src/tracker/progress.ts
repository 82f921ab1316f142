// What a leader knows of one follower, and the flow control that follows from it:
//
//   probe      one append per heartbeat until the point where the logs match is found
//   replicate  appends are sent ahead of acknowledgements, within the inflight window
//   snapshot   a snapshot is on its way; no appends until the follower answers
//
//   probe --append accepted--> replicate --rejected / unreachable--> probe
//   any --log compacted past next--> snapshot --acked / reported--> probe or replicate
//
// Invariant: 0 <= match < next. Paper section 5.3 (nextIndex, matchIndex).
import type { LogIndex } from "../ids.ts";
import { logIndex } from "../ids.ts";
import { NO_LIMIT } from "../limits.ts";
import type { CatchUp } from "./catch-up.ts";
import type { Inflights } from "./inflights.ts";

/** How the leader talks to a follower. */
export type ProgressState = "probe" | "replicate" | "snapshot";

/** What a Progress starts from. */
export interface ProgressInit {
  readonly match: LogIndex;
  readonly next: LogIndex;
  readonly isLearner: boolean;
  readonly recentActive: boolean;
  readonly inflights: Inflights;
  readonly catchUp: CatchUp;
}

/** Replication state of one follower, held by the leader. */
export class Progress {
  /** Highest index known to equal the leader's log. */
  match: LogIndex;
  /** Next index to send; everything in (match, next) is in flight. */
  next: LogIndex;
  state: ProgressState = "probe";
  /** Index of the snapshot under way in state "snapshot", else 0. */
  pendingSnapshot: LogIndex = 0 as LogIndex;
  /** Heard of since the last quorum check. */
  recentActive: boolean;
  /** No append until a heartbeat answer: a probe is out, or the window is full. */
  flowPaused = false;
  isLearner: boolean;
  readonly inflights: Inflights;
  /** Rounds of catch-up; only kept while the member is a learner. */
  readonly catchUp: CatchUp;
  /** Leader's tick at the last answer; undefined = none in this term. */
  heardTick: number | undefined;
  /** Highest commit index sent; saves messages that would only repeat it. */
  #sentCommit = 0;

  constructor(init: ProgressInit) {
    this.match = init.match;
    this.next = init.next;
    this.isLearner = init.isLearner;
    this.recentActive = init.recentActive;
    this.inflights = init.inflights;
    this.catchUp = init.catchUp;
  }

  /** A copy that shares inflight window and rounds; for trying configuration changes. */
  clone(): Progress {
    const copy = new Progress(this);
    copy.state = this.state;
    copy.pendingSnapshot = this.pendingSnapshot;
    copy.flowPaused = this.flowPaused;
    copy.heardTick = this.heardTick;
    copy.#sentCommit = this.#sentCommit;
    return copy;
  }

  /** Goes to "probe": from match+1, or after a snapshot that was delivered. */
  becomeProbe(): void {
    const afterSnapshot = this.state === "snapshot" ? this.pendingSnapshot : 0;
    this.#enter("probe");
    this.next = logIndex(Math.max(this.match, afterSnapshot) + 1);
    this.#sentCommit = Math.min(this.#sentCommit, this.next - 1);
  }

  /** Goes to "replicate", sending on from match+1. */
  becomeReplicate(): void {
    this.#enter("replicate");
    this.next = logIndex(this.match + 1);
  }

  /** Goes to "snapshot" for a snapshot at `index`. */
  becomeSnapshot(index: LogIndex): void {
    this.#enter("snapshot");
    this.pendingSnapshot = index;
    this.next = logIndex(index + 1);
    this.#sentCommit = index;
  }

  /** Records an answer of the member. */
  heard(tick: number): void {
    this.recentActive = true;
    this.heardTick = tick;
  }

  /** True if the member answered within the last `ticks` ticks. */
  heardWithin(ticks: number, now: number): boolean {
    return this.heardTick !== undefined && now - this.heardTick <= ticks;
  }

  #enter(state: ProgressState): void {
    this.flowPaused = false;
    this.pendingSnapshot = 0 as LogIndex;
    this.state = state;
    this.inflights.reset();
  }

  /** Records that `count` entries of `bytes` payload went out from `next` on. */
  sentEntries(count: number, bytes: number): void {
    if (this.state === "replicate") {
      if (count > 0) {
        this.next = logIndex(this.next + count);
        this.inflights.add(this.next - 1, bytes);
      }
      // A message that fills the window, or finds it full, is a probe: nothing follows it.
      this.flowPaused = this.inflights.full;
    } else if (this.state === "probe" && count > 0) {
      this.flowPaused = true;
    }
  }

  /** True if telling the follower this commit index could move its own. */
  canBumpCommit(index: number): boolean {
    return index > this.#sentCommit && this.#sentCommit < this.next - 1;
  }

  /** Records that the commit index was sent. */
  sentCommit(index: number): void {
    this.#sentCommit = index;
  }

  /** Takes an acknowledgement of everything up to `index`; false if it told nothing new. */
  maybeUpdate(index: LogIndex): boolean {
    if (index <= this.match) return false;
    this.match = index;
    this.next = logIndex(Math.max(this.next, index + 1));
    this.flowPaused = false;
    return true;
  }

  /**
   * Takes the rejection of the append anchored at `rejected`, with the follower's hint where to try
   * next. False if it is stale (reordered or duplicated) and nothing changed.
   */
  maybeDecreaseTo(rejected: LogIndex, matchHint: LogIndex): boolean {
    if (this.state === "replicate") {
      if (rejected <= this.match) return false;
      this.next = logIndex(this.match + 1);
      this.#sentCommit = Math.min(this.#sentCommit, this.next - 1);
      return true;
    }
    // Probes go out one at a time, so a genuine rejection is about next-1.
    if (this.next - 1 !== rejected) return false;
    this.next = logIndex(Math.max(Math.min(rejected, matchHint + 1), this.match + 1));
    this.#sentCommit = Math.min(this.#sentCommit, this.next - 1);
    this.flowPaused = false;
    return true;
  }

  /** True if no append may be sent now. */
  get paused(): boolean {
    return this.state === "snapshot" || this.flowPaused;
  }

  /** Forgets everything learnt of the follower, which restarted with an unknown log. */
  forget(next: LogIndex): void {
    this.match = 0 as LogIndex;
    this.#enter("probe");
    this.next = next;
    this.#sentCommit = 0;
    this.catchUp.reset();
    this.inflights.setReceiveWindow(NO_LIMIT);
  }

  /** "StateReplicate match=11 next=14 paused inflight=2[full]". */
  toString(): string {
    const names = { probe: "StateProbe", replicate: "StateReplicate", snapshot: "StateSnapshot" };
    let text = `${names[this.state]} match=${this.match} next=${this.next}`;
    if (this.isLearner) text += " learner";
    if (this.paused) text += " paused";
    if (this.pendingSnapshot > 0) text += ` pendingSnap=${this.pendingSnapshot}`;
    if (!this.recentActive) text += " inactive";
    if (this.inflights.count > 0) {
      text += ` inflight=${this.inflights.count}${this.inflights.full ? "[full]" : ""}`;
    }
    return text;
  }
}
