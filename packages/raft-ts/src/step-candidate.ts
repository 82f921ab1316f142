// A candidate's and a pre-candidate's answers to messages: it counts votes of its own kind of
// candidacy and gives way to a leader of its term. Paper section 5.2.
import { handleVoteResponse } from "./election.ts";
import { handleAppend, handleHeartbeat } from "./follow.ts";
import type { Message, MessageType } from "./messages.ts";
import { dropProposal } from "./propose.ts";
import type { Raft } from "./raft.ts";
import { handleSnapshot } from "./snapshots.ts";
import type { DropReason, RaftState } from "./types.ts";

type Handler = (raft: Raft, m: Message) => DropReason | undefined;

/** Gives way to the leader of our term, then takes its message. */
function yieldTo(handle: (raft: Raft, m: Message) => void): Handler {
  return (raft, m) => {
    raft.becomeFollower(m.term, m.from);
    handle(raft, m);
    return undefined;
  };
}

/** Counts answers to our kind of candidacy; those to an earlier kind may still arrive. */
function countIn(state: RaftState): Handler {
  return (raft, m) => {
    if (raft.state === state) handleVoteResponse(raft, m);
    return undefined;
  };
}

const HANDLERS: { readonly [K in MessageType]?: Handler } = {
  MsgProp: (raft) => dropProposal(raft, "no-leader"),
  MsgReadIndex: () => "no-leader",
  MsgTransferLeader: () => "no-leader",
  MsgApp: yieldTo(handleAppend),
  MsgHeartbeat: yieldTo(handleHeartbeat),
  MsgSnap: yieldTo(handleSnapshot),
  MsgPreVoteResp: countIn("pre-candidate"),
  MsgVoteResp: countIn("candidate"),
  MsgTimeoutNow: (raft, m) => {
    const { id, term, state } = raft;
    raft.trace?.({ kind: "timeout-now", id, term, state, from: m.from });
    return undefined;
  },
};

/** Processes a message as candidate or pre-candidate. */
export function stepCandidate(raft: Raft, m: Message): DropReason | undefined {
  return HANDLERS[m.type]?.(raft, m);
}
