// The part of raft-ts that this package speaks, in one place: the read side of the log that the core
// asks synchronously, the data that crosses, and the two errors the core tells apart.

export { CompactedError, EMPTY_CONF_STATE, UnavailableError, limitEntries } from "raft-ts";
export type {
  ConfState,
  Entry,
  EntryType,
  HardState,
  InitialState,
  LogIndex,
  LogStorage,
  NodeId,
  Snapshot,
  Term,
} from "raft-ts";
