// The leader's answers to messages: proposals, acknowledgements and rejections of appends, heartbeat
// answers, reports on snapshots and connections. Paper section 5.3.
import { maybeCommit } from "./commit.ts";
import { InvalidMessageError } from "./errors.ts";
import { observeLearner } from "./learners.ts";
import { NO_NODE } from "./ids.ts";
import { NO_LIMIT } from "./limits.ts";
import type { Message, MessageType } from "./messages.ts";
import { assertProposal, proposeEntries } from "./propose.ts";
import type { Raft } from "./raft.ts";
import { handleReadAck, handleReadIndex, releaseEarlyReads } from "./reads.ts";
import {
  broadcastAppend,
  broadcastHeartbeat,
  maybeSendAppend,
  sendAllAppends,
} from "./replicate.ts";
import { decodeToken } from "./read-only.ts";
import type { Progress } from "./tracker/progress.ts";
import { continueTransfer, startTransfer } from "./transfer.ts";
import type { DropReason } from "./types.ts";

/** Messages that are not about one peer. */
const GENERAL: {
  readonly [K in MessageType]?: (raft: Raft, m: Message) => DropReason | undefined;
} = {
  MsgBeat: (raft) => {
    broadcastHeartbeat(raft);
    return undefined;
  },
  MsgCheckQuorum: (raft) => {
    checkQuorum(raft);
    return undefined;
  },
  MsgProp: (raft, m) => {
    assertProposal(m);
    return proposeEntries(raft, m);
  },
  MsgReadIndex: handleReadIndex,
  MsgTransferLeader: (raft, m) => startTransfer(raft, m.from),
  // A leader cannot forget itself.
  MsgForgetLeader: () => undefined,
};

/** Messages about one peer, which must be a member. */
const ABOUT_PEER: {
  readonly [K in MessageType]?: (raft: Raft, m: Message, pr: Progress) => void;
} = {
  MsgAppResp: handleAppendResponse,
  MsgHeartbeatResp: handleHeartbeatResponse,
  MsgSnapStatus: handleSnapshotStatus,
  MsgUnreachable: handleUnreachable,
};

/** Processes a message as leader; those of no interest to a leader are ignored. */
export function stepLeader(raft: Raft, m: Message): DropReason | undefined {
  const general = GENERAL[m.type];
  if (general !== undefined) return general(raft, m);
  const pr = raft.tracker.get(m.from);
  if (pr === undefined) {
    raft.trace?.({ kind: "no-progress", id: raft.id, peer: m.from });
    return undefined;
  }
  ABOUT_PEER[m.type]?.(raft, m, pr);
  return undefined;
}

function handleAppendResponse(raft: Raft, m: Message, pr: Progress): void {
  pr.heard(raft.tickCount);
  const opened = takeReceiveWindow(raft, m, pr);
  if (m.reject) handleRejection(raft, m, pr);
  else handleAck(raft, m, pr);
  if (opened) sendAllAppends(raft, m.from);
  observeLearner(raft, m.from, pr);
}

/** Takes what the follower says it can take in flight; true if it can take more than before. */
function takeReceiveWindow(raft: Raft, m: Message, pr: Progress): boolean {
  if (m.from === raft.id) return false;
  const silent = m.context === undefined || m.context.length === 0;
  const opened = pr.inflights.setReceiveWindow(silent ? NO_LIMIT : decodeToken(m.context));
  if (pr.state === "replicate") pr.flowPaused = pr.inflights.full;
  return opened;
}

function handleUnreachable(raft: Raft, m: Message, pr: Progress): void {
  // Appends sent ahead are probably lost: find out where the peer stands.
  if (pr.state === "replicate") pr.becomeProbe();
  tracePeer(raft, "peer-unreachable", m, pr);
}

type PeerEvent =
  | "progress-decreased"
  | "snapshot-recovered"
  | "snapshot-succeeded"
  | "snapshot-failed"
  | "peer-unreachable";

function tracePeer(raft: Raft, kind: PeerEvent, m: Message, pr: Progress): void {
  raft.trace?.({ kind, id: raft.id, peer: m.from, progress: pr.toString() });
}

/**
 * Steps down if no quorum was heard of since the last check, and starts the next period. A leader
 * cut off from its quorum must not linger: clients would wait for it in vain.
 */
