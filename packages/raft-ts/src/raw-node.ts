// The public face of a node: input methods, and the Ready cycle in its two modes.
//
//   asynchronous (asyncStorageWrites: true, the native mode)
//     ready() -> send messages; MsgStorageAppend / MsgStorageApply go to two local workers, each of
//     which works in order and then delivers the message's responses. Never advance().
//   synchronous
//     ready() -> store, send, apply -> advance(). One Ready at a time.
//
// Not re-entrant: call no method from within a trace sink or a storage method.
import { compactionBound } from "./compaction.ts";
import type { CompactionPolicy } from "./compaction.ts";
import { encodeConfChange } from "./confchange/codec.ts";
import { asV2 } from "./confchange/types.ts";
import type { ConfChange } from "./confchange/types.ts";
import type { RaftConfig } from "./config.ts";
import {
  InvalidConfigError,
  InvalidMessageError,
  RaftInvariantError,
  StepLocalMessageError,
  StepPeerNotFoundError,
} from "./errors.ts";
import { NO_NODE, isLocalTarget, logIndex } from "./ids.ts";
import type { LogIndex, NodeId, Term } from "./ids.ts";
import { NO_LIMIT } from "./limits.ts";
import { applyConfChange } from "./membership.ts";
import type { Message, MessageInit, MessageType } from "./messages.ts";
import { isLocalMessage, isResponseMessage, makeMessage } from "./messages.ts";
import { Raft } from "./raft.ts";
import { buildReady, storageAppendDone, storageApplyDone } from "./ready.ts";
import type { HandedOut, Ready } from "./ready.ts";
import { basicStatusOf, statusOf } from "./status.ts";
import type { BasicStatus, Status } from "./status.ts";
import { startReadRound } from "./reads.ts";
import { dropProposal } from "./propose.ts";
import { step } from "./step.ts";
import { tick } from "./tick.ts";
import type { ConfState, DropReason, Entry, EntryType, ProposeResult } from "./types.ts";
import { entriesBytes, hardStatesEqual, isEmptyHardState } from "./types.ts";

const OK: ProposeResult = Object.freeze({ ok: true });

function result(reason: DropReason | undefined): ProposeResult {
  return reason === undefined ? OK : { ok: false, reason };
}

/** An entry before it has a place in the log. */
function unplaced(type: EntryType, data: Uint8Array): Entry {
  return { term: 0 as Term, index: 0 as LogIndex, type, data };
}

/** Requests that a follower passes on to its leader. They travel one step only: two nodes that take
 * each other for the leader would pass them to and fro for ever. */
const FORWARDED_ONCE: ReadonlySet<MessageType> = new Set<MessageType>([
  "MsgProp",
  "MsgReadIndex",
  "MsgTransferLeader",
]);

/** What a node never sends to itself, not even by way of others. */
const NEVER_FROM_SELF: ReadonlySet<MessageType> = new Set<MessageType>([
  "MsgApp",
  "MsgSnap",
  "MsgHeartbeat",
  "MsgHeartbeatResp",
  "MsgVote",
  "MsgPreVote",
  "MsgTimeoutNow",
  "MsgReadIndexResp",
  "MsgProp",
  "MsgReadIndex",
]);

/** Must bear the sender's term: with term 0 they would slip past all comparison of terms. */
const BEARS_TERM: ReadonlySet<MessageType> = new Set<MessageType>([
  "MsgApp",
  "MsgAppResp",
  "MsgVote",
  "MsgVoteResp",
  "MsgPreVote",
  "MsgPreVoteResp",
  "MsgSnap",
  "MsgHeartbeat",
  "MsgHeartbeatResp",
  "MsgTimeoutNow",
  "MsgReadIndexResp",
]);

/** Checks of messages from other nodes that hold in every state. */
function checkShape(m: Message): void {
  if (BEARS_TERM.has(m.type) && m.term === 0) {
    throw new InvalidMessageError(`${m.type} must have a term of at least 1, got 0`);
  }
  if ((m.type === "MsgProp" || m.type === "MsgReadIndex") && m.term !== 0) {
    throw new InvalidMessageError(`${m.type} must have term 0, got ${m.term}`);
  }
  if (m.type === "MsgProp" && m.entries.length === 0) {
    throw new InvalidMessageError("MsgProp must have at least one entry, got 0");
  }
}

/** One Raft node. */
export class RawNode {
  readonly #raft: Raft;
  #handedOut: HandedOut;
  /** Answers of the synchronous Ready under way, stepped by advance. */
  #onAdvance: Message[] = [];

