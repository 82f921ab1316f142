// What the core reports of its inner life: one structured event per noteworthy step. The core never
// logs text; log lines, metrics and test transcripts are rendered from these events (trace-render.ts
// holds one rendering). Events are only built when a sink is configured.
import type { ConfChange } from "./confchange/types.ts";
import type { LogIndex, NodeId, Term } from "./ids.ts";
import type { MessageType } from "./messages.ts";
import type { ConfState, DropReason, RaftState } from "./types.ts";

/** The end of a log: what votes are compared by. */
export interface LogEnd {
  readonly lastTerm: Term;
  readonly lastIndex: LogIndex;
}

/** A position in a log. */
export interface Position {
  readonly index: LogIndex;
  readonly term: Term;
}

/** One vote request as the voter saw it. */
export interface VoteView extends LogEnd {
  readonly id: NodeId;
  /** Voter's term and current vote. */
  readonly term: Term;
  readonly vote: NodeId;
  readonly request: MessageType;
  readonly from: NodeId;
  /** Candidate's log end. */
  readonly candidate: Position;
}

/** Events of starting up, terms, roles and elections. */
export type ElectionEvent =
  | ({
      readonly kind: "started";
      readonly id: NodeId;
      readonly voters: readonly NodeId[];
      readonly term: Term;
      readonly commit: LogIndex;
      readonly applied: LogIndex;
    } & LogEnd)
  | { readonly kind: "became"; readonly id: NodeId; readonly state: RaftState; readonly term: Term }
  | { readonly kind: "election-started"; readonly id: NodeId; readonly term: Term }
  | { readonly kind: "election-unpromotable"; readonly id: NodeId }
  | { readonly kind: "election-conf-pending"; readonly id: NodeId; readonly term: Term }
  | { readonly kind: "election-already-leader"; readonly id: NodeId }
  | ({
      readonly kind: "vote-requested";
      readonly id: NodeId;
      readonly request: MessageType;
      readonly to: NodeId;
      readonly term: Term;
    } & LogEnd)
  | {
      readonly kind: "vote-answered";
      readonly id: NodeId;
      readonly answer: MessageType;
      readonly from: NodeId;
      readonly term: Term;
      readonly granted: boolean;
    }
  | {
      readonly kind: "votes-counted";
      readonly id: NodeId;
      readonly answer: MessageType;
      readonly granted: number;
      readonly rejected: number;
    }
  | ({ readonly kind: "vote-decided"; readonly granted: boolean } & VoteView)
  | ({ readonly kind: "vote-ignored-in-lease"; readonly remainingTicks: number } & VoteView)
  | {
      readonly kind: "higher-term" | "lower-term-ignored" | "stale-append-done";
      readonly id: NodeId;
      readonly term: Term;
      readonly type: MessageType;
      readonly from: NodeId;
      readonly messageTerm: Term;
    }
  | { readonly kind: "quorum-lost"; readonly id: NodeId }
  | {
      readonly kind: "leader-forgotten";
      readonly id: NodeId;
      readonly lead: NodeId;
      readonly term: Term;
    }
  | { readonly kind: "forget-refused-lease"; readonly id: NodeId }
  | {
      readonly kind: "timeout-now";
      readonly id: NodeId;
      readonly term: Term;
      readonly state: RaftState;
      readonly from: NodeId;
    };

/** Events of replication between a leader and one peer. */
export type ReplicationEvent =
  | ({
      readonly kind: "append-rejected";
      readonly id: NodeId;
      /** Own term at the anchor, 0 if out of range. */
      readonly ownTerm: Term;
      readonly from: NodeId;
    } & Position)
  | {
      readonly kind: "rejection-received";
      readonly id: NodeId;
      readonly from: NodeId;
      readonly index: LogIndex;
      readonly hint: Position;
    }
  | {
      readonly kind:
        | "progress-decreased"
        | "replication-paused"
        | "snapshot-recovered"
        | "snapshot-succeeded"
        | "snapshot-failed"
        | "peer-unreachable"
        | "peer-restarted";
      readonly id: NodeId;
      readonly peer: NodeId;
      readonly progress: string;
    }
  | {
      /** A learner keeps up with this leader: it is fit to vote. */
      readonly kind: "learner-caught-up";
      readonly id: NodeId;
      readonly peer: NodeId;
      /** Rounds of catch-up it took, and ticks of the last one. */
      readonly rounds: number;
      readonly lastRoundTicks: number;
    }
  | {
      readonly kind: "snapshot-sent";
      readonly id: NodeId;
      readonly peer: NodeId;
      readonly firstIndex: LogIndex;
      readonly commit: LogIndex;
      readonly snapshot: Position;
      readonly progress: string;
    }
  | {
      readonly kind: "snapshot-peer-inactive" | "snapshot-unavailable" | "no-progress";
      readonly id: NodeId;
      readonly peer: NodeId;
    };

