// The kinds of the API and the documents that servers and agents exchange.

export { API_VERSION } from "./meta.ts";
export { findCondition, isConditionTrue, setCondition } from "./conditions.ts";
export { defaultPolicySpec } from "./default-policy.ts";
export { KINDS, findKind, kindByAlias, kindByPlural, kindInfo, kindOfPlural } from "./kind-info.ts";
export type { KindInfo, KindName, Verb } from "./kind-info.ts";
export {
  ANNOTATIONS_BYTES_MAX,
  CONTENT_BYTES_MAX,
  DOCUMENT_BYTES_MAX,
  DOCUMENT_DEPTH_MAX,
  NODES_MAX,
  NODE_NAME_CHARS_MAX,
  SCHEMA_BYTES_MAX,
} from "./limits.ts";
export { objectKey, objectKeyPrefix, parseObjectKey } from "./object-key.ts";
export type { ParsedKey } from "./object-key.ts";
export { openApiSchema, renderEvent, servedSchema } from "./openapi.ts";
export { parseDocument } from "./parse-document.ts";
export type { DocumentTypes } from "./parse-document.ts";
export { formatFault } from "./schema/formats.ts";
export type { FormatName } from "./schema/formats.ts";
export { renderOpenApi } from "./schema/openapi.ts";
export type {
  ArraySchema,
  BooleanSchema,
  NumberSchema,
  ObjectSchema,
  Schema,
  StringSchema,
} from "./schema/types.ts";
export { validateStructure } from "./schema/validate.ts";
export type { FieldError, FieldErrorReason, StructuralResult } from "./schema/validate.ts";
export { documentSchema } from "./schemas/documents.ts";
export type { DocumentKind } from "./schemas/documents.ts";
export { validateSemantics, validateUpdate } from "./semantics.ts";
export { SIGNING_DOMAIN, signingBytes } from "./signing.ts";
export type { SigningInput } from "./signing.ts";
export type { Cell } from "./table/cells.ts";
export type { TableColumn } from "./table/columns.ts";
export { tableColumns, tableRow } from "./table/table.ts";
export { fromRfc3339, shortDuration, toRfc3339 } from "./time.ts";
export { invalidObject, validateObject } from "./validate-object.ts";
export type { KindTypes, ObjectOf, ObjectValidation } from "./validate-object.ts";
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
