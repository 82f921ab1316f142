// A look at a node from outside: for metrics, admission decisions and operators. Copies, so that the
// reader can keep them.
import type { LogIndex, NodeId, Term } from "./ids.ts";
import type { Raft } from "./raft.ts";
import type { Progress, ProgressState } from "./tracker/progress.ts";
import type { ConfState, RaftState } from "./types.ts";

/** Cheap part of the status. */
export interface BasicStatus {
  readonly id: NodeId;
  readonly term: Term;
  /** Whom it voted for in `term`; 0 = nobody. */
  readonly vote: NodeId;
  /** Highest index known to be committed. */
  readonly commit: LogIndex;
  /** Highest index the application has applied. */
  readonly applied: LogIndex;
  /** Leader of `term` as far as known; 0 = unknown. */
  readonly lead: NodeId;
  /** Role. */
  readonly state: RaftState;
  /** Target of the leadership transfer under way, 0 if none. */
  readonly leadTransferee: NodeId;
  /** The log has not yet reached RaftConfig.recoveryMark. */
  readonly recovering: boolean;
}

/** A learner on its way to become a voter (thesis section 4.2.1). */
export interface CatchUpStatus {
  /** Completed rounds. */
  readonly rounds: number;
  /** Ticks of the last completed round; undefined before the first. */
  readonly lastRoundTicks: number | undefined;
  /** It keeps up: promoting it will not make the group wait for it. */
  readonly ready: boolean;
}

/** One member as its leader sees it. */
export interface ProgressStatus {
  readonly id: NodeId;
  /** Highest index known to equal the leader's log. */
  readonly match: LogIndex;
  /** Next index to send. */
  readonly next: LogIndex;
  /** How the leader talks to it. */
  readonly state: ProgressState;
  /** It gets everything and has no vote. */
  readonly isLearner: boolean;
  /** It was heard of since the last quorum check. */
  readonly recentActive: boolean;
  /** No append may be sent now. */
  readonly paused: boolean;
  /** Index of the snapshot on its way; 0 = none. */
  readonly pendingSnapshot: LogIndex;
  /** Appends sent and not acknowledged. */
  readonly inflightMessages: number;
  /** Their payload bytes. */
  readonly inflightBytes: number;
  /** Payload bytes the member can take in flight, as it last said; NO_LIMIT if it did not. */
  readonly receiveWindow: number;
  /** Ticks since its last answer to this leader; undefined = none in this term. 0 for the leader. */
  readonly heardTicksAgo: number | undefined;
  /** How far a learner has caught up; undefined for voters. */
  readonly catchUp: CatchUpStatus | undefined;
  /** All of it in one line, as transcripts print it. */
  readonly text: string;
}

/** Everything there is to see. */
export interface Status extends BasicStatus {
  /** Last index of the log. */
  readonly lastIndex: LogIndex;
  /** First index not compacted away. */
  readonly firstIndex: LogIndex;
  /** Membership in force. */
  readonly confState: ConfState;
  /** Members in ascending order of ids; empty unless this node leads. */
  readonly progress: readonly ProgressStatus[];
}

/** The cheap part. */
export function basicStatusOf(raft: Raft): BasicStatus {
  return {
    id: raft.id,
    term: raft.term,
    vote: raft.vote,
    commit: raft.log.committed,
    applied: raft.log.applied,
    lead: raft.lead,
    state: raft.state,
    leadTransferee: raft.transferee,
    recovering: raft.recoveryMark !== undefined,
  };
}

function heardTicksAgo(raft: Raft, pr: Progress): number | undefined {
  if (raft.tracker.get(raft.id) === pr) return 0;
  return pr.heardTick === undefined ? undefined : raft.tickCount - pr.heardTick;
}

function catchUpOf(raft: Raft, pr: Progress): CatchUpStatus | undefined {
  if (!pr.isLearner) return undefined;
  const { rounds, lastRoundTicks } = pr.catchUp;
  return { rounds, lastRoundTicks, ready: pr.catchUp.isReady(raft.tickCount) };
}

/** Everything. */
export function statusOf(raft: Raft): Status {
  const progress: ProgressStatus[] = [];
  if (raft.state === "leader") {
    for (const id of raft.tracker.ids) {
      const pr = raft.tracker.get(id);
      if (pr === undefined) continue;
      progress.push({
        id,
        match: pr.match,
        next: pr.next,
        state: pr.state,
        isLearner: pr.isLearner,
        recentActive: pr.recentActive,
        paused: pr.paused,
        pendingSnapshot: pr.pendingSnapshot,
        inflightMessages: pr.inflights.count,
        inflightBytes: pr.inflights.bytes,
        receiveWindow: pr.inflights.receiveWindow,
        heardTicksAgo: heardTicksAgo(raft, pr),
        catchUp: catchUpOf(raft, pr),
        text: pr.toString(),
      });
    }
  }
  return {
    ...basicStatusOf(raft),
    lastIndex: raft.log.lastIndex(),
    firstIndex: raft.log.firstIndex(),
    confState: raft.tracker.confState(),
    progress,
  };
}
