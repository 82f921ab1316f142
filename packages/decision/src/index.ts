// The replicated state machine of the control plane: commands in, changes out, the same everywhere.

export { decodeCommand, encodeCommand } from "./core/codec.ts";
export { COMMAND_TYPES } from "./core/command.ts";
export type {
  AcksBody,
  AdvanceRolloutBody,
  Command,
  CommandActor,
  CommandType,
  DeadlineBody,
  EnrollNodeBody,
  GenesisBody,
  JoinTokenBody,
  NodeStatusBody,
  ProposeBody,
  ReadSetEntry,
  ReleaseQuarantineBody,
  ResumeRolloutBody,
  RollbackRolloutBody,
  TrialStartBody,
  WithdrawBody,
  WriteBody,
} from "./core/command.ts";
export type { EventObject } from "./core/event-object.ts";
export { StateMachine } from "./core/machine.ts";
export type { MachineOptions, StoredState } from "./core/machine.ts";
export type { AppliedEntry, ApplyResult, Change, Outcome, WriteResult } from "./core/result.ts";
export { timestamp } from "./core/time.ts";
export type { StateMeta, StateView, StoredKind, StoredKinds, StoredObject } from "./core/view.ts";
