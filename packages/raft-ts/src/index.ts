// raft-ts: a pure, deterministic Raft core. Start at RawNode; README.md has a working example and the
// contract of Ready.
export {
  LOCAL_APPEND_THREAD,
  LOCAL_APPLY_THREAD,
  NO_NODE,
  isLocalTarget,
  logIndex,
  nodeId,
  term,
} from "./ids.ts";
export type { LogIndex, NodeId, Term } from "./ids.ts";
export {
  EMPTY_BYTES,
  EMPTY_CONF_STATE,
  EMPTY_HARD_STATE,
  EMPTY_SNAPSHOT,
  entriesBytes,
  entryBytes,
  hardStatesEqual,
  isConfChangeEntry,
  isEmptyHardState,
  isEmptySnapshot,
  limitEntries,
  payloadBytes,
} from "./types.ts";
export type {
  ConfState,
  DropReason,
  Entry,
  EntryType,
  HardState,
  ProposeResult,
  RaftState,
  ReadState,
  Snapshot,
  SnapshotMetadata,
  SoftState,
} from "./types.ts";
export { MESSAGE_TYPES, isLocalMessage, isResponseMessage, makeMessage } from "./messages.ts";
export type { Message, MessageInit, MessageType } from "./messages.ts";
export {
  CompactedError,
  ConfChangeDecodeError,
  InvalidConfChangeError,
  InvalidConfigError,
  InvalidMessageError,
  RaftError,
  RaftInvariantError,
  SnapshotOutOfDateError,
  SnapshotTemporarilyUnavailableError,
  StepLocalMessageError,
  StepPeerNotFoundError,
  UnavailableError,
} from "./errors.ts";
export type { ConfChangeFault } from "./errors.ts";
export {
  ENTRY_OVERHEAD_BYTES,
  MAX_CONF_CHANGES,
  MAX_CONF_CHANGE_CONTEXT_BYTES,
  MAX_FORWARDED_READS,
  MAX_PENDING_READS,
  MAX_PREFERENCE_PAUSE,
  MAX_PROMOTION_ROUNDS,
  MAX_TIMEOUT_TICKS,
  NO_LIMIT,
} from "./limits.ts";
export { validate } from "./config.ts";
export type { RaftConfig, ReadOnlyOption, RecoveryMark, ResolvedConfig } from "./config.ts";
export type { InitialState, LogStorage } from "./storage.ts";
export { MemoryLogStorage } from "./memory-storage.ts";
export { LEAVE_JOINT, asV2, entersJoint, leavesJoint } from "./confchange/types.ts";
export type {
  ConfChange,
  ConfChangeSingle,
  ConfChangeTransition,
  ConfChangeType,
  ConfChangeV1,
  ConfChangeV2,
} from "./confchange/types.ts";
export { confChangeOfEntry, decodeConfChange, encodeConfChange } from "./confchange/codec.ts";
export type { Ready } from "./ready.ts";
export type { ProgressState } from "./tracker/progress.ts";
export type { BasicStatus, CatchUpStatus, ProgressStatus, Status } from "./status.ts";
export type { CompactionPolicy } from "./compaction.ts";
export { RawNode } from "./raw-node.ts";
export type {
  ElectionEvent,
  LogEnd,
  LogEvent,
  Position,
  ReplicationEvent,
  RequestEvent,
  TraceEvent,
  TraceEventOf,
  TraceKind,
  TraceSink,
  VoteView,
} from "./trace.ts";
export { renderTrace } from "./trace-render.ts";
export type { TraceLevel, TraceLine } from "./trace-render.ts";
export {
  describeChanges,
  describeConfState,
  describeEntries,
  describeEntry,
  describeHardState,
  describeMessage,
  describeReady,
  describeSnapshot,
  describeSoftState,
  stateName,
} from "./describe.ts";
