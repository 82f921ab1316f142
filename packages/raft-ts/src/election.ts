// Starting an election and counting its votes. Paper section 5.2; thesis section 9.6 for pre-vote and
// 3.10 for the campaign of a leadership transfer.
import { hasUnappliedConfChanges } from "./conf-guard.ts";
import type { NodeId, Term } from "./ids.ts";
import { term as makeTerm } from "./ids.ts";
import type { Message } from "./messages.ts";
import { voteResponseType } from "./messages.ts";
import { appendEntries } from "./propose.ts";
import { jointIds } from "./quorum/joint.ts";
import type { Raft } from "./raft.ts";
import { broadcastAppend } from "./replicate.ts";
import { EMPTY_BYTES } from "./types.ts";

/** Why a node campaigns. */
export type CampaignKind = "pre-election" | "election" | "transfer";

/** Context of vote requests that may break a leader's lease: "CampaignTransfer" in ASCII. */
export const TRANSFER_CONTEXT: Uint8Array = Uint8Array.from([
  67, 97, 109, 112, 97, 105, 103, 110, 84, 114, 97, 110, 115, 102, 101, 114,
]);

/** True if a vote request belongs to a leadership transfer. */
export function isTransferCampaign(context: Uint8Array | undefined): boolean {
  if (context === undefined || context.length !== TRANSFER_CONTEXT.length) return false;
  return context.every((byte, i) => byte === TRANSFER_CONTEXT[i]);
}

/** Starts an election unless this node leads, may not lead, or has a change of members to apply. */
export function hup(raft: Raft, kind: CampaignKind): void {
  if (raft.state === "leader") {
    raft.trace?.({ kind: "election-already-leader", id: raft.id });
    return;
  }
  if (!raft.promotable()) {
    raft.trace?.({ kind: "election-unpromotable", id: raft.id });
    return;
  }
  if (hasUnappliedConfChanges(raft)) {
    raft.trace?.({ kind: "election-conf-pending", id: raft.id, term: raft.term });
    return;
  }
  raft.trace?.({ kind: "election-started", id: raft.id, term: raft.term });
  campaign(raft, kind);
}

/** Asks every voter for its vote. The own vote counts once it is durable, like any other. */
export function campaign(raft: Raft, kind: CampaignKind): void {
  let term: Term;
  let request: "MsgVote" | "MsgPreVote";
  if (kind === "pre-election") {
    raft.becomePreCandidate();
    request = "MsgPreVote";
    term = makeTerm(raft.term + 1);
  } else {
    raft.becomeCandidate();
    request = "MsgVote";
    term = raft.term;
  }
  const last = raft.log.last();
  for (const to of jointIds(raft.tracker.config.voters)) {
    if (to === raft.id) {
      raft.send({ type: voteResponseType(request), to, term });
      continue;
    }
    raft.trace?.({
      kind: "vote-requested",
      id: raft.id,
      lastTerm: last.term,
      lastIndex: last.index,
      request,
      to,
      term: raft.term,
    });
    const context = kind === "transfer" ? TRANSFER_CONTEXT : undefined;
    raft.send({ type: request, to, term, index: last.index, logTerm: last.term, context });
  }
}

/** Counts an answer to our (pre-)vote request and acts on the outcome. */
export function handleVoteResponse(raft: Raft, m: Message): void {
  const { tracker } = raft;
  const answer = m.type;
  const granted = !m.reject;
  raft.trace?.({
    kind: "vote-answered",
    id: raft.id,
    answer,
    from: m.from,
    term: raft.term,
    granted,
  });
  tracker.recordVote(m.from, granted);
  const tally = tracker.tally();
  raft.trace?.({
    kind: "votes-counted",
    id: raft.id,
    answer,
    granted: tally.granted,
    rejected: tally.rejected,
  });
  switch (tally.result) {
    case "won":
      if (raft.state === "pre-candidate") campaign(raft, "election");
      // Our own answer comes once term and vote are durable. A leader that is not there yet could
      // crash, forget the term and lead it a second time with other entries (paper, figure 2:
      // currentTerm and votedFor are stable before anything of that term leaves).
      else if (tracker.hasGranted(raft.id)) takeLeadership(raft);
      break;
    case "lost":
      // A pre-vote answer carries the term we asked for, not ours; stay in ours.
      raft.becomeFollower(raft.term, 0 as NodeId);
      break;
    case "pending":
      break;
  }
}

/** A new leader appends an empty entry: only an entry of its own term lets it commit older ones. */
function takeLeadership(raft: Raft): void {
  raft.becomeLeader();
  appendEntries(raft, [{ type: "normal", data: EMPTY_BYTES }]);
  raft.trace?.({ kind: "became", id: raft.id, state: "leader", term: raft.term });
  broadcastAppend(raft);
}
