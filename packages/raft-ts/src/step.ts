// What a node does with a message, before roles come into it: terms, votes, and answers of its own
// storage. Everything else goes to the step function of the current role. Paper sections 5.1, 5.2 and
// 5.4.1; the lease in which votes are ignored is in section 6.
import { appliedSnapshot, appliedTo } from "./applied.ts";
import { commitHint, takeCommitHint } from "./commit-hint.ts";
import { hup, isTransferCampaign } from "./election.ts";
import { NO_NODE } from "./ids.ts";
import type { Message, MessageType } from "./messages.ts";
import { voteResponseType } from "./messages.ts";
import { releaseQuota } from "./propose.ts";
import type { Raft } from "./raft.ts";
import { stepCandidate } from "./step-candidate.ts";
import { stepFollower } from "./step-follower.ts";
import { stepLeader } from "./step-leader.ts";
import type { VoteView } from "./trace.ts";
import type { DropReason } from "./types.ts";
import { entriesBytes } from "./types.ts";

/**
 * Processes one message. Returns why a proposal or read in it was dropped, undefined otherwise.
 * Throws InvalidMessageError on malformed messages from outside, before changing anything that
 * matters.
 */
export function step(raft: Raft, m: Message): DropReason | undefined {
  if (m.term > raft.term) {
    if (!handleHigherTerm(raft, m)) return undefined;
  } else if (m.term !== 0 && m.term < raft.term) {
    handleLowerTerm(raft, m);
    return undefined;
  }
  if (m.type === "MsgVoteResp" || m.type === "MsgPreVoteResp") takeCommitHint(raft, m);
  const handler = ANY_ROLE[m.type];
  if (handler === undefined) return stepRole(raft, m);
  handler(raft, m);
  return undefined;
}

/** Messages that mean the same in every role. */
const ANY_ROLE: { readonly [K in MessageType]?: (raft: Raft, m: Message) => void } = {
  MsgHup: (raft) => hup(raft, raft.config.preVote ? "pre-election" : "election"),
  MsgStorageAppendResp: handleAppendDone,
  MsgStorageApplyResp: handleApplyDone,
  MsgVote: handleVoteRequest,
  MsgPreVote: handleVoteRequest,
};

function stepRole(raft: Raft, m: Message): DropReason | undefined {
  switch (raft.state) {
    case "leader":
      return stepLeader(raft, m);
    case "candidate":
    case "pre-candidate":
      return stepCandidate(raft, m);
    case "follower":
      return stepFollower(raft, m);
  }
}

/** Handles a message of a later term; false if it must be ignored altogether. */
function handleHigherTerm(raft: Raft, m: Message): boolean {
  const isPreVote = m.type === "MsgPreVote";
  if ((m.type === "MsgVote" || isPreVote) && !isTransferCampaign(m.context) && inLease(raft)) {
    const remainingTicks = raft.config.electionTicks - raft.electionElapsed;
    raft.trace?.({ kind: "vote-ignored-in-lease", remainingTicks, ...voteView(raft, m) });
    return false;
  }
  // A pre-vote is a question; the term changes when it leads to a real candidacy. A granted answer
  // bears the term we asked for, a rejection the voter's real and later term.
  if (isPreVote || (m.type === "MsgPreVoteResp" && !m.reject)) return true;
  raft.trace?.({
    kind: "higher-term",
    id: raft.id,
    term: raft.term,
    type: m.type,
    from: m.from,
    messageTerm: m.term,
  });
  const fromLeader = m.type === "MsgApp" || m.type === "MsgHeartbeat" || m.type === "MsgSnap";
  raft.becomeFollower(m.term, fromLeader ? m.from : NO_NODE);
  return true;
}

/** A node that heard its leader within the minimal election timeout does not help to depose it. */
function inLease(raft: Raft): boolean {
  if (raft.tickCount < raft.restartLeaseEndTick) return true;
  return (
    raft.config.checkQuorum &&
    raft.lead !== NO_NODE &&
    raft.electionElapsed < raft.config.electionTicks
  );
}

