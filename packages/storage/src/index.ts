// Durable storage of one server on level: raft log with a mark, revisioned objects, snapshots.

export { initDirectory } from "./init-directory.ts";
export type { InitOptions } from "./init-directory.ts";
export { openStorage } from "./open-storage.ts";
export type { OpenOptions } from "./open-storage.ts";
export { Storage } from "./storage.ts";
export { readIdentity } from "./identity.ts";
export type { ExpectedIdentity, Identity } from "./identity.ts";
export { RaftLogStore } from "./raft-log-store.ts";
export type { LogUpdate } from "./raft-log-store.ts";
export type { RecoveryInfo } from "./log-recovery.ts";
export { ObjectStore } from "./object-store.ts";
export type { Commit, RowChange } from "./object-store.ts";
export type { ObjectMeta } from "./meta.ts";
export type { ChangeType, HistoryEntry, HistoryLimits } from "./history.ts";
export type { WindowLimits } from "./log-window.ts";
export type { SnapshotChunk } from "./snapshot-codec.ts";
export type { SnapshotExport } from "./snapshot-export.ts";
export type { RowSource } from "./snapshot-import.ts";
export type {
  BatchOperation,
  Disk,
  KeyRange,
  KeyValue,
  KeyValueStore,
  SyncedFile,
} from "./disk.ts";
export { nodeDisk } from "./node-disk.ts";
export { MemoryDisk } from "./memory-disk.ts";
export type { CrashOptions } from "./memory-disk.ts";
export { MemoryStoreState } from "./memory-store.ts";
export { faultyDisk } from "./faulty-disk.ts";
export type { DiskOperation, Fault, FaultPlan } from "./faulty-disk.ts";
export { markPath, storePath } from "./init-directory.ts";
export { SNAPSHOT_CHUNK_BYTES, TRAILING_ENTRIES } from "./limits.ts";
