// The kinds of the API and the documents that servers and agents exchange.

export { API_VERSION } from "./meta.ts";
export type { ApiObject, Condition, LabelSelector, ObjectMeta } from "./meta.ts";
export type {
  Config,
  ConfigSchema,
  ConfigSchemaSpec,
  ConfigSpec,
  ConfigStatus,
  ConfigVersion,
  ConfigVersionSpec,
  KeyDelta,
  KeyRule,
} from "./kinds/config.ts";
export type {
  ClassTally,
  Proposal,
  ProposalPhase,
  ProposalSource,
  ProposalSpec,
  ProposalStatus,
  ProposalTrial,
  Verdict,
  Veto,
  VetoCause,
  VetoSpec,
  Vote,
  VoteDecision,
  VoteSpec,
} from "./kinds/proposal.ts";
export type { Objective, ObjectiveSpec, Policy, PolicySpec } from "./kinds/policy.ts";
export type {
  Calibration,
  EventSpec,
  Namespace,
  Node,
  NodeConfig,
  NodeConfigSpec,
  NodeConfigStatus,
  NodeSpec,
  NodeStatus,
  Rollout,
  RolloutPhase,
  RolloutSpec,
  RolloutStage,
  RolloutStatus,
} from "./kinds/fleet.ts";
export type {
  Assignment,
  AssignmentPush,
  CalibrationDocument,
  ConfigReference,
  GuardPlan,
  ObjectiveDocument,
  ProposalDocument,
  SignedDocument,
  SignedHeader,
  TrialArm,
  TrialOrder,
  TrialProgress,
  VetoDocument,
  VoteDocument,
} from "./documents.ts";
