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
  DirectCommitBody,
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
export { guardPlanFor } from "./model/guard.ts";
export { INTENT_ANNOTATION, candidateOf } from "./model/queue.ts";
export { contentOf, versionContent } from "./model/content.ts";
export { IMPLICIT_LABELS, selectedNodes } from "./model/selection.ts";
export { contentKey, objectKey } from "./core/keys.ts";
export { isFinal } from "./model/phases.ts";
export { effectiveContent } from "./views/effective.ts";
export type { Effective, HashingView } from "./views/effective.ts";
export { explainProposal, explainVeto } from "./views/explain.ts";
export type {
  KeyChange,
  ObjectiveExplanation,
  ProposalExplanation,
  VetoExplanation,
  VoteExplanation,
} from "./views/explain.ts";
export { adoption, renderNodeConfigs } from "./views/node-configs.ts";
export type { Adoption, NodeConfigFilter } from "./views/node-configs.ts";
export { pendingWork } from "./views/pending.ts";
export type { PendingCommand, SoftView } from "./views/pending.ts";
export { quarantinedChanges } from "./views/quarantine.ts";
export type { QuarantinedChange } from "./views/quarantine.ts";
export { renderAssignments, renderTrialOrders } from "./views/render.ts";
export { ENTROPY_BYTES, ENTRY_BYTES_MAX } from "./limits.ts";
export type { EventObject } from "./core/event-object.ts";
export { StateMachine } from "./core/machine.ts";
export type { MachineOptions, StoredState } from "./core/machine.ts";
export type { AppliedEntry, ApplyResult, Change, Outcome, WriteResult } from "./core/result.ts";
export type { StateMeta, StateView, StoredKind, StoredKinds, StoredObject } from "./core/view.ts";
