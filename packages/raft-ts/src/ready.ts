// The batch of work a node hands to its application, and the local storage messages that carry the
// same work in asynchronous mode. See README.md for the contract. Thesis sections 3.8 and 10.2.1.
import type { LogIndex, Term } from "./ids.ts";
import { LOCAL_APPEND_THREAD, LOCAL_APPLY_THREAD } from "./ids.ts";
import type { Message } from "./messages.ts";
import { makeMessage } from "./messages.ts";
import type { Raft } from "./raft.ts";
import type { Entry, HardState, ReadState, Snapshot, SoftState } from "./types.ts";
import type { Position } from "./trace.ts";
import { EMPTY_HARD_STATE, hardStatesEqual } from "./types.ts";

/** Work for the application. Everything in it is immutable. */
export interface Ready {
  /** Present if leader or role changed; not to be stored. */
  readonly softState: SoftState | undefined;
  /** Present if it changed; to be stored with the entries. */
  readonly hardState: HardState | undefined;
  /** Reads that may be served once applied ≥ their index. */
  readonly readStates: readonly ReadState[];
  /** To be stored, replacing stored entries from the first index on. */
  readonly entries: readonly Entry[];
  /** To be installed in storage and state machine. */
  readonly snapshot: Snapshot | undefined;
  /** To be applied, in order. */
  readonly committedEntries: readonly Entry[];
  /**
   * To be sent: in synchronous mode after entries, hard state and snapshot are durable; in
   * asynchronous mode at once, with MsgStorageAppend and MsgStorageApply last.
   */
  readonly messages: readonly Message[];
  /** The write must be synced: there are entries, or term or vote changed. */
  readonly mustSync: boolean;
}

/** What was handed out last, to tell what changed. */
export interface HandedOut {
  readonly softState: SoftState;
  readonly hardState: HardState;
}

/** Builds a Ready of what has collected; the caller accepts it by starting new lists. */
export function buildReady(raft: Raft, before: HandedOut): Ready {
  const { log } = raft;
  const { asyncStorageWrites } = raft.config;
  const soft = raft.softState();
  const hard = raft.hardState();
  const entries = log.unstable.nextEntries();
  const softChanged = soft.lead !== before.softState.lead || soft.state !== before.softState.state;
  const { term, vote } = before.hardState;
  // The caller starts a new list: this one belongs to the Ready.
  const messages = raft.messages;
  const ready: Ready = {
    softState: softChanged ? soft : undefined,
    hardState: hardStatesEqual(hard, before.hardState) ? undefined : hard,
    readStates: raft.readStates,
    entries,
    snapshot: log.unstable.nextSnapshot(),
    committedEntries: log.nextCommitted(!asyncStorageWrites),
    messages,
    mustSync: entries.length > 0 || hard.vote !== vote || hard.term !== term,
  };
  if (asyncStorageWrites) {
    const append = storageAppend(raft, ready);
    if (append !== undefined) messages.push(append);
    if (ready.committedEntries.length > 0) {
      messages.push(storageApply(raft, ready.committedEntries));
    }
  } else {
    for (const m of raft.messagesAfterAppend) if (m.to !== raft.id) messages.push(m);
  }
  return ready;
}

const NOWHERE: Position = Object.freeze({ index: 0 as LogIndex, term: 0 as Term });

type Writes = Pick<Ready, "entries" | "hardState" | "snapshot">;

/** The write of a Ready as a message, with everything that must wait for it as responses. */
function storageAppend(raft: Raft, writes: Writes): Message | undefined {
  const { entries, hardState, snapshot } = writes;
  const waiting = raft.messagesAfterAppend;
  const nothing = entries.length === 0 && hardState === undefined && snapshot === undefined;
  if (nothing && waiting.length === 0) return undefined;
  // Our own acknowledgement comes before "stable": it can then look terms up in the unstable log.
  const done = storageAppendDone(raft, snapshot);
  // The caller starts a new list: this one belongs to the message.
  if (done !== undefined) waiting.push(done);
  const { term, vote, commit } = hardState ?? EMPTY_HARD_STATE;
  return makeMessage({
    type: "MsgStorageAppend",
    to: LOCAL_APPEND_THREAD,
    from: raft.id,
    entries,
    snapshot,
    responses: waiting,
    term,
    vote,
    commit,
  });
}

/**
 * The answer that tells the node what is stable. It names the last entry of the whole log, whether
 * or not this write contains it, and the current term. An answer of an earlier term is ignored for
 * entries, because a later write may be about to overwrite them (see step.ts); as every change of
 * term causes a write, the next answer makes up for the ignored one.
 */
export function storageAppendDone(raft: Raft, snapshot: Snapshot | undefined): Message | undefined {
  const hasEntries = raft.log.unstable.length > 0;
  if (!hasEntries && snapshot === undefined) return undefined;
  const { index, term } = hasEntries ? raft.log.last() : NOWHERE;
  return makeMessage({
    type: "MsgStorageAppendResp",
    to: raft.id,
    from: LOCAL_APPEND_THREAD,
    term: raft.term,
    snapshot,
    index,
    logTerm: term,
  });
}

function storageApply(raft: Raft, entries: readonly Entry[]): Message {
  return makeMessage({
    type: "MsgStorageApply",
    to: LOCAL_APPLY_THREAD,
    from: raft.id,
    entries,
    responses: [storageApplyDone(raft, entries)],
  });
}

/** The answer that tells the node what is applied. */
export function storageApplyDone(raft: Raft, entries: readonly Entry[]): Message {
  return makeMessage({
    type: "MsgStorageApplyResp",
    to: raft.id,
    from: LOCAL_APPLY_THREAD,
    entries,
  });
}
