// Messages: everything that goes between nodes, and between a node and its own storage and state
// machine. One flat shape for all types (a transport encodes one record; the engine keeps one hidden
// class); which fields a type uses is in the message table of README.md.
import type { LogIndex, NodeId, Term } from "./ids.ts";
import { NO_NODE } from "./ids.ts";
import type { Entry, Snapshot } from "./types.ts";

/** All message types in their canonical order (the order is the wire number). */
export const MESSAGE_TYPES = [
  "MsgHup",
  "MsgBeat",
  "MsgProp",
  "MsgApp",
  "MsgAppResp",
  "MsgVote",
  "MsgVoteResp",
  "MsgSnap",
  "MsgHeartbeat",
  "MsgHeartbeatResp",
  "MsgUnreachable",
  "MsgSnapStatus",
  "MsgCheckQuorum",
  "MsgTransferLeader",
  "MsgTimeoutNow",
  "MsgReadIndex",
  "MsgReadIndexResp",
  "MsgPreVote",
  "MsgPreVoteResp",
  "MsgStorageAppend",
  "MsgStorageAppendResp",
  "MsgStorageApply",
  "MsgStorageApplyResp",
  "MsgForgetLeader",
] as const;

/** Name of a message type. */
export type MessageType = (typeof MESSAGE_TYPES)[number];

/** One message. Unused fields hold 0, false, undefined or an empty list. */
export interface Message {
  /** What it is; decides which fields count. */
  readonly type: MessageType;
  /** Receiver. */
  readonly to: NodeId;
  /** Sender; for reports on a peer, that peer. */
  readonly from: NodeId;
  /** Sender's term; 0 for local messages, proposals and read requests. */
  readonly term: Term;
  /** Term of the entry at `index` (append, vote), or hint term of a rejection. */
  readonly logTerm: Term;
  /** Log position the message is about. */
  readonly index: LogIndex;
  /** Consecutive entries behind `index`, or the one entry of a read. */
  readonly entries: readonly Entry[];
  /** Sender's commit index. */
  readonly commit: LogIndex;
  /** Vote to store, in MsgStorageAppend only. */
  readonly vote: NodeId;
  /** In MsgSnap and storage messages. */
  readonly snapshot: Snapshot | undefined;
  /** The answer is no. */
  readonly reject: boolean;
  /** Where the rejecting follower suggests to continue. */
  readonly rejectHint: LogIndex;
  /** Campaign kind of a vote request, or read token of a heartbeat. */
  readonly context: Uint8Array | undefined;
  /** What to deliver once a local storage message has been carried out. */
  readonly responses: readonly Message[];
}

/** The fields of a message that differ from "unused". */
export type MessageInit = Partial<Omit<Message, "type">> & { readonly type: MessageType };

const NO_ENTRIES: readonly Entry[] = Object.freeze([]);
const NO_MESSAGES: readonly Message[] = Object.freeze([]);

/** Makes a complete message from the fields that matter. */
export function makeMessage(init: MessageInit): Message {
  const { from = NO_NODE, term = 0 as Term, context } = init;
  return addressedMessage(init, from, term, context);
}

/** Makes a complete message with sender, term and context of its own; spares the hot path a copy of
 * the fields only to replace some. */
export function addressedMessage(
  init: MessageInit,
  from: NodeId,
  term: Term,
  context: Uint8Array | undefined,
): Message {
  return {
    type: init.type,
    to: init.to ?? NO_NODE,
    from,
    term,
    logTerm: init.logTerm ?? (0 as Term),
    index: init.index ?? (0 as LogIndex),
    entries: init.entries ?? NO_ENTRIES,
    commit: init.commit ?? (0 as LogIndex),
    vote: init.vote ?? NO_NODE,
    snapshot: init.snapshot,
    reject: init.reject ?? false,
    rejectHint: init.rejectHint ?? (0 as LogIndex),
    context,
    responses: init.responses ?? NO_MESSAGES,
  };
}

const LOCAL: ReadonlySet<MessageType> = new Set<MessageType>([
  "MsgHup",
  "MsgBeat",
  "MsgUnreachable",
  "MsgSnapStatus",
  "MsgCheckQuorum",
  "MsgStorageAppend",
  "MsgStorageAppendResp",
  "MsgStorageApply",
  "MsgStorageApplyResp",
]);

const RESPONSE: ReadonlySet<MessageType> = new Set<MessageType>([
  "MsgAppResp",
  "MsgVoteResp",
  "MsgHeartbeatResp",
  "MsgUnreachable",
  "MsgReadIndexResp",
  "MsgPreVoteResp",
  "MsgStorageAppendResp",
  "MsgStorageApplyResp",
]);

/** True for types that must never come from another node. */
export function isLocalMessage(type: MessageType): boolean {
  return LOCAL.has(type);
}

/** True for types that answer another message. */
export function isResponseMessage(type: MessageType): boolean {
  return RESPONSE.has(type);
}

/** The answer type of a vote or pre-vote request. */
export function voteResponseType(type: "MsgVote" | "MsgPreVote"): "MsgVoteResp" | "MsgPreVoteResp" {
  return type === "MsgVote" ? "MsgVoteResp" : "MsgPreVoteResp";
}
