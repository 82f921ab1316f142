// Leader's sending side: appends, snapshots and heartbeats to one peer or to all, always in
// ascending order of ids. Paper section 5.3; section 7 for snapshots.
import { CompactedError, SnapshotTemporarilyUnavailableError, invariant } from "./errors.ts";
import type { LogIndex, NodeId } from "./ids.ts";
import { logIndex } from "./ids.ts";
import type { Raft } from "./raft.ts";
import { encodeToken } from "./read-only.ts";
import type { Progress } from "./tracker/progress.ts";
import type { Entry, Snapshot } from "./types.ts";
import { payloadBytes } from "./types.ts";

/**
 * Sends the next append to a peer if flow control allows. An append without entries (it carries the
 * commit index) goes out only if `evenIfEmpty`. Returns whether a message was queued.
 */
export function maybeSendAppend(raft: Raft, to: NodeId, evenIfEmpty: boolean): boolean {
  const pr = raft.tracker.get(to);
  invariant(pr !== undefined, "append to a node without progress", { to });
  if (pr.paused) return false;
  const prevIndex = logIndex(pr.next - 1);
  const prevTerm = raft.log.term(prevIndex);
  if (prevTerm === undefined) return maybeSendSnapshot(raft, to, pr);
  const entries = nextEntries(raft, pr);
  if (entries === undefined) return maybeSendSnapshot(raft, to, pr);
  if (entries.length === 0 && !evenIfEmpty) return false;
  const commit = raft.log.committed;
  raft.send({ type: "MsgApp", to, index: prevIndex, logTerm: prevTerm, entries, commit });
  pr.sentEntries(entries.length, payloadBytes(entries));
  pr.sentCommit(commit);
  return true;
}

/**
 * Entries for the next append; undefined if they were compacted away. With a full window none: an
 * empty append still goes out now and then, so that a follower whose messages were all lost answers
 * and frees the window.
 */
function nextEntries(raft: Raft, pr: Progress): readonly Entry[] | undefined {
  const { full, receiveWindow } = pr.inflights;
  if (receiveWindow === 0 || (pr.state === "replicate" && full)) return [];
  try {
    return raft.log.entriesFrom(pr.next, Math.min(raft.config.maxMessageBytes, receiveWindow));
  } catch (error) {
    if (error instanceof CompactedError) return undefined;
    throw error;
  }
}

function maybeSendSnapshot(raft: Raft, to: NodeId, pr: Progress): boolean {
  if (!pr.recentActive) {
    raft.trace?.({ kind: "snapshot-peer-inactive", id: raft.id, peer: to });
    return false;
  }
  const snapshot = availableSnapshot(raft, to);
  if (snapshot === undefined) {
    raft.trace?.({ kind: "snapshot-unavailable", id: raft.id, peer: to });
    return false;
  }
  const { index, term } = snapshot.metadata;
  invariant(index > 0, "storage has no snapshot although the log was compacted", { to });
  raft.trace?.({
    kind: "snapshot-sent",
    id: raft.id,
    peer: to,
    firstIndex: raft.log.firstIndex(),
    commit: raft.log.committed,
    snapshot: { index, term },
    progress: pr.toString(),
  });
  pr.becomeSnapshot(index);
  raft.trace?.({ kind: "replication-paused", id: raft.id, peer: to, progress: pr.toString() });
  raft.send({ type: "MsgSnap", to, snapshot });
  return true;
}

/**
 * The newest snapshot, unless it is older than the peer's membership: the peer would refuse one that
 * does not know it. The storage has to make a newer one; asked again after the next heartbeat.
 */
function availableSnapshot(raft: Raft, to: NodeId): Snapshot | undefined {
  try {
    const snapshot = raft.log.snapshot();
    const { voters, learners, votersOutgoing } = snapshot.metadata.confState;
    const knowsPeer = [...voters, ...learners, ...votersOutgoing].includes(to);
    return knowsPeer || snapshot.metadata.index === 0 ? snapshot : undefined;
  } catch (error) {
    if (error instanceof SnapshotTemporarilyUnavailableError) return undefined;
    throw error;
  }
}

/** Sends appends until the peer is caught up or flow control stops it. */
export function sendAllAppends(raft: Raft, to: NodeId): void {
  while (maybeSendAppend(raft, to, false)) {
    // Each turn advances `next` or pauses the peer.
  }
}

/** Sends an append, with or without entries, to every other member. */
export function broadcastAppend(raft: Raft): void {
  for (const id of raft.tracker.ids) if (id !== raft.id) maybeSendAppend(raft, id, true);
}

/** Sends what is missing to every other member, but nothing that would be empty. */
export function broadcastMissing(raft: Raft): void {
  for (const id of raft.tracker.ids) if (id !== raft.id) maybeSendAppend(raft, id, false);
}

/**
 * Sends a heartbeat to every other member. It carries the newest read number if reads wait. The
 * commit index is cut to what the peer is known to have: it must not commit what it may lack.
 */
export function broadcastHeartbeat(raft: Raft): void {
  if (raft.config.readOnlyOption === "lease-based" && !raft.reads.full) {
    const number = raft.reads.add(undefined, raft.tickCount);
    raft.reads.acknowledge(raft.id, number, raft.tracker.config.voters);
  }
  raft.readRoundDue = false;
  const context = raft.reads.hasUnconfirmed ? encodeToken(raft.reads.newest) : undefined;
  for (const id of raft.tracker.ids) {
    if (id === raft.id) continue;
    const pr = raft.tracker.get(id);
    invariant(pr !== undefined, "member without progress", { id });
    const commit: LogIndex = pr.match < raft.log.committed ? pr.match : raft.log.committed;
    raft.send({ type: "MsgHeartbeat", to: id, commit, context });
    pr.sentCommit(commit);
  }
}

/** Tells a peer to campaign at once (leadership transfer, thesis section 3.10). */
export function sendTimeoutNow(raft: Raft, to: NodeId): void {
  raft.leaseRevoked = true;
  raft.send({ type: "MsgTimeoutNow", to });
}
