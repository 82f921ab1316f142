// Names for the generated wire types: `X` is what arrives (all fields present), `XInput` what may be
// sent (fields optional). Raft's types carry a prefix, because the library has the same words.

export type {
  ConfigServiceClient,
  ConfigServiceHandlers,
  ConfigServiceDefinition,
} from "./gen/kingly/config/v1/ConfigService.ts";
export type {
  GetProposalRequest as GetProposalRequestInput,
  GetProposalRequest__Output as GetProposalRequest,
} from "./gen/kingly/config/v1/GetProposalRequest.ts";
export type {
  GetRequest as GetRequestInput,
  GetRequest__Output as GetRequest,
} from "./gen/kingly/config/v1/GetRequest.ts";
export type {
  GetResponse as GetResponseInput,
  GetResponse__Output as GetResponse,
} from "./gen/kingly/config/v1/GetResponse.ts";
export type {
  ListRequest as ListRequestInput,
  ListRequest__Output as ListRequest,
} from "./gen/kingly/config/v1/ListRequest.ts";
export type {
  ListResponse as ListResponseInput,
  ListResponse__Output as ListResponse,
} from "./gen/kingly/config/v1/ListResponse.ts";
export type {
  ProposalState as ProposalStateInput,
  ProposalState__Output as ProposalState,
} from "./gen/kingly/config/v1/ProposalState.ts";
export type {
  ProposeRequest as ProposeRequestInput,
  ProposeRequest__Output as ProposeRequest,
} from "./gen/kingly/config/v1/ProposeRequest.ts";
export type {
  ProposeResponse as ProposeResponseInput,
  ProposeResponse__Output as ProposeResponse,
} from "./gen/kingly/config/v1/ProposeResponse.ts";
export type {
  WatchEvent as WatchEventInput,
  WatchEvent__Output as WatchEvent,
} from "./gen/kingly/config/v1/WatchEvent.ts";
export type {
  WatchRequest as WatchRequestInput,
  WatchRequest__Output as WatchRequest,
} from "./gen/kingly/config/v1/WatchRequest.ts";
export type {
  WriteRequest as WriteRequestInput,
  WriteRequest__Output as WriteRequest,
} from "./gen/kingly/config/v1/WriteRequest.ts";
export type {
  WriteResponse as WriteResponseInput,
  WriteResponse__Output as WriteResponse,
} from "./gen/kingly/config/v1/WriteResponse.ts";
export type { Ack as AckInput, Ack__Output as Ack } from "./gen/kingly/agent/v1/Ack.ts";
export type {
  ActiveConfig as ActiveConfigInput,
  ActiveConfig__Output as ActiveConfig,
} from "./gen/kingly/agent/v1/ActiveConfig.ts";
export type {
  AgentMessage as AgentMessageInput,
  AgentMessage__Output as AgentMessage,
} from "./gen/kingly/agent/v1/AgentMessage.ts";
export type {
  AgentServiceClient,
  AgentServiceHandlers,
  AgentServiceDefinition,
} from "./gen/kingly/agent/v1/AgentService.ts";
export type {
  EnrollRequest as EnrollRequestInput,
  EnrollRequest__Output as EnrollRequest,
} from "./gen/kingly/agent/v1/EnrollRequest.ts";
export type {
  EnrollResponse as EnrollResponseInput,
  EnrollResponse__Output as EnrollResponse,
} from "./gen/kingly/agent/v1/EnrollResponse.ts";
export type {
  Heartbeat as HeartbeatInput,
  Heartbeat__Output as Heartbeat,
} from "./gen/kingly/agent/v1/Heartbeat.ts";
export type { Hello as HelloInput, Hello__Output as Hello } from "./gen/kingly/agent/v1/Hello.ts";
export type { Nack as NackInput, Nack__Output as Nack } from "./gen/kingly/agent/v1/Nack.ts";
export type { Push as PushInput, Push__Output as Push } from "./gen/kingly/agent/v1/Push.ts";
export type {
  ServerMessage as ServerMessageInput,
  ServerMessage__Output as ServerMessage,
} from "./gen/kingly/agent/v1/ServerMessage.ts";
export type {
  Submission as SubmissionInput,
  Submission__Output as Submission,
} from "./gen/kingly/agent/v1/Submission.ts";
export type {
  SubmissionResult as SubmissionResultInput,
  SubmissionResult__Output as SubmissionResult,
} from "./gen/kingly/agent/v1/SubmissionResult.ts";
export type {
  TrialCancel as TrialCancelInput,
  TrialCancel__Output as TrialCancel,
} from "./gen/kingly/agent/v1/TrialCancel.ts";
export type {
  VetoRequest as VetoRequestInput,
  VetoRequest__Output as VetoRequest,
} from "./gen/kingly/agent/v1/VetoRequest.ts";
export type {
  Welcome as WelcomeInput,
  Welcome__Output as Welcome,
} from "./gen/kingly/agent/v1/Welcome.ts";
export type {
  ClusterServiceClient,
  ClusterServiceHandlers,
  ClusterServiceDefinition,
} from "./gen/kingly/admin/v1/ClusterService.ts";
export type {
  Member as MemberInput,
  Member__Output as Member,
} from "./gen/kingly/admin/v1/Member.ts";
export type {
  StatusRequest as StatusRequestInput,
  StatusRequest__Output as StatusRequest,
} from "./gen/kingly/admin/v1/StatusRequest.ts";
export type {
  StatusResponse as StatusResponseInput,
  StatusResponse__Output as StatusResponse,
} from "./gen/kingly/admin/v1/StatusResponse.ts";
export type {
  ConfState as RaftConfStateInput,
  ConfState__Output as RaftConfState,
} from "./gen/kingly/raft/v1/ConfState.ts";
export type {
  Entry as RaftEntryInput,
  Entry__Output as RaftEntry,
} from "./gen/kingly/raft/v1/Entry.ts";
export type {
  ForwardRequest as ForwardRequestInput,
  ForwardRequest__Output as ForwardRequest,
} from "./gen/kingly/raft/v1/ForwardRequest.ts";
export type {
  ForwardResponse as ForwardResponseInput,
  ForwardResponse__Output as ForwardResponse,
} from "./gen/kingly/raft/v1/ForwardResponse.ts";
export type {
  Frame as RaftFrameInput,
  Frame__Output as RaftFrame,
} from "./gen/kingly/raft/v1/Frame.ts";
export type {
  Message as RaftMessageInput,
  Message__Output as RaftMessage,
} from "./gen/kingly/raft/v1/Message.ts";
export type {
  MessageBatch as RaftMessageBatchInput,
  MessageBatch__Output as RaftMessageBatch,
} from "./gen/kingly/raft/v1/MessageBatch.ts";
export type {
  RaftTransportClient,
  RaftTransportHandlers,
  RaftTransportDefinition,
} from "./gen/kingly/raft/v1/RaftTransport.ts";
export type {
  SnapshotChunk as RaftSnapshotChunkInput,
  SnapshotChunk__Output as RaftSnapshotChunk,
} from "./gen/kingly/raft/v1/SnapshotChunk.ts";
export type {
  SnapshotMetadata as RaftSnapshotMetadataInput,
  SnapshotMetadata__Output as RaftSnapshotMetadata,
} from "./gen/kingly/raft/v1/SnapshotMetadata.ts";
export type {
  StreamEnd as RaftStreamEndInput,
  StreamEnd__Output as RaftStreamEnd,
} from "./gen/kingly/raft/v1/StreamEnd.ts";
