// Drives the pure raft core on the event loop. Events (messages, proposals, ticks, read requests,
// finished writes) are stepped into the core as they come, and what follows from them leaves at the
// end of the callback that brought them, so that sockets are flushed in the same turn of the loop.
// Proposals gather while a batch of them is on its way, since a batch costs far more than one more
// entry in it; but as soon as there are enough for one message they leave, so that followers work on
// the first while the leader still takes in the next (group commit, pipelined).
// Storage writes and applies are asynchronous (thesis section 10.2.1): the leader's own write runs in
// parallel with replication and counts only once it is durable.
import { KinglyError, assert } from "@kingly/base";
import type { Logger } from "@kingly/base";
import {
  InvalidMessageError,
  LOCAL_APPEND_THREAD,
  LOCAL_APPLY_THREAD,
  RawNode,
  StepLocalMessageError,
  StepPeerNotFoundError,
} from "raft-ts";
import type {
  BasicStatus,
  DropReason,
  Entry,
  HardState,
  LogIndex,
  Message,
  NodeId,
  RaftConfig,
  ReadState,
  Snapshot,
  SoftState,
  Status,
} from "raft-ts";
import { FRAME_BYTES, PROPOSALS_PER_TURN } from "../limits.ts";

/** One write for the log storage. */
export interface LogWrite {
  readonly hardState?: HardState;
  readonly entries: readonly Entry[];
  readonly snapshot?: Snapshot;
}

/** What the driver hands work to. */
export interface DriverPorts {
  /** Sends to other members; may lose. */
  send(messages: readonly Message[]): void;
  /** Resolves when durable. Calls may overlap and finish in order; a rejection is fatal. */
  append(write: LogWrite): Promise<void>;
  /** Applies entries in order; call `done` when they are applied. */
  apply(entries: readonly Entry[], done: () => void): void;
  /** Entries of this leader got their place in the log, before they are sent anywhere. */
  placed(entries: readonly Entry[]): void;
  /** Reads that may be served once applied >= their index. */
  reads(states: readonly ReadState[]): void;
  /** Leader or role changed. */
  role(state: SoftState, status: BasicStatus): void;
  /** The node cannot go on: disk failure or a broken invariant. */
  fatal(error: unknown): void;
}

/** One queued proposal. */
export interface Proposal {
  readonly data: Uint8Array;
  /** The core did not take it: certainly not written. */
  dropped(reason: DropReason): void;
}

/** Runs one RawNode. */
export class RaftDriver {
  readonly #node: RawNode;
  readonly #id: NodeId;
  readonly #ports: DriverPorts;
  readonly #logger: Logger;
  #proposals: Proposal[] = [];
  #scheduled = false;
  #gathering = false;
  #turning = false;
  #stopped = false;
  /** Last index of the proposals that were made and are not yet known to be committed; 0 = none. */
  #underWay = 0;

  constructor(config: RaftConfig, ports: DriverPorts, logger: Logger) {
    assert(config.asyncStorageWrites === true, "the driver needs asynchronous storage writes");
    this.#node = new RawNode(config);
    this.#id = config.id;
    this.#ports = ports;
    this.#logger = logger;
  }

  status(): Status {
    return this.#node.status();
  }

  basicStatus(): BasicStatus {
    return this.#node.basicStatus();
  }

  /** Proposals not yet handed to the core. */
  get queued(): number {
    return this.#proposals.length;
  }