export function checkQuorum(raft: Raft): void {
  if (!raft.tracker.quorumActive()) {
    raft.trace?.({ kind: "quorum-lost", id: raft.id });
    raft.becomeFollower(raft.term, NO_NODE);
  }
  for (const id of raft.tracker.ids) {
    const pr = raft.tracker.get(id);
    if (pr !== undefined && id !== raft.id) pr.recentActive = false;
  }
}

/**
 * The peer's log does not have what the append was anchored at. Its hint says how far it might agree
 * with ours; positions where our term is above the hint's term cannot match, because terms in a log
 * only grow. So each term is probed at most once:
 *
 *   index     1 2 3 4 5 6 7 8 9
 *   leader    1 3 3 3 5 5 5 5 5    anchored at 9, rejected with hint (6, term 2)
 *   follower  1 1 1 1 2 2          next probe at 1, the last of ours with term <= 2
 */
function handleRejection(raft: Raft, m: Message, pr: Progress): void {
  raft.trace?.({
    kind: "rejection-received",
    id: raft.id,
    from: m.from,
    index: m.index,
    hint: { index: m.rejectHint, term: m.logTerm },
  });
  const probeAt =
    m.logTerm > 0 ? raft.log.findConflictByTerm(m.rejectHint, m.logTerm).index : m.rejectHint;
  if (!pr.maybeDecreaseTo(m.index, probeAt)) return;
  tracePeer(raft, "progress-decreased", m, pr);
  if (pr.state === "replicate") pr.becomeProbe();
  maybeSendAppend(raft, m.from, true);
}

function handleAck(raft: Raft, m: Message, pr: Progress): void {
  if (m.index > raft.log.lastIndex()) {
    const last = raft.log.lastIndex();
    throw new InvalidMessageError(
      `MsgAppResp of ${m.from} must be for an index up to ${last}, got ${m.index}`,
    );
  }
  // An acknowledgement without news still ends probing: the peer answers where we thought it stands.
  const probing = pr.state === "probe" && pr.match === m.index;
  if (!pr.maybeUpdate(m.index) && !probing) return;
  updateState(raft, m, pr);
  if (maybeCommit(raft)) {
    releaseEarlyReads(raft);
    broadcastAppend(raft);
  } else if (m.from !== raft.id && pr.canBumpCommit(raft.log.committed)) {
    // Not needed, as heartbeats carry the commit index too, but sooner.
    maybeSendAppend(raft, m.from, true);
  }
  // Flow control has more room now: fill it.
  if (m.from !== raft.id) sendAllAppends(raft, m.from);
  continueTransfer(raft, m.from, pr);
}

function updateState(raft: Raft, m: Message, pr: Progress): void {
  switch (pr.state) {
    case "probe":
      pr.becomeReplicate();
      break;
    case "snapshot":
      // Whatever snapshot it was: if our log continues where the peer stands, appends can go on.
      if (pr.match + 1 < raft.log.firstIndex()) break;
      tracePeer(raft, "snapshot-recovered", m, pr);
      pr.becomeProbe();
      pr.becomeReplicate();
      break;
    case "replicate":
      pr.inflights.freeUpTo(m.index);
      break;
  }
}

function handleHeartbeatResponse(raft: Raft, m: Message, pr: Progress): void {
  pr.heard(raft.tickCount);
  pr.flowPaused = false;
  // With a full window this sends an empty append: if all that filled the window was lost, its
  // answer frees the window. A probed peer gets one too, or it would never leave probing.
  if (pr.match < raft.log.lastIndex() || pr.state === "probe") {
    maybeSendAppend(raft, m.from, true);
  }
  handleReadAck(raft, m);
  observeLearner(raft, m.from, pr);
}

function handleSnapshotStatus(raft: Raft, m: Message, pr: Progress): void {
  if (pr.state !== "snapshot") return;
  if (m.reject) {
    // It never arrived, so do not probe behind it.
    pr.pendingSnapshot = pr.match;
    pr.becomeProbe();
    tracePeer(raft, "snapshot-failed", m, pr);
  } else {
    pr.becomeProbe();
    tracePeer(raft, "snapshot-succeeded", m, pr);
  }
  // Success: wait for the peer's own answer. Failure: wait a heartbeat before the next try.
  pr.flowPaused = true;
}
