// The state of one node and its changes of role. What happens on which message is in step.ts and the
// step-*.ts files, replication in replicate.ts, membership in membership.ts; they all work on this
// state. Nothing here knows time, disk or network: input arrives by step and tick, output collects
// in `messages` (free to send) and `messagesAfterAppend` (only after what is unstable is durable).
//
//             timeout             votes won
//   follower ---------> candidate ---------> leader      (pre-candidate in between with preVote)
//      ^--- higher term / leader seen / quorum lost ---'
//
// Paper sections 5.1 and 5.2.
import { assertSameConfState, restoreMembership } from "./confchange/restore.ts";
import { validate } from "./config.ts";
import type { RaftConfig, ResolvedConfig } from "./config.ts";
import { InvalidConfigError, invariant } from "./errors.ts";
import type { LogIndex, NodeId, Term } from "./ids.ts";
import { NO_NODE, logIndex, term as makeTerm } from "./ids.ts";
import { jointIds } from "./quorum/joint.ts";
import type { Message, MessageInit, MessageType } from "./messages.ts";
import { addressedMessage } from "./messages.ts";
import { switchToConfig } from "./membership.ts";
import { RaftLog } from "./raft-log.ts";
import { ForwardedReads, ReadIndexQueue, encodeToken } from "./read-only.ts";
import type { ReadRequest } from "./read-only.ts";
import { ProgressTracker } from "./tracker/tracker.ts";
import type { Position, TraceSink } from "./trace.ts";
import type { HardState, RaftState, ReadState, SoftState } from "./types.ts";

/** Votes and acknowledgements: promises about durable state. */
const AFTER_APPEND: ReadonlySet<MessageType> = new Set<MessageType>([
  "MsgAppResp",
  "MsgVoteResp",
  "MsgPreVoteResp",
]);
/** Messages of elections, whose term is not always the sender's. */
const BRINGS_TERM: ReadonlySet<MessageType> = new Set<MessageType>([
  "MsgVote",
  "MsgVoteResp",
  "MsgPreVote",
  "MsgPreVoteResp",
]);
/** Requests of clients, valid in any term. */
const WITHOUT_TERM: ReadonlySet<MessageType> = new Set<MessageType>(["MsgProp", "MsgReadIndex"]);

const NO_STALL = Object.freeze({ match: 0 as LogIndex, sinceTick: 0, handedOver: false });
/** One whole election timeout in office before anything. */
const FIRST_PREFERENCE = Object.freeze({ waiting: 1, pause: 1 });

/** State of one node. Internal; RawNode is the public face. */
export class Raft {
  readonly id: NodeId;
  readonly config: ResolvedConfig;
  readonly trace: TraceSink | undefined;
  readonly log: RaftLog;
  readonly tracker: ProgressTracker;
  term: Term = 0 as Term;
  vote: NodeId = NO_NODE;
  state: RaftState = "follower";
  lead: NodeId = NO_NODE;
  /** This node is a learner in its own view. */
  isLearner = false;
  /** Messages that may leave at once. All go to other nodes. */
  messages: Message[] = [];
  /** Votes and acknowledgements: leave, or count for ourselves, only once all that is unstable now
   * is durable. */
  messagesAfterAppend: Message[] = [];
  readStates: ReadState[] = [];
  /** Target of the leadership transfer under way. */
  transferee: NodeId = NO_NODE;
  /** No configuration change may be proposed until this index is applied. */
  pendingConfIndex: LogIndex = 0 as LogIndex;
  /** Index of the first entry of this leader's term. */
  termStart: LogIndex = 0 as LogIndex;
  /** Payload bytes proposed in this term and not yet applied; never too high. */
  uncommittedBytes = 0;
  reads: ReadIndexQueue = new ReadIndexQueue();
  /** Reads were taken that no heartbeat has carried yet. */
  readRoundDue = false;
  /** Reads that wait for the first commit of this leader's term. */
  earlyReads: ReadRequest[] = [];
  readonly forwardedReads: ForwardedReads;
  /** Ticks since the last contact with a leader, or since the last quorum check of a leader. */
  electionElapsed = 0;
  heartbeatElapsed = 0;
  randomizedElectionTicks = 0;
  /** All ticks of this node; measures leases. */
  tickCount = 0;
  /** Until this tick no vote may depose a leader this node may have followed before a restart. */
  restartLeaseEndTick = 0;
  /** Leadership is proven up to this tick (lease-based reads only). */
  leaseEndTick = 0;
  /** A TimeoutNow went out in this term: voters may ignore the lease, so must we. */
  leaseRevoked = false;
  /** Highest own acknowledgement of this leader and when it came; tells a disk that stands still. */
  stall: { readonly match: LogIndex; readonly sinceTick: number; readonly handedOver: boolean } =
    NO_STALL;
  /** This leader gave up its office because of its disk; not promotable until that answers. */
  diskStalled = false;
  /** Election timeouts until this leader looks for a better one, and the pause after the last try. */
  preference: { readonly waiting: number; readonly pause: number } = FIRST_PREFERENCE;
  /** Bytes in flight this node can take as a follower; undefined = it never said. */
  receiveWindow: number | undefined;
  /** Durable end of log this node once had and lost; undefined once reached again. */
  recoveryMark: Position | undefined;

