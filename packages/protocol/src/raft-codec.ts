// Raft messages between the library's form and the wire's. Exhaustive in both directions, strict on
// the way in: unknown types, local-only types, unsafe integers and entries that are not consecutive
// are refused with the field's name before the core ever sees them. Snapshot data never travels
// inside a message; it follows as chunks.
import { KinglyError, unreachable } from "@kingly/base";
import { MESSAGE_TYPES, isLocalMessage, makeMessage } from "raft-ts";
import type { ConfState, Entry, EntryType, LogIndex, Message, NodeId, Term } from "raft-ts";
import type { ConfState as WireConfState } from "./gen/kingly/raft/v1/ConfState.ts";
import type { ConfState__Output } from "./gen/kingly/raft/v1/ConfState.ts";
import type { Entry as WireEntry, Entry__Output } from "./gen/kingly/raft/v1/Entry.ts";
import type { Message as WireMessage, Message__Output } from "./gen/kingly/raft/v1/Message.ts";
import type { SnapshotMetadata__Output } from "./gen/kingly/raft/v1/SnapshotMetadata.ts";
import { CONF_STATE_NODES_MAX, MESSAGE_CONTEXT_BYTES_MAX, MESSAGE_ENTRIES_MAX } from "./limits.ts";
import { safeUint } from "./services.ts";

const ENTRY_TYPES: readonly EntryType[] = ["normal", "conf-change", "conf-change-v2"];
const EMPTY = new Uint8Array(0);
const TYPE_NUMBERS: ReadonlyMap<string, number> = new Map(
  MESSAGE_TYPES.map((type, number) => [type, number]),
);

function malformed(field: string, message: string, value?: string | number): KinglyError {
  return new KinglyError(
    "MalformedFrame",
    message,
    value === undefined ? { field } : { field, value },
  );
}

function entryTypeNumber(type: EntryType): number {
  switch (type) {
    case "normal":
      return 0;
    case "conf-change":
      return 1;
    case "conf-change-v2":
      return 2;
    default:
      return unreachable(type, "entry type");
  }
}

// One entry usually goes to several peers; its wire form is made once.
const wireEntries = new WeakMap<Entry, WireEntry>();

function encodeEntry(entry: Entry): WireEntry {
  const known = wireEntries.get(entry);
  if (known !== undefined) return known;
  const wire: WireEntry = {
    term: entry.term,
    index: entry.index,
    type: entryTypeNumber(entry.type),
    data: entry.data,
  };
  wireEntries.set(entry, wire);
  return wire;
}

function encodeConfState(state: ConfState): WireConfState {
  return {
    voters: [...state.voters],
    learners: [...state.learners],
    votersOutgoing: [...state.votersOutgoing],
    learnersNext: [...state.learnersNext],
    autoLeave: state.autoLeave,
    configId: state.configId ?? 0,
  };
}

/**
 * Wire form of a message between servers. Local message types and nested responses never leave a
 * process: Internal. The data of a snapshot is left out.
 */
export function encodeRaftMessage(message: Message): WireMessage {
  const number = TYPE_NUMBERS.get(message.type);
  if (number === undefined || isLocalMessage(message.type) || message.responses.length > 0) {
    throw new KinglyError("Internal", `raft message ${message.type} must not leave the process`);
  }
  const metadata = message.snapshot?.metadata;
  return {
    type: number,
    to: message.to,
    from: message.from,
    term: message.term,
    logTerm: message.logTerm,
    index: message.index,
    commit: message.commit,
    vote: message.vote,
    reject: message.reject,
    rejectHint: message.rejectHint,
    context: message.context ?? EMPTY,
    entries: message.entries.map(encodeEntry),
    snapshot:
      metadata === undefined
        ? null
        : {
            index: metadata.index,
            term: metadata.term,
            confState: encodeConfState(metadata.confState),
          },
  };
}

function bytesOf(buffer: Uint8Array): Uint8Array {
  // A view without Buffer's methods, and without keeping a whole frame alive for a small field.
  return new Uint8Array(buffer);
}

function decodeEntries(wire: readonly Entry__Output[]): readonly Entry[] {
  if (wire.length > MESSAGE_ENTRIES_MAX) {
    throw malformed("entries", `more than ${MESSAGE_ENTRIES_MAX} entries`, wire.length);
  }
  const entries: Entry[] = [];
  let expected = 0;
  for (const item of wire) {
    const type = ENTRY_TYPES[item.type];
    if (type === undefined) throw malformed("entries.type", "unknown entry type", item.type);
    const index = safeUint(item.index, "entries.index");
    if (expected !== 0 && index !== expected) {
      throw malformed("entries.index", `entry index must be ${expected}`, index);
    }
    expected = index + 1;
    entries.push({
      term: safeUint(item.term, "entries.term") as Term,
      index: index as LogIndex,
      type,
      data: bytesOf(item.data),
    });
  }
  return entries;
}

function decodeIds(ids: readonly number[], field: string): readonly NodeId[] {
  if (ids.length > CONF_STATE_NODES_MAX) {
    throw malformed(field, `more than ${CONF_STATE_NODES_MAX} members`, ids.length);
  }
  return ids.map((id) => safeUint(id, field) as NodeId);
}

function decodeConfState(wire: ConfState__Output): ConfState {
  const configId = safeUint(wire.configId, "confState.configId") as LogIndex;
  const state: ConfState = {
    voters: decodeIds(wire.voters, "confState.voters"),
    learners: decodeIds(wire.learners, "confState.learners"),
    votersOutgoing: decodeIds(wire.votersOutgoing, "confState.votersOutgoing"),
    learnersNext: decodeIds(wire.learnersNext, "confState.learnersNext"),
    autoLeave: wire.autoLeave,
  };
  return configId === 0 ? state : { ...state, configId };
}

function decodeSnapshot(wire: SnapshotMetadata__Output): Message["snapshot"] {
  if (wire.confState === null) throw malformed("snapshot.confState", "snapshot without members");
  return {
    data: EMPTY,
    metadata: {
      confState: decodeConfState(wire.confState),
      index: safeUint(wire.index, "snapshot.index") as LogIndex,
      term: safeUint(wire.term, "snapshot.term") as Term,
    },
  };
}

/** The message a peer sent. Throws MalformedFrame naming the field. */
export function decodeRaftMessage(wire: Message__Output): Message {
  const type = MESSAGE_TYPES[wire.type];
  if (type === undefined) throw malformed("type", "unknown raft message type", wire.type);
  if (isLocalMessage(type)) throw malformed("type", "a local raft message came from a peer", type);
  if (wire.context.length > MESSAGE_CONTEXT_BYTES_MAX) {
    throw malformed(
      "context",
      `longer than ${MESSAGE_CONTEXT_BYTES_MAX} bytes`,
      wire.context.length,
    );
  }
  return makeMessage({
    type,
    to: safeUint(wire.to, "to") as NodeId,
    from: safeUint(wire.from, "from") as NodeId,
    term: safeUint(wire.term, "term") as Term,
    logTerm: safeUint(wire.logTerm, "logTerm") as Term,
    index: safeUint(wire.index, "index") as LogIndex,
    commit: safeUint(wire.commit, "commit") as LogIndex,
    vote: safeUint(wire.vote, "vote") as NodeId,
    reject: wire.reject,
    rejectHint: safeUint(wire.rejectHint, "rejectHint") as LogIndex,
    context: wire.context.length === 0 ? undefined : bytesOf(wire.context),
    entries: decodeEntries(wire.entries),
    snapshot: wire.snapshot === null ? undefined : decodeSnapshot(wire.snapshot),
  });
}
