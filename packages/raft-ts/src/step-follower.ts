// A follower's answers to messages: it follows whoever leads its term, passes proposals and reads on,
// and campaigns at once when told so by a leader that hands over. Paper section 5.2.
import { hup } from "./election.ts";
import { handleAppend, handleHeartbeat } from "./follow.ts";
import { NO_NODE } from "./ids.ts";
import type { Message, MessageType } from "./messages.ts";
import { assertProposal, dropProposal } from "./propose.ts";
import type { Raft } from "./raft.ts";
import { readContext } from "./reads.ts";
import { handleSnapshot } from "./snapshots.ts";
import type { DropReason } from "./types.ts";

type Handler = (raft: Raft, m: Message) => DropReason | undefined;

/** Notes the leader of our term, then takes its message. */
function fromLeader(handle: (raft: Raft, m: Message) => void): Handler {
  return (raft, m) => {
    raft.electionElapsed = 0;
    raft.lead = m.from;
    handle(raft, m);
    return undefined;
  };
}

/** A handler that never drops anything. */
function plain(handle: (raft: Raft, m: Message) => void): Handler {
  return (raft, m) => {
    handle(raft, m);
    return undefined;
  };
}

const HANDLERS: { readonly [K in MessageType]?: Handler } = {
  MsgProp: forwardProposal,
  MsgReadIndex: forwardRead,
  MsgApp: fromLeader(handleAppend),
  MsgHeartbeat: fromLeader(handleHeartbeat),
  MsgSnap: fromLeader(handleSnapshot),
  MsgTransferLeader: forwardTransfer,
  MsgForgetLeader: plain(forgetLeader),
  MsgTimeoutNow: plain(campaignNow),
  MsgReadIndexResp: plain(takeReadAnswer),
};

/** Processes a message as follower. */
export function stepFollower(raft: Raft, m: Message): DropReason | undefined {
  return HANDLERS[m.type]?.(raft, m);
}

function campaignNow(raft: Raft, m: Message): void {
  const { id, term, state } = raft;
  raft.trace?.({ kind: "timeout-now", id, term, state, from: m.from });
  // No pre-vote: the leader itself asks for the change, we are not back from a partition.
  hup(raft, "transfer");
}

function forwardProposal(raft: Raft, m: Message): DropReason | undefined {
  assertProposal(m);
  if (raft.lead === NO_NODE) return dropProposal(raft, "no-leader");
  if (raft.config.disableProposalForwarding) return dropProposal(raft, "forwarding-disabled");
  raft.forwardToLeader(m);
  return undefined;
}

/** Sends a read to the leader under a token of our own; the context stays here. */
function forwardRead(raft: Raft, m: Message): DropReason | undefined {
  const context = readContext(m);
  if (raft.lead === NO_NODE) {
    raft.trace?.({ kind: "read-no-leader", id: raft.id, term: raft.term });
    return "no-leader";
  }
  const entry = { ...m.entries[0], data: raft.forwardedReads.add(context) } as const;
  raft.forwardToLeader({ ...m, from: raft.id, entries: [entry as (typeof m.entries)[number]] });
  return undefined;
}

function takeReadAnswer(raft: Raft, m: Message): void {
  const [entry] = m.entries;
  if (entry === undefined || m.entries.length !== 1) {
    const entries = m.entries.length;
    raft.trace?.({ kind: "read-answer-malformed", id: raft.id, from: m.from, entries });
    return;
  }
  const context = raft.forwardedReads.take(entry.data);
  if (context !== undefined) raft.readStates.push({ index: m.index, context });
}

function forwardTransfer(raft: Raft, m: Message): DropReason | undefined {
  if (raft.lead !== NO_NODE) {
    raft.forwardToLeader(m);
    return undefined;
  }
  raft.trace?.({
    kind: "transfer-no-leader",
    id: raft.id,
    term: raft.term,
    transferee: m.from,
  });
  return "no-leader";
}

/** Forgets the leader, so that this node votes for others at once; used when the leader is known to
 * be gone. Not under leases, which rest on followers keeping faith. */
function forgetLeader(raft: Raft): void {
  if (raft.config.readOnlyOption === "lease-based") {
    raft.trace?.({ kind: "forget-refused-lease", id: raft.id });
    return;
  }
  if (raft.lead === NO_NODE) return;
  raft.trace?.({ kind: "leader-forgotten", id: raft.id, lead: raft.lead, term: raft.term });
  raft.lead = NO_NODE;
}
