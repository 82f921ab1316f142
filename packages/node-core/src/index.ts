// The pure core of an agent: reconcile, trials, guard, vetoes, calibration, tuner, outbox.

export { NodeCore } from "./core.ts";
export { decodeDiskState, emptyDiskState, encodeDiskState } from "./state.ts";
export type { DiskState, SlotState } from "./state.ts";
export type {
  AckState,
  ActiveState,
  AnswerHeader,
  ApplyReason,
  Content,
  DocumentKind,
  Effect,
  NackReason,
  NodeCoreOptions,
  NodeEvent,
  NodeLog,
  OutgoingMessage,
  OwnerKeyLimit,
  SampleValues,
  TunerLimits,
} from "./types.ts";
export { HEARTBEAT_MS, PROGRESS_INTERVAL_MS } from "./limits.ts";
