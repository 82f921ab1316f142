// Original file: proto/kingly/config/v1/config.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { GetProposalRequest as _kingly_config_v1_GetProposalRequest, GetProposalRequest__Output as _kingly_config_v1_GetProposalRequest__Output } from '../../../kingly/config/v1/GetProposalRequest.ts';
import type { GetRequest as _kingly_config_v1_GetRequest, GetRequest__Output as _kingly_config_v1_GetRequest__Output } from '../../../kingly/config/v1/GetRequest.ts';
import type { GetResponse as _kingly_config_v1_GetResponse, GetResponse__Output as _kingly_config_v1_GetResponse__Output } from '../../../kingly/config/v1/GetResponse.ts';
import type { ListRequest as _kingly_config_v1_ListRequest, ListRequest__Output as _kingly_config_v1_ListRequest__Output } from '../../../kingly/config/v1/ListRequest.ts';
import type { ListResponse as _kingly_config_v1_ListResponse, ListResponse__Output as _kingly_config_v1_ListResponse__Output } from '../../../kingly/config/v1/ListResponse.ts';
import type { ProposalState as _kingly_config_v1_ProposalState, ProposalState__Output as _kingly_config_v1_ProposalState__Output } from '../../../kingly/config/v1/ProposalState.ts';
import type { ProposeRequest as _kingly_config_v1_ProposeRequest, ProposeRequest__Output as _kingly_config_v1_ProposeRequest__Output } from '../../../kingly/config/v1/ProposeRequest.ts';
import type { ProposeResponse as _kingly_config_v1_ProposeResponse, ProposeResponse__Output as _kingly_config_v1_ProposeResponse__Output } from '../../../kingly/config/v1/ProposeResponse.ts';
import type { WatchEvent as _kingly_config_v1_WatchEvent, WatchEvent__Output as _kingly_config_v1_WatchEvent__Output } from '../../../kingly/config/v1/WatchEvent.ts';
import type { WatchRequest as _kingly_config_v1_WatchRequest, WatchRequest__Output as _kingly_config_v1_WatchRequest__Output } from '../../../kingly/config/v1/WatchRequest.ts';
import type { WriteRequest as _kingly_config_v1_WriteRequest, WriteRequest__Output as _kingly_config_v1_WriteRequest__Output } from '../../../kingly/config/v1/WriteRequest.ts';
import type { WriteResponse as _kingly_config_v1_WriteResponse, WriteResponse__Output as _kingly_config_v1_WriteResponse__Output } from '../../../kingly/config/v1/WriteResponse.ts';

export interface ConfigServiceClient extends grpc.Client {
  Get(argument: _kingly_config_v1_GetRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_kingly_config_v1_GetResponse__Output>): grpc.ClientUnaryCall;
  Get(argument: _kingly_config_v1_GetRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_kingly_config_v1_GetResponse__Output>): grpc.ClientUnaryCall;
  Get(argument: _kingly_config_v1_GetRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_kingly_config_v1_GetResponse__Output>): grpc.ClientUnaryCall;
  Get(argument: _kingly_config_v1_GetRequest, callback: grpc.requestCallback<_kingly_config_v1_GetResponse__Output>): grpc.ClientUnaryCall;
  get(argument: _kingly_config_v1_GetRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_kingly_config_v1_GetResponse__Output>): grpc.ClientUnaryCall;
  get(argument: _kingly_config_v1_GetRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_kingly_config_v1_GetResponse__Output>): grpc.ClientUnaryCall;
  get(argument: _kingly_config_v1_GetRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_kingly_config_v1_GetResponse__Output>): grpc.ClientUnaryCall;
  get(argument: _kingly_config_v1_GetRequest, callback: grpc.requestCallback<_kingly_config_v1_GetResponse__Output>): grpc.ClientUnaryCall;
  