  constructor(input: RaftConfig) {
    const config = validate(input);
    this.config = config;
    this.id = config.id;
    this.trace = config.trace;
    this.recoveryMark = config.recoveryMark;
    this.forwardedReads = new ForwardedReads(config.random);
    this.log = new RaftLog({
      id: config.id,
      storage: config.storage,
      maxApplyingBytes: config.maxCommittedBytesPerReady,
      trace: config.trace,
    });
    this.tracker = new ProgressTracker({
      messages: config.maxInflightMessages,
      bytes: config.maxInflightBytes,
      catchUp: { rounds: config.promotionRounds, roundTicks: config.electionTicks },
    });
    const { hardState, confState } = config.storage.initialState();
    const membership = restoreMembership(this.tracker, this.log.lastIndex(), confState);
    const configId = confState.configId ?? (0 as LogIndex);
    assertSameConfState(confState, switchToConfig(this, membership, configId));
    this.#load(hardState);
    this.#setApplied(config.applied);
    this.becomeFollower(this.term, NO_NODE);
    this.clearReachedMark();
    this.#traceStart();
  }

  #traceStart(): void {
    const last = this.log.last();
    this.trace?.({
      kind: "started",
      id: this.id,
      voters: jointIds(this.tracker.config.voters),
      term: this.term,
      commit: this.log.committed,
      applied: this.log.applied,
      lastIndex: last.index,
      lastTerm: last.term,
    });
  }

  #load(state: HardState): void {
    if (state.term === 0 && state.vote === NO_NODE && state.commit === 0) return;
    const { log } = this;
    const lastIndex = log.lastIndex();
    // A node that lost the end of its log may be left with entries that a later leader had already
    // replaced: its stored commit index says nothing about those. What was applied is raised below;
    // the rest is learned again from appends, which check that they match.
    const commit = this.recoveryMark === undefined ? state.commit : log.committed;
    invariant(commit <= lastIndex, "stored commit is beyond the stored log", {
      commit,
      lastIndex,
    });
    // It may trail what was applied and compacted: a commit index alone is not synced.
    log.commitTo(commit);
    this.term = state.term;
    this.vote = state.vote;
    if (this.config.readOnlyOption === "lease-based") {
      this.restartLeaseEndTick = this.config.electionTicks;
    }
  }

  #setApplied(applied: LogIndex): void {
    if (applied === 0) return;
    const { log } = this;
    if (applied < log.applied || applied > log.lastIndex()) {
      const range = `from ${log.applied} (compacted) to ${log.lastIndex()} (last of the log)`;
      throw new InvalidConfigError("applied", range, applied);
    }
    // The commit index is stored apart from the applied state and may trail it after a crash; what
    // is applied was committed.
    log.commitTo(applied);
    log.appliedTo(applied, 0);
  }

  hardState(): HardState {
    return { term: this.term, vote: this.vote, commit: this.log.committed };
  }

  softState(): SoftState {
    return { lead: this.lead, state: this.state };
  }

  /**
   * Queues a message. Votes and acknowledgements wait for durability; everything else may leave at
   * once (thesis section 3.8). The term is filled in except where the message brings its own.
   */
  send(init: MessageInit): void {
    const from = init.from === undefined || init.from === NO_NODE ? this.id : init.from;
    const term = this.#termFor(init);
    if (AFTER_APPEND.has(init.type)) {
      const context = this.#announcedWindow(init) ?? init.context;
      this.messagesAfterAppend.push(addressedMessage(init, from, term, context));
      return;
    }
    invariant(init.to !== this.id, "message to oneself", { type: init.type });
    this.messages.push(addressedMessage(init, from, term, init.context));
  }

  /** Every acknowledgement to a leader says how much this node can take in flight, once it has a say. */
  #announcedWindow(init: MessageInit): Uint8Array | undefined {
    if (init.type !== "MsgAppResp" || init.to === this.id) return undefined;
    return this.receiveWindow === undefined ? undefined : encodeToken(this.receiveWindow);
  }

  #termFor(init: MessageInit): Term {
    if (BRINGS_TERM.has(init.type)) {
      invariant(init.term !== undefined && init.term > 0, "vote message without term");
      return init.term;
    }
    return WITHOUT_TERM.has(init.type) ? (0 as Term) : this.term;
  }

  /** Passes a message on to the leader; its origin stays, so that the answer goes there. */
  forwardToLeader(message: Message): void {
    this.send({ ...message, to: this.lead });
  }

  /** Becomes a follower in `term` of `lead` (0 = unknown). */
  becomeFollower(term: Term, lead: NodeId): void {
    this.#reset(term);
    this.lead = lead;
    this.state = "follower";
    this.#traceRole();
  }

  /** Starts a candidacy in the next term with a vote for itself. */
  becomeCandidate(): void {
    invariant(this.state !== "leader", "leader cannot become candidate");
    this.#reset(makeTerm(this.term + 1));
    this.vote = this.id;
    this.state = "candidate";
    this.#traceRole();
  }

  /** Starts asking whether a candidacy could win; changes neither term nor vote. */
  becomePreCandidate(): void {
    invariant(this.state !== "leader", "leader cannot become pre-candidate");
    this.tracker.resetVotes();
    this.lead = NO_NODE;
    this.state = "pre-candidate";
    this.#traceRole();
  }

  /** Takes over leadership of the current term; the caller appends the first entry. */
  becomeLeader(): void {
    invariant(this.state === "candidate", "only a candidate becomes leader", { state: this.state });
    this.#reset(this.term);
    this.lead = this.id;
    this.state = "leader";
    const own = this.tracker.get(this.id);
    invariant(own !== undefined, "leader without own progress");
    own.becomeReplicate();
    own.recentActive = true;
    // Whatever is in the log may hold a configuration change; wait until all of it is applied.
    this.pendingConfIndex = this.log.lastIndex();
    this.termStart = logIndex(this.log.lastIndex() + 1);
  }

  #traceRole(): void {
    this.trace?.({ kind: "became", id: this.id, state: this.state, term: this.term });
  }

  #reset(term: Term): void {
    if (this.term !== term) {
      invariant(term > this.term, "term must not go back", { from: this.term, to: term });
      this.term = term;
      this.vote = NO_NODE;
    }
    this.lead = NO_NODE;
    this.electionElapsed = 0;
    this.heartbeatElapsed = 0;
    const { electionTicks, random } = this.config;
    this.randomizedElectionTicks = electionTicks + random(electionTicks);
    this.transferee = NO_NODE;
    this.tracker.resetVotes();
    this.tracker.resetProgress(this.id, this.log.lastIndex());
    this.pendingConfIndex = 0 as LogIndex;
    this.uncommittedBytes = 0;
    this.reads = new ReadIndexQueue();
    this.readRoundDue = false;
    this.earlyReads = [];
    this.leaseEndTick = 0;
    this.leaseRevoked = false;
    this.stall = { ...NO_STALL, sinceTick: this.tickCount };
    this.preference = FIRST_PREFERENCE;
  }

  /** May this node lead: a voter, not about to be replaced by a snapshot, its
   * disk at work, not recovering? */
  promotable(): boolean {
    const own = this.tracker.get(this.id);
    return (
      own !== undefined &&
      !own.isLearner &&
      this.log.unstable.snapshot === undefined &&
      !this.diskStalled &&
      this.recoveryMark === undefined
    );
  }

  /** True once this leader has committed an entry of its own term. */
  committedInTerm(): boolean {
    return this.log.committed >= this.termStart;
  }

  /** End of log that candidates are judged by: the mark while recovering, else the log. */
  isUpToDate(end: Position): boolean {
    const mark = this.recoveryMark;
    if (mark !== undefined) {
      const behind = end.term < mark.term || (end.term === mark.term && end.index < mark.index);
      if (behind) return false;
    }
    return this.log.isUpToDate(end);
  }

  /** Ends recovery once the stable log has reached the mark. */
  clearReachedMark(): void {
    const mark = this.recoveryMark;
    if (mark === undefined) return;
    const stable = this.log.unstable.offset - 1;
    const stableTerm = this.log.termOrZero(stable as LogIndex);
    if (stableTerm < mark.term || (stableTerm === mark.term && stable < mark.index)) return;
    this.recoveryMark = undefined;
    this.trace?.({ kind: "recovered", id: this.id, mark });
  }
}