  tick(): void {
    this.#run(() => {
      // Whatever became of the batch under way (leadership may be lost), nothing waits for longer.
      this.#underWay = 0;
      this.#node.tick();
    });
  }

  /** Queues a proposal; it leaves with others at the end of this turn of the loop at the latest. */
  propose(proposal: Proposal): void {
    this.#proposals.push(proposal);
    if (this.#proposals.length >= PROPOSALS_PER_TURN) this.#turn();
    else this.#gather();
  }

  /** Asks for a read point; false with a reason when the core does not take it. */
  readIndex(context: Uint8Array): DropReason | undefined {
    let reason: DropReason | undefined;
    this.#run(() => {
      const result = this.#node.readIndex(context);
      if (!result.ok) reason = result.reason;
    });
    return reason;
  }

  /** Messages from another member. Those that cannot be stepped are dropped. */
  receive(messages: readonly Message[]): void {
    this.#run(() => {
      for (const message of messages) this.#stepRemote(message);
    });
  }

  #stepRemote(message: Message): void {
    try {
      this.#node.step(message);
    } catch (error) {
      const known =
        error instanceof StepPeerNotFoundError ||
        error instanceof StepLocalMessageError ||
        error instanceof InvalidMessageError;
      if (!known) throw error;
      this.#logger.warn("refused a raft message", { type: message.type, error: error.message });
    }
  }

  reportUnreachable(id: number): void {
    this.#run(() => this.#node.reportUnreachable(id as NodeId));
  }

  reportRestarted(id: number, lastIndex: number): void {
    this.#run(() => this.#node.reportRestarted(id as NodeId, lastIndex as LogIndex));
  }

  reportSnapshot(id: number, status: "finish" | "failure"): void {
    this.#run(() => this.#node.reportSnapshot(id as NodeId, status));
  }

  transferLeadership(id: number): void {
    this.#run(() => this.#node.transferLeadership(id as NodeId));
  }

  /** The leader is known to be gone: vote for others at once, without waiting for its lease. */
  forgetLeader(): void {
    this.#run(() => this.#node.forgetLeader());
  }

  /** Starts an election now; for a cluster of one that need not wait for a timeout. */
  campaign(): void {
    this.#run(() => this.#node.campaign());
  }

  /** No more work is taken or handed out; finished writes are ignored. */
  stop(): void {
    this.#stopped = true;
  }

  #run(action: () => void): void {
    if (this.#stopped) return;
    try {
      action();
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#schedule();
  }

  #fail(error: unknown): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#ports.fatal(error);
  }

  /** A turn when the callback under way ends. */
  #schedule(): void {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#turn();
    });
  }

  /** A turn when everything that the sockets hold at present has been read. */
  #gather(): void {
    if (this.#gathering || this.#stopped) return;
    this.#gathering = true;
    setImmediate(() => {
      this.#gathering = false;
      this.#turn();
    });
  }

  /** Everything that arrived since the last turn leaves. */
  #turn(): void {
    if (this.#stopped || this.#turning) return;
    this.#turning = true;
    try {
      do {
        if (this.#mayPropose()) this.#proposeQueued();
        while (!this.#stopped && this.#node.hasReady()) this.#ready();
      } while (!this.#stopped && this.#proposals.length > 0 && this.#mayPropose());
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#turning = false;
    }
  }

  #mayPropose(): boolean {
    if (this.#proposals.length >= PROPOSALS_PER_TURN || this.#underWay === 0) return true;
    if (this.#node.basicStatus().commit < this.#underWay) return false;
    this.#underWay = 0;
    return true;
  }

  #proposeQueued(): void {
    const queued = this.#proposals;
    this.#proposals = [];
    for (let at = 0; at < queued.length;) {
      const batch: Proposal[] = [];
      for (let bytes = 0; at < queued.length && bytes < FRAME_BYTES; at += 1) {
        const proposal = queued[at] as Proposal;
        batch.push(proposal);
        bytes += proposal.data.length;
      }
      const result = this.#node.proposeBatch(batch.map(({ data }) => data));
      if (!result.ok) for (const proposal of batch) proposal.dropped(result.reason);
      else this.#underWay = Infinity; // until the core says where they are in the log
    }
  }

  #ready(): void {
    const ready = this.#node.ready();
    if (ready.softState !== undefined) {
      this.#ports.role(ready.softState, this.#node.basicStatus());
    }
    const last = ready.entries.at(-1);
    if (last !== undefined) {
      if (this.#underWay === Infinity) this.#underWay = last.index;
      this.#ports.placed(ready.entries);
    }
    if (ready.readStates.length > 0) this.#ports.reads(ready.readStates);
    const remote: Message[] = [];
    for (const message of ready.messages) {
      if (message.to === LOCAL_APPEND_THREAD) this.#append(message);
      else if (message.to === LOCAL_APPLY_THREAD) this.#apply(message);
      else remote.push(message);
    }
    if (remote.length > 0) this.#ports.send(withoutSuperseded(remote));
  }

  #append(message: Message): void {
    const { term, vote, commit, entries, snapshot, responses } = message;
    const hasHardState = term !== 0 || vote !== 0 || commit !== 0;
    const write: LogWrite = {
      entries,
      ...(hasHardState ? { hardState: { term, vote, commit } } : {}),
      ...(snapshot === undefined ? {} : { snapshot }),
    };
    this.#ports.append(write).then(
      () => this.#deliver(responses),
      (error: unknown) => this.#fail(error),
    );
  }

  #apply(message: Message): void {
    this.#ports.apply(message.entries, () => this.#deliver(message.responses));
  }

  /** Delivers what had to wait for a write: to ourselves at once, to others in one send. */
  #deliver(responses: readonly Message[]): void {
    this.#run(() => {
      const remote: Message[] = [];
      for (const response of responses) {
        if (response.to === this.#id) this.#node.step(response);
        else remote.push(response);
      }
      if (remote.length > 0) this.#ports.send(remote);
    });
  }
}

/**
 * Leaves out appends that only carry a commit index when a later append to the same member carries
 * one as well: the member would answer both. Leaving out is what a network may do at any time.
 */
function withoutSuperseded(messages: readonly Message[]): readonly Message[] {
  if (messages.length < 2) return messages;
  return messages.filter((message, at) => {
    if (message.type !== "MsgApp" || message.entries.length > 0) return true;
    return !messages.some(
      (later, place) => place > at && later.type === "MsgApp" && later.to === message.to,
    );
  });
}

/** The error of a proposal that the core did not take: certainly nothing was written. */
export function droppedError(reason: DropReason, retryAfterMs: number): KinglyError {
  const details = { reason, retryAfterMs };
  switch (reason) {
    case "uncommitted-limit":
    case "too-many-reads":
      return new KinglyError("Overloaded", "too much is waiting to be committed", details);
    case "no-leader":
    case "forwarding-disabled":
    case "not-a-member":
    case "forwarded-already":
      return new KinglyError("NotLeader", "this server does not lead", details);
    case "transfer-in-progress":
    case "transfer-to-learner":
    case "transfer-to-stranger":
    case "transfer-to-leader":
      return new KinglyError("Unavailable", "leadership is being handed over", details);
    case "conf-change-pending":
    case "conf-change-in-joint":
    case "conf-change-not-joint":
    case "conf-change-malformed":
    case "conf-change-stale":
    case "conf-change-no-voters":
    case "conf-change-needs-joint":
    case "conf-change-loses-quorum":
    case "conf-change-voter-behind":
    case "conf-change-invalid":
      return new KinglyError("Conflict", `the membership change was refused: ${reason}`, details);
    default: {
      const never: never = reason;
      throw new Error(`unknown reason ${String(never)}`);
    }
  }
}