  GetProposal(argument: _kingly_config_v1_GetProposalRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_kingly_config_v1_ProposalState__Output>): grpc.ClientUnaryCall;
  GetProposal(argument: _kingly_config_v1_GetProposalRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_kingly_config_v1_ProposalState__Output>): grpc.ClientUnaryCall;
  GetProposal(argument: _kingly_config_v1_GetProposalRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_kingly_config_v1_ProposalState__Output>): grpc.ClientUnaryCall;
  GetProposal(argument: _kingly_config_v1_GetProposalRequest, callback: grpc.requestCallback<_kingly_config_v1_ProposalState__Output>): grpc.ClientUnaryCall;
  getProposal(argument: _kingly_config_v1_GetProposalRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_kingly_config_v1_ProposalState__Output>): grpc.ClientUnaryCall;
  getProposal(argument: _kingly_config_v1_GetProposalRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_kingly_config_v1_ProposalState__Output>): grpc.ClientUnaryCall;
  getProposal(argument: _kingly_config_v1_GetProposalRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_kingly_config_v1_ProposalState__Output>): grpc.ClientUnaryCall;
  getProposal(argument: _kingly_config_v1_GetProposalRequest, callback: grpc.requestCallback<_kingly_config_v1_ProposalState__Output>): grpc.ClientUnaryCall;
  
  List(argument: _kingly_config_v1_ListRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_kingly_config_v1_ListResponse__Output>): grpc.ClientUnaryCall;
  List(argument: _kingly_config_v1_ListRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_kingly_config_v1_ListResponse__Output>): grpc.ClientUnaryCall;
  List(argument: _kingly_config_v1_ListRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_kingly_config_v1_ListResponse__Output>): grpc.ClientUnaryCall;
  List(argument: _kingly_config_v1_ListRequest, callback: grpc.requestCallback<_kingly_config_v1_ListResponse__Output>): grpc.ClientUnaryCall;
  list(argument: _kingly_config_v1_ListRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_kingly_config_v1_ListResponse__Output>): grpc.ClientUnaryCall;
  list(argument: _kingly_config_v1_ListRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_kingly_config_v1_ListResponse__Output>): grpc.ClientUnaryCall;
  list(argument: _kingly_config_v1_ListRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_kingly_config_v1_ListResponse__Output>): grpc.ClientUnaryCall;
  list(argument: _kingly_config_v1_ListRequest, callback: grpc.requestCallback<_kingly_config_v1_ListResponse__Output>): grpc.ClientUnaryCall;
  
  Propose(argument: _kingly_config_v1_ProposeRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_kingly_config_v1_ProposeResponse__Output>): grpc.ClientUnaryCall;
  Propose(argument: _kingly_config_v1_ProposeRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_kingly_config_v1_ProposeResponse__Output>): grpc.ClientUnaryCall;
  Propose(argument: _kingly_config_v1_ProposeRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_kingly_config_v1_ProposeResponse__Output>): grpc.ClientUnaryCall;
  Propose(argument: _kingly_config_v1_ProposeRequest, callback: grpc.requestCallback<_kingly_config_v1_ProposeResponse__Output>): grpc.ClientUnaryCall;
  propose(argument: _kingly_config_v1_ProposeRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_kingly_config_v1_ProposeResponse__Output>): grpc.ClientUnaryCall;
  propose(argument: _kingly_config_v1_ProposeRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_kingly_config_v1_ProposeResponse__Output>): grpc.ClientUnaryCall;
  propose(argument: _kingly_config_v1_ProposeRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_kingly_config_v1_ProposeResponse__Output>): grpc.ClientUnaryCall;
  propose(argument: _kingly_config_v1_ProposeRequest, callback: grpc.requestCallback<_kingly_config_v1_ProposeResponse__Output>): grpc.ClientUnaryCall;
  
