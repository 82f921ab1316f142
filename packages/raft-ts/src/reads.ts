// Read requests on the leader: immediately, after its first commit, after a heartbeat round, or under
// a lease. Thesis section 6.4. Answers go to the follower that asked, or into readStates.
import type { Message } from "./messages.ts";
import type { Raft } from "./raft.ts";
import type { ConfirmedRead, ReadRequest } from "./read-only.ts";
import { decodeToken } from "./read-only.ts";
import { broadcastHeartbeat } from "./replicate.ts";
import { MAX_PENDING_READS } from "./limits.ts";
import { NO_NODE } from "./ids.ts";
import type { DropReason } from "./types.ts";
import { InvalidMessageError } from "./errors.ts";

/** The one entry of a read message, whose data is the context. */
export function readContext(m: Message): Uint8Array {
  const entry = m.entries[0];
  if (entry === undefined || m.entries.length !== 1) {
    throw new InvalidMessageError(`${m.type} must have one entry, got ${m.entries.length}`);
  }
  return entry.data;
}

/** Leader's handling of MsgReadIndex. */
export function handleReadIndex(raft: Raft, m: Message): DropReason | undefined {
  // Only a local request has no sender.
  const from = m.from === NO_NODE ? raft.id : m.from;
  const request: ReadRequest = { from, context: readContext(m) };
  if (raft.reads.full || raft.earlyReads.length >= MAX_PENDING_READS) return "too-many-reads";
  // Until an entry of our term is committed our commit index may trail what was acknowledged by an
  // earlier leader, even when we are the only voter.
  if (!raft.committedInTerm()) {
    raft.earlyReads.push(request);
    return undefined;
  }
  startRead(raft, request);
  return undefined;
}

/** Starts the reads that waited for the first commit of this term. */
export function releaseEarlyReads(raft: Raft): void {
  if (raft.earlyReads.length === 0 || !raft.committedInTerm()) return;
  const waiting = raft.earlyReads;
  raft.earlyReads = [];
  for (const request of waiting) startRead(raft, request);
}

function startRead(raft: Raft, request: ReadRequest): void {
  const read: ConfirmedRead = { ...request, index: raft.log.committed };
  if (decidesAlone(raft) || holdsLease(raft)) {
    answer(raft, read);
    return;
  }
  const number = raft.reads.add(read, raft.tickCount);
  raft.reads.acknowledge(raft.id, number, raft.tracker.config.voters);
  raft.readRoundDue = true;
}

/**
 * Sends the heartbeats that confirm the reads taken since the last round: one round for all of them,
 * right before messages are handed out.
 */
export function startReadRound(raft: Raft): void {
  if (raft.readRoundDue) broadcastHeartbeat(raft);
}

function decidesAlone(raft: Raft): boolean {
  const { incoming } = raft.tracker.config.voters;
  return raft.tracker.isSingleton && incoming[0] === raft.id;
}

function holdsLease(raft: Raft): boolean {
  return (
    raft.config.readOnlyOption === "lease-based" &&
    !raft.leaseRevoked &&
    raft.transferee === NO_NODE &&
    raft.tickCount < raft.leaseEndTick
  );
}

/** Takes the read number in a heartbeat answer and answers the reads a quorum has confirmed. */
export function handleReadAck(raft: Raft, m: Message): void {
  if (m.context === undefined || m.context.length === 0) return;
  const number = decodeToken(m.context);
  const done = raft.reads.acknowledge(m.from, number, raft.tracker.config.voters);
  if (done === undefined) return;
  const { electionTicks, leaseDriftTicks } = raft.config;
  raft.leaseEndTick = Math.max(
    raft.leaseEndTick,
    done.provenAtTick + electionTicks - leaseDriftTicks,
  );
  for (const read of done.reads) answer(raft, read);
}

function answer(raft: Raft, read: ConfirmedRead): void {
  if (read.from === raft.id) {
    raft.readStates.push({ index: read.index, context: read.context });
    return;
  }
  raft.send({
    type: "MsgReadIndexResp",
    to: read.from,
    index: read.index,
    entries: [{ term: raft.term, index: read.index, type: "normal", data: read.context }],
  });
}
