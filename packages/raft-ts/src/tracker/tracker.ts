// The active configuration together with the Progress of every member, and the votes of the current
// election. All visits go in ascending order of ids, so that output is deterministic.
import type { LogIndex, NodeId } from "../ids.ts";
import { logIndex, compareIds } from "../ids.ts";
import type { ConfState } from "../types.ts";
import { formatMajority } from "../quorum/majority.ts";
import type { MajorityConfig, VoteResult } from "../quorum/majority.ts";
import { formatJoint, jointCommitted, jointVote } from "../quorum/joint.ts";
import type { JointConfig } from "../quorum/joint.ts";
import { CatchUp } from "./catch-up.ts";
import type { CatchUpLimits } from "./catch-up.ts";
import { Inflights } from "./inflights.ts";
import { Progress } from "./progress.ts";

/** A membership. Learners and voters do not overlap. */
export interface TrackerConfig {
  readonly voters: JointConfig;
  readonly learners: MajorityConfig;
  /** Outgoing voters that become learners when the joint configuration is left. */
  readonly learnersNext: MajorityConfig;
  readonly autoLeave: boolean;
}

/** Progress of every member. */
export type ProgressMap = ReadonlyMap<NodeId, Progress>;

/** Bounds of what is kept per member. */
export interface TrackerLimits {
  /** Append messages in flight. */
  readonly messages: number;
  /** Payload bytes in flight. */
  readonly bytes: number;
  readonly catchUp: CatchUpLimits;
}

/** A configuration with nobody in it. */
export const EMPTY_CONFIG: TrackerConfig = Object.freeze({
  voters: { incoming: [], outgoing: [] },
  learners: [],
  learnersNext: [],
  autoLeave: false,
});

/** Outcome of an election so far. */
export interface Tally {
  readonly granted: number;
  readonly rejected: number;
  readonly result: VoteResult;
}

/** Configuration, Progress and votes. */
export class ProgressTracker {
  readonly limits: TrackerLimits;
  #config: TrackerConfig = EMPTY_CONFIG;
  #progress: ProgressMap = new Map();
  #ids: readonly NodeId[] = [];
  #votes = new Map<NodeId, boolean>();
  #configId = 0 as LogIndex;

  constructor(limits: TrackerLimits) {
    this.limits = limits;
  }

  get config(): TrackerConfig {
    return this.#config;
  }

  get progressMap(): ProgressMap {
    return this.#progress;
  }

  /** Members (voters and learners), ascending. */
  get ids(): readonly NodeId[] {
    return this.#ids;
  }

  /** Log index of the change that made the configuration; 0 = the first one, or unknown. */
  get configId(): LogIndex {
    return this.#configId;
  }

  /** Installs a configuration, made by the change at `configId`, and its Progress. */
  install(config: TrackerConfig, progress: ProgressMap, configId: LogIndex): void {
    this.#config = config;
    this.#configId = configId;
    this.#progress = progress;
    this.#ids = [...progress.keys()].sort(compareIds);
  }

  /** Progress of a member, undefined for anybody else. */
  get(id: NodeId): Progress | undefined {
    return this.#progress.get(id);
  }

  /** Starts every Progress anew at the beginning of a term; learners stay learners. */
  resetProgress(self: NodeId, lastIndex: LogIndex): void {
    const fresh = new Map<NodeId, Progress>();
    for (const id of this.#ids) {
      fresh.set(
        id,
        new Progress({
          match: id === self ? lastIndex : (0 as LogIndex),
          next: logIndex(lastIndex + 1),
          isLearner: this.#progress.get(id)?.isLearner ?? false,
          recentActive: false,
          inflights: this.newInflights(),
          catchUp: this.newCatchUp(),
        }),
      );
    }
    this.#progress = fresh;
  }

  /** An empty window with this tracker's limits. */
  newInflights(): Inflights {
    return new Inflights(this.limits.messages, this.limits.bytes);
  }

  /** Rounds of catch-up that have not begun. */
  newCatchUp(): CatchUp {
    return new CatchUp(this.limits.catchUp);
  }

  /** The single voter decides alone. */
  get isSingleton(): boolean {
    const { incoming, outgoing } = this.#config.voters;
    return incoming.length === 1 && outgoing.length === 0;
  }

  /** Highest index stored by a quorum of voters. */
  committed(): number {
    return jointCommitted(this.#config.voters, (id) => this.#progress.get(id)?.match);
  }

  /** True if a quorum of voters was heard of since the last check. */
  quorumActive(): boolean {
    const active = new Map<NodeId, boolean>();
    for (const [id, pr] of this.#progress) if (!pr.isLearner) active.set(id, pr.recentActive);
    return jointVote(this.#config.voters, active) === "won";
  }

  /** Forgets the votes of the last election. */
  resetVotes(): void {
    this.#votes = new Map();
  }

  /** Records a vote; the first answer of a node counts. */
  recordVote(id: NodeId, granted: boolean): void {
    if (!this.#votes.has(id)) this.#votes.set(id, granted);
  }

  /** True once this node's vote was recorded as granted. */
  hasGranted(id: NodeId): boolean {
    return this.#votes.get(id) === true;
  }

  /** Counts the votes. Votes of learners and strangers are shown nowhere and decide nothing. */
  tally(): Tally {
    let granted = 0;
    let rejected = 0;
    for (const [id, pr] of this.#progress) {
      const vote = pr.isLearner ? undefined : this.#votes.get(id);
      if (vote === true) granted++;
      else if (vote === false) rejected++;
    }
    return { granted, rejected, result: jointVote(this.#config.voters, this.#votes) };
  }

  /** The configuration in the form that snapshots store. */
  confState(): ConfState {
    return toConfState(this.#config, this.#configId);
  }
}

/** A configuration in the form that snapshots store. */
export function toConfState(config: TrackerConfig, configId: LogIndex): ConfState {
  const state: ConfState = {
    voters: config.voters.incoming,
    learners: config.learners,
    votersOutgoing: config.voters.outgoing,
    learnersNext: config.learnersNext,
    autoLeave: config.autoLeave,
  };
  return configId === 0 ? state : { ...state, configId };
}

/** "voters=(1 2 3)&&(1 2) learners=(4) learners_next=(2) autoleave". */
export function formatConfig(config: TrackerConfig): string {
  let text = `voters=${formatJoint(config.voters)}`;
  if (config.learners.length > 0) text += ` learners=${formatMajority(config.learners)}`;
  if (config.learnersNext.length > 0) {
    text += ` learners_next=${formatMajority(config.learnersNext)}`;
  }
  return config.autoLeave ? `${text} autoleave` : text;
}