  /** Starts a node from what its storage holds. Throws InvalidConfigError. */
  constructor(config: RaftConfig) {
    this.#raft = new Raft(config);
    this.#handedOut = {
      softState: this.#raft.softState(),
      hardState: this.#raft.hardState(),
    };
  }

  /** Advances the logical clock by one tick. */
  tick(): void {
    tick(this.#raft);
  }

  /** Starts an election now, unless this node leads or may not lead. */
  campaign(): void {
    this.#local({ type: "MsgHup" });
  }

  /** Proposes a command; on a follower it is forwarded to the leader. `data` must not be changed
   * afterwards. */
  propose(data: Uint8Array): ProposeResult {
    return this.#propose("normal", data);
  }

  /**
   * Proposes several commands in one message: all of them are taken, in this order and one after the
   * other in the log, or none. At least one.
   */
  proposeBatch(commands: readonly Uint8Array[]): ProposeResult {
    if (commands.length === 0) throw new RaftInvariantError("a batch of no commands was proposed");
    const { id } = this.#raft;
    const entries = commands.map((data) => unplaced("normal", data));
    return result(this.#local({ type: "MsgProp", from: id, entries }));
  }

  /**
   * Proposes a membership change. A leader that refuses it says why and appends an empty entry in its
   * place. Throws InvalidConfChangeError if the change is too large to encode.
   */
  proposeConfChange(cc: ConfChange): ProposeResult {
    const type = cc.version === 1 ? "conf-change" : "conf-change-v2";
    return this.#propose(type, encodeConfChange(cc));
  }

  #propose(type: EntryType, data: Uint8Array): ProposeResult {
    const entries = [unplaced(type, data)];
    return result(this.#local({ type: "MsgProp", from: this.#raft.id, entries }));
  }

  /**
   * Puts a committed membership change into force; `index` is that of its entry. Call it for every
   * configuration entry that is applied, unless the application rejects the change. Returns the
   * membership to store with the applied index and with snapshots, `configId` included. A change that
   * is in force already changes nothing. Throws InvalidConfChangeError, on every node alike, if the
   * change cannot be applied.
   */
  applyConfChange(cc: ConfChange, index: LogIndex): ConfState {
    return applyConfChange(this.#raft, asV2(cc), index);
  }

  /**
   * Takes a message from another node or from a local worker. Says why a proposal or read in it was
   * dropped. Throws StepLocalMessageError, StepPeerNotFoundError or InvalidMessageError; the message
   * then had no effect that matters.
   */
  step(message: Message): ProposeResult {
    this.#checkAddress(message);
    const fromWorker = isLocalTarget(message.from);
    if (!fromWorker) checkShape(message);
    if (isLocalMessage(message.type) && !fromWorker) throw new StepLocalMessageError();
    const known = fromWorker || this.#raft.tracker.get(message.from) !== undefined;
    if (isResponseMessage(message.type) && !known) throw new StepPeerNotFoundError();
    if (FORWARDED_ONCE.has(message.type) && this.#raft.state !== "leader") {
      return { ok: false, reason: dropProposal(this.#raft, "forwarded-already") };
    }
    return result(step(this.#raft, message));
  }

  /** A node with our id elsewhere, or a transport that mixes up connections, must not confuse us. */
  #checkAddress(m: Message): void {
    const { id } = this.#raft;
    if (m.to !== id && m.to !== NO_NODE) {
      throw new InvalidMessageError(`${m.type} for node ${m.to} was given to node ${id}`);
    }
    if (m.from === id && NEVER_FROM_SELF.has(m.type)) {
      throw new InvalidMessageError(`${m.type} claims to come from this node ${id}`);
    }
  }

  #local(init: MessageInit): DropReason | undefined {
    return step(this.#raft, makeMessage(init));
  }

  /** True if ready() would return work. */
  hasReady(): boolean {
    const raft = this.#raft;
    const { softState, hardState } = this.#handedOut;
    const { unstable } = raft.log;
    if (raft.lead !== softState.lead || raft.state !== softState.state) return true;
    const hard = raft.hardState();
    if (!isEmptyHardState(hard) && !hardStatesEqual(hard, hardState)) return true;
    return (
      raft.readRoundDue ||
      unstable.nextSnapshot() !== undefined ||
      raft.messages.length > 0 ||
      raft.messagesAfterAppend.length > 0 ||
      unstable.hasNextEntries ||
      raft.log.hasNextCommitted(!raft.config.asyncStorageWrites) ||
      raft.readStates.length > 0
    );
  }

  /**
   * Takes the work that has collected. It is handed out once; losing it breaks the node. In
   * synchronous mode throws RaftInvariantError if the last Ready was not advanced.
   */
  ready(): Ready {
    const raft = this.#raft;
    if (this.#onAdvance.length > 0) {
      throw new RaftInvariantError("ready() called twice without advance()");
    }
    startReadRound(raft);
    const ready = buildReady(raft, this.#handedOut);
    this.#handedOut = {
      softState: ready.softState ?? this.#handedOut.softState,
      hardState: ready.hardState ?? this.#handedOut.hardState,
    };
    if (!raft.config.asyncStorageWrites) this.#planAdvance(ready);
    raft.readStates = [];
    raft.messages = [];
    raft.messagesAfterAppend = [];
    raft.log.unstable.acceptInProgress();
    const last = ready.committedEntries.at(-1);
    if (last !== undefined) {
      const bytes = entriesBytes(ready.committedEntries);
      raft.log.acceptApplying(last.index, bytes, !raft.config.asyncStorageWrites);
    }
    return ready;
  }

  #planAdvance(ready: Ready): void {
    const raft = this.#raft;
    const steps = raft.messagesAfterAppend.filter((m) => m.to === raft.id);
    const stored = storageAppendDone(raft, ready.snapshot);
    if (stored !== undefined) steps.push(stored);
    if (ready.committedEntries.length > 0)
      steps.push(storageApplyDone(raft, ready.committedEntries));
    this.#onAdvance = steps;
  }

  /** Synchronous mode: the last Ready is stored and applied. Throws RaftInvariantError in
   * asynchronous mode, where the responses of local messages take its place. */
  advance(): void {
    if (this.#raft.config.asyncStorageWrites) {
      throw new RaftInvariantError("advance() must not be called with asyncStorageWrites");
    }
    const steps = this.#onAdvance;
    this.#onAdvance = [];
    for (const message of steps) step(this.#raft, message);
  }

  /** Everything there is to see; copies the progress of all members. */
  status(): Status {
    return statusOf(this.#raft);
  }

  /** The cheap part of status. */
  basicStatus(): BasicStatus {
    return basicStatusOf(this.#raft);
  }

  /** Reports that messages to a peer probably got lost. */
  reportUnreachable(id: NodeId): void {
    this.#local({ type: "MsgUnreachable", from: id });
  }

  /** Reports how sending a snapshot to a peer ended. */
  reportSnapshot(id: NodeId, status: "finish" | "failure"): void {
    this.#local({ type: "MsgSnapStatus", from: id, reject: status === "failure" });
  }

  /**
   * Reports that a peer came back from a restart, possibly with less log than it acknowledged. A
   * leader forgets what it knew of the peer and probes again from the peer's last index. The commit
   * index stays.
   */
  reportRestarted(id: NodeId, lastIndex: LogIndex): void {
    const raft = this.#raft;
    const pr = raft.tracker.get(id);
    if (raft.state !== "leader" || pr === undefined || id === raft.id) return;
    pr.forget(logIndex(Math.min(lastIndex, raft.log.lastIndex()) + 1));
    raft.trace?.({ kind: "peer-restarted", id: raft.id, peer: id, progress: pr.toString() });
  }

  /**
   * Hands leadership to a voter; forwarded to the leader if this node does not lead. `ok: true` means
   * begun or forwarded: watch Ready.softState for the outcome. Given up after an election timeout.
   */
  transferLeadership(id: NodeId): ProposeResult {
    return result(this.#local({ type: "MsgTransferLeader", from: id }));
  }

  /**
   * Says how many payload bytes this node can take in flight when it follows; the leader keeps to it
   * besides its own maxInflightBytes. 0 = nothing but the commit index for now, NO_LIMIT = any number.
   * Travels with acknowledgements; a wider window is announced at once. Throws InvalidConfigError.
   */
  setReceiveWindow(bytes: number): void {
    if (!Number.isSafeInteger(bytes) || bytes < 0) {
      throw new InvalidConfigError("receiveWindow", `an integer from 0 to ${NO_LIMIT}`, bytes);
    }
    const raft = this.#raft;
    const wider = bytes > (raft.receiveWindow ?? NO_LIMIT);
    raft.receiveWindow = bytes;
    if (!wider || raft.state !== "follower" || raft.lead === NO_NODE) return;
    raft.send({ type: "MsgAppResp", to: raft.lead, index: raft.log.committed });
  }

  /**
   * How far the log may be compacted so that members that are merely slow still find there what they
   * need. Throws InvalidConfigError unless 0 <= keepEntries <= keepEntriesMost.
   */
  compactionBound(policy: CompactionPolicy): LogIndex {
    const { keepEntries, keepEntriesMost } = policy;
    if (!Number.isSafeInteger(keepEntries) || keepEntries < 0) {
      throw new InvalidConfigError("keepEntries", "an integer of at least 0", keepEntries);
    }
    if (!Number.isSafeInteger(keepEntriesMost) || keepEntriesMost < keepEntries) {
      const limit = `an integer of at least keepEntries (${keepEntries})`;
      throw new InvalidConfigError("keepEntriesMost", limit, keepEntriesMost);
    }
    return compactionBound(this.#raft, policy);
  }

  /** A follower forgets its leader (known to be gone), so that it votes for others at once. */
  forgetLeader(): void {
    this.#local({ type: "MsgForgetLeader" });
  }

  /** Asks for a linearizable read; the answer comes in Ready.readStates with the same context, or
   * not at all if messages get lost. `context` must not be changed afterwards. */
  readIndex(context: Uint8Array): ProposeResult {
    const entries = [unplaced("normal", context)];
    return result(this.#local({ type: "MsgReadIndex", entries }));
  }

  /** Sets the drawn election timeout until the next change of role. For tests and transcripts. */
  setRandomizedElectionTicks(ticks: number): void {
    this.#raft.randomizedElectionTicks = ticks;
  }
}