function handleLowerTerm(raft: Raft, m: Message): void {
  const { checkQuorum, preVote } = raft.config;
  // A recovering node never campaigns, so nothing else would tell the leader of our higher term.
  const answers = checkQuorum || preVote || raft.recoveryMark !== undefined;
  if (answers && (m.type === "MsgHeartbeat" || m.type === "MsgApp")) {
    // A leader of an earlier term still thinks it leads, and may be unable to learn of our term by
    // votes, which leases and pre-votes keep from spreading. The answer carries our term.
    raft.send({ type: "MsgAppResp", to: m.from });
    return;
  }
  if (m.type === "MsgPreVote") {
    // Silence could deadlock a group where some nodes do not pre-vote: tell our term.
    raft.trace?.({ kind: "vote-decided", granted: false, ...voteView(raft, m) });
    const context = commitHint(raft);
    raft.send({ type: "MsgPreVoteResp", to: m.from, term: raft.term, reject: true, context });
    return;
  }
  if (m.type === "MsgStorageAppendResp") {
    handleStaleAppendDone(raft, m);
    return;
  }
  raft.trace?.({
    kind: "lower-term-ignored",
    id: raft.id,
    term: raft.term,
    type: m.type,
    from: m.from,
    messageTerm: m.term,
  });
}

/**
 * A write that began in an earlier term is done. Its entries may be overwritten by a later write
 * still under way even if the same (index, term) is in the log again by now (A-B-A), so they do not
 * count as stable. A snapshot is committed state of any term.
 */
function handleStaleAppendDone(raft: Raft, m: Message): void {
  if (m.index !== 0) {
    raft.trace?.({
      kind: "stale-append-done",
      id: raft.id,
      term: raft.term,
      type: m.type,
      from: m.from,
      messageTerm: m.term,
    });
  }
  if (m.snapshot !== undefined) appliedSnapshot(raft, m.snapshot);
  raft.diskStalled = false;
}

function handleAppendDone(raft: Raft, m: Message): void {
  if (m.index !== 0) raft.log.unstable.stableTo(m.index, m.logTerm);
  if (m.snapshot !== undefined) appliedSnapshot(raft, m.snapshot);
  raft.clearReachedMark();
  raft.diskStalled = false;
}

function handleApplyDone(raft: Raft, m: Message): void {
  const last = m.entries.at(-1);
  if (last === undefined) return;
  appliedTo(raft, last.index, entriesBytes(m.entries));
  releaseQuota(raft, m.entries);
}

function voteView(raft: Raft, m: Message): VoteView {
  const last = raft.log.last();
  return {
    id: raft.id,
    lastTerm: last.term,
    lastIndex: last.index,
    term: raft.term,
    vote: raft.vote,
    request: m.type,
    from: m.from,
    candidate: { index: m.index, term: m.logTerm },
  };
}

/**
 * Decides on a vote or pre-vote of at least our term. Learners vote too: whoever asks them believes
 * them to be voters and may know a newer configuration than they do.
 */
function handleVoteRequest(raft: Raft, m: Message): void {
  if (m.type !== "MsgVote" && m.type !== "MsgPreVote") return;
  const type = voteResponseType(m.type);
  const mayVote =
    raft.vote === m.from ||
    (raft.vote === NO_NODE && raft.lead === NO_NODE) ||
    (m.type === "MsgPreVote" && m.term > raft.term);
  const granted = mayVote && raft.isUpToDate({ index: m.index, term: m.logTerm });
  raft.trace?.({ kind: "vote-decided", granted, ...voteView(raft, m) });
  if (!granted) {
    raft.send({ type, to: m.from, term: raft.term, reject: true, context: commitHint(raft) });
    return;
  }
  // The answer bears the term of the question: for a pre-vote that is not our term, and the asker
  // would ignore ours as outdated.
  raft.send({ type, to: m.from, term: m.term });
  if (m.type === "MsgVote") {
    raft.electionElapsed = 0;
    raft.vote = m.from;
  }
}
