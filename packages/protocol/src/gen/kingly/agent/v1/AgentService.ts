// Original file: proto/kingly/agent/v1/agent.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { AgentMessage as _kingly_agent_v1_AgentMessage, AgentMessage__Output as _kingly_agent_v1_AgentMessage__Output } from '../../../kingly/agent/v1/AgentMessage.ts';
import type { EnrollRequest as _kingly_agent_v1_EnrollRequest, EnrollRequest__Output as _kingly_agent_v1_EnrollRequest__Output } from '../../../kingly/agent/v1/EnrollRequest.ts';
import type { EnrollResponse as _kingly_agent_v1_EnrollResponse, EnrollResponse__Output as _kingly_agent_v1_EnrollResponse__Output } from '../../../kingly/agent/v1/EnrollResponse.ts';
import type { ServerMessage as _kingly_agent_v1_ServerMessage, ServerMessage__Output as _kingly_agent_v1_ServerMessage__Output } from '../../../kingly/agent/v1/ServerMessage.ts';

export interface AgentServiceClient extends grpc.Client {
  Enroll(argument: _kingly_agent_v1_EnrollRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_kingly_agent_v1_EnrollResponse__Output>): grpc.ClientUnaryCall;
  Enroll(argument: _kingly_agent_v1_EnrollRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_kingly_agent_v1_EnrollResponse__Output>): grpc.ClientUnaryCall;
  Enroll(argument: _kingly_agent_v1_EnrollRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_kingly_agent_v1_EnrollResponse__Output>): grpc.ClientUnaryCall;
  Enroll(argument: _kingly_agent_v1_EnrollRequest, callback: grpc.requestCallback<_kingly_agent_v1_EnrollResponse__Output>): grpc.ClientUnaryCall;
  enroll(argument: _kingly_agent_v1_EnrollRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_kingly_agent_v1_EnrollResponse__Output>): grpc.ClientUnaryCall;
  enroll(argument: _kingly_agent_v1_EnrollRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_kingly_agent_v1_EnrollResponse__Output>): grpc.ClientUnaryCall;
  enroll(argument: _kingly_agent_v1_EnrollRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_kingly_agent_v1_EnrollResponse__Output>): grpc.ClientUnaryCall;
  enroll(argument: _kingly_agent_v1_EnrollRequest, callback: grpc.requestCallback<_kingly_agent_v1_EnrollResponse__Output>): grpc.ClientUnaryCall;
  
  Session(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_kingly_agent_v1_AgentMessage, _kingly_agent_v1_ServerMessage__Output>;
  Session(options?: grpc.CallOptions): grpc.ClientDuplexStream<_kingly_agent_v1_AgentMessage, _kingly_agent_v1_ServerMessage__Output>;
  session(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_kingly_agent_v1_AgentMessage, _kingly_agent_v1_ServerMessage__Output>;
  session(options?: grpc.CallOptions): grpc.ClientDuplexStream<_kingly_agent_v1_AgentMessage, _kingly_agent_v1_ServerMessage__Output>;
  
}

export interface AgentServiceHandlers extends grpc.UntypedServiceImplementation {
  Enroll: grpc.handleUnaryCall<_kingly_agent_v1_EnrollRequest__Output, _kingly_agent_v1_EnrollResponse>;
  
  Session: grpc.handleBidiStreamingCall<_kingly_agent_v1_AgentMessage__Output, _kingly_agent_v1_ServerMessage>;
  
}

export interface AgentServiceDefinition extends grpc.ServiceDefinition {
  Enroll: MethodDefinition<_kingly_agent_v1_EnrollRequest, _kingly_agent_v1_EnrollResponse, _kingly_agent_v1_EnrollRequest__Output, _kingly_agent_v1_EnrollResponse__Output>
  Session: MethodDefinition<_kingly_agent_v1_AgentMessage, _kingly_agent_v1_ServerMessage, _kingly_agent_v1_AgentMessage__Output, _kingly_agent_v1_ServerMessage__Output>
}