/** Events of the log and of snapshots on the receiving side. */
export type LogEvent =
  | {
      readonly kind: "conflict-found";
      readonly id: NodeId;
      readonly index: LogIndex;
      readonly existing: Term;
      readonly conflicting: Term;
    }
  | {
      readonly kind:
        "unstable-replaced" | "unstable-truncated" | "stable-missing" | "stable-is-snapshot";
      readonly id: NodeId;
      readonly index: LogIndex;
    }
  | {
      readonly kind: "stable-mismatch";
      readonly id: NodeId;
      readonly index: LogIndex;
      readonly term: Term;
      readonly unstableTerm: Term;
    }
  | {
      readonly kind: "restore-started";
      readonly id: NodeId;
      readonly snapshot: Position;
      readonly committed: LogIndex;
      readonly applied: LogIndex;
      readonly applying: LogIndex;
      readonly offset: LogIndex;
      readonly offsetInProgress: LogIndex;
      readonly unstableEntries: number;
    }
  | ({
      readonly kind: "restore-done" | "restore-fast-forwarded";
      readonly id: NodeId;
      readonly commit: LogIndex;
      readonly snapshot: Position;
    } & LogEnd)
  | {
      readonly kind: "snapshot-handled";
      readonly id: NodeId;
      readonly commit: LogIndex;
      readonly snapshot: Position;
      readonly restored: boolean;
    }
  | { readonly kind: "restore-refused-not-follower"; readonly id: NodeId }
  | {
      readonly kind: "restore-refused-not-member";
      readonly id: NodeId;
      readonly confState: ConfState;
    }
  | { readonly kind: "recovered"; readonly id: NodeId; readonly mark: Position };

/** Events of proposals, membership, transfers and reads. */
export type RequestEvent =
  | {
      readonly kind: "proposal-dropped";
      readonly id: NodeId;
      readonly reason: DropReason;
      readonly term: Term;
      readonly lead: NodeId;
      readonly transferee: NodeId;
    }
  | {
      readonly kind: "conf-change-ignored";
      readonly id: NodeId;
      readonly reason: DropReason;
      readonly change: ConfChange;
      readonly config: ConfState;
      readonly pendingIndex: LogIndex;
      readonly applied: LogIndex;
    }
  | {
      /** This leader proposed to make a learner a voter. */
      readonly kind: "learner-promoted";
      readonly id: NodeId;
      readonly peer: NodeId;
      readonly dropped: DropReason | undefined;
    }
  | {
      /** This leader's own log stands still. */
      readonly kind: "leader-disk-stalled";
      readonly id: NodeId;
      readonly match: LogIndex;
      readonly lastIndex: LogIndex;
      /** Who shall take over; 0 if nobody can. */
      readonly successor: NodeId;
      /** Handing over did not help before; it steps down. */
      readonly steppingDown: boolean;
    }
  | {
      /** This leader hands over to a better one. */
      readonly kind: "leader-preferred";
      readonly id: NodeId;
      readonly preferred: NodeId;
    }
  | { readonly kind: "config-switched"; readonly id: NodeId; readonly config: ConfState }
  | {
      readonly kind: "auto-leave";
      readonly id: NodeId;
      readonly config: ConfState;
      readonly dropped: DropReason | undefined;
    }
  | {
      readonly kind:
        | "transfer-to-learner"
        | "transfer-to-self"
        | "transfer-already-running"
        | "transfer-superseded"
        | "transfer-started"
        | "transfer-immediate"
        | "transfer-caught-up"
        | "transfer-no-leader";
      readonly id: NodeId;
      readonly term: Term;
      readonly transferee: NodeId;
    }
  | { readonly kind: "read-no-leader"; readonly id: NodeId; readonly term: Term }
  | {
      readonly kind: "read-answer-malformed";
      readonly id: NodeId;
      readonly from: NodeId;
      readonly entries: number;
    };

/** One step of the core worth telling. */
export type TraceEvent = ElectionEvent | ReplicationEvent | LogEvent | RequestEvent;

/** Name of an event. */
export type TraceKind = TraceEvent["kind"];

/** The event of a kind, also where one shape stands for several kinds. */
export type TraceEventOf<K extends TraceKind, E = TraceEvent> = E extends {
  readonly kind: infer EK;
}
  ? K extends EK
    ? E
    : never
  : never;

/** Where events go. Must not call back into the core. */
export type TraceSink = (event: TraceEvent) => void;