  Watch(argument: _kingly_config_v1_WatchRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_kingly_config_v1_WatchEvent__Output>;
  Watch(argument: _kingly_config_v1_WatchRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_kingly_config_v1_WatchEvent__Output>;
  watch(argument: _kingly_config_v1_WatchRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_kingly_config_v1_WatchEvent__Output>;
  watch(argument: _kingly_config_v1_WatchRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_kingly_config_v1_WatchEvent__Output>;
  
  WatchProposal(argument: _kingly_config_v1_GetProposalRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_kingly_config_v1_ProposalState__Output>;
  WatchProposal(argument: _kingly_config_v1_GetProposalRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_kingly_config_v1_ProposalState__Output>;
  watchProposal(argument: _kingly_config_v1_GetProposalRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_kingly_config_v1_ProposalState__Output>;
  watchProposal(argument: _kingly_config_v1_GetProposalRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_kingly_config_v1_ProposalState__Output>;
  
  Write(argument: _kingly_config_v1_WriteRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_kingly_config_v1_WriteResponse__Output>): grpc.ClientUnaryCall;
  Write(argument: _kingly_config_v1_WriteRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_kingly_config_v1_WriteResponse__Output>): grpc.ClientUnaryCall;
  Write(argument: _kingly_config_v1_WriteRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_kingly_config_v1_WriteResponse__Output>): grpc.ClientUnaryCall;
  Write(argument: _kingly_config_v1_WriteRequest, callback: grpc.requestCallback<_kingly_config_v1_WriteResponse__Output>): grpc.ClientUnaryCall;
  write(argument: _kingly_config_v1_WriteRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_kingly_config_v1_WriteResponse__Output>): grpc.ClientUnaryCall;
  write(argument: _kingly_config_v1_WriteRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_kingly_config_v1_WriteResponse__Output>): grpc.ClientUnaryCall;
  write(argument: _kingly_config_v1_WriteRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_kingly_config_v1_WriteResponse__Output>): grpc.ClientUnaryCall;
  write(argument: _kingly_config_v1_WriteRequest, callback: grpc.requestCallback<_kingly_config_v1_WriteResponse__Output>): grpc.ClientUnaryCall;
  
}

export interface ConfigServiceHandlers extends grpc.UntypedServiceImplementation {
  Get: grpc.handleUnaryCall<_kingly_config_v1_GetRequest__Output, _kingly_config_v1_GetResponse>;
  
  GetProposal: grpc.handleUnaryCall<_kingly_config_v1_GetProposalRequest__Output, _kingly_config_v1_ProposalState>;
  
  List: grpc.handleUnaryCall<_kingly_config_v1_ListRequest__Output, _kingly_config_v1_ListResponse>;
  
  Propose: grpc.handleUnaryCall<_kingly_config_v1_ProposeRequest__Output, _kingly_config_v1_ProposeResponse>;
  
  Watch: grpc.handleServerStreamingCall<_kingly_config_v1_WatchRequest__Output, _kingly_config_v1_WatchEvent>;
  
  WatchProposal: grpc.handleServerStreamingCall<_kingly_config_v1_GetProposalRequest__Output, _kingly_config_v1_ProposalState>;
  
  Write: grpc.handleUnaryCall<_kingly_config_v1_WriteRequest__Output, _kingly_config_v1_WriteResponse>;
  
}

export interface ConfigServiceDefinition extends grpc.ServiceDefinition {
  Get: MethodDefinition<_kingly_config_v1_GetRequest, _kingly_config_v1_GetResponse, _kingly_config_v1_GetRequest__Output, _kingly_config_v1_GetResponse__Output>
  GetProposal: MethodDefinition<_kingly_config_v1_GetProposalRequest, _kingly_config_v1_ProposalState, _kingly_config_v1_GetProposalRequest__Output, _kingly_config_v1_ProposalState__Output>
  List: MethodDefinition<_kingly_config_v1_ListRequest, _kingly_config_v1_ListResponse, _kingly_config_v1_ListRequest__Output, _kingly_config_v1_ListResponse__Output>
  Propose: MethodDefinition<_kingly_config_v1_ProposeRequest, _kingly_config_v1_ProposeResponse, _kingly_config_v1_ProposeRequest__Output, _kingly_config_v1_ProposeResponse__Output>
  Watch: MethodDefinition<_kingly_config_v1_WatchRequest, _kingly_config_v1_WatchEvent, _kingly_config_v1_WatchRequest__Output, _kingly_config_v1_WatchEvent__Output>
  WatchProposal: MethodDefinition<_kingly_config_v1_GetProposalRequest, _kingly_config_v1_ProposalState, _kingly_config_v1_GetProposalRequest__Output, _kingly_config_v1_ProposalState__Output>
  Write: MethodDefinition<_kingly_config_v1_WriteRequest, _kingly_config_v1_WriteResponse, _kingly_config_v1_WriteRequest__Output, _kingly_config_v1_WriteResponse__Output>
}
