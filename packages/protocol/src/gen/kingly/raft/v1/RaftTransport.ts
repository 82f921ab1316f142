// Original file: proto/kingly/raft/v1/raft.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { ForwardRequest as _kingly_raft_v1_ForwardRequest, ForwardRequest__Output as _kingly_raft_v1_ForwardRequest__Output } from '../../../kingly/raft/v1/ForwardRequest.ts';
import type { ForwardResponse as _kingly_raft_v1_ForwardResponse, ForwardResponse__Output as _kingly_raft_v1_ForwardResponse__Output } from '../../../kingly/raft/v1/ForwardResponse.ts';
import type { Frame as _kingly_raft_v1_Frame, Frame__Output as _kingly_raft_v1_Frame__Output } from '../../../kingly/raft/v1/Frame.ts';
import type { StreamEnd as _kingly_raft_v1_StreamEnd, StreamEnd__Output as _kingly_raft_v1_StreamEnd__Output } from '../../../kingly/raft/v1/StreamEnd.ts';

export interface RaftTransportClient extends grpc.Client {
  Bulk(metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_kingly_raft_v1_StreamEnd__Output>): grpc.ClientWritableStream<_kingly_raft_v1_Frame>;
  Bulk(metadata: grpc.Metadata, callback: grpc.requestCallback<_kingly_raft_v1_StreamEnd__Output>): grpc.ClientWritableStream<_kingly_raft_v1_Frame>;
  Bulk(options: grpc.CallOptions, callback: grpc.requestCallback<_kingly_raft_v1_StreamEnd__Output>): grpc.ClientWritableStream<_kingly_raft_v1_Frame>;
  Bulk(callback: grpc.requestCallback<_kingly_raft_v1_StreamEnd__Output>): grpc.ClientWritableStream<_kingly_raft_v1_Frame>;
  bulk(metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_kingly_raft_v1_StreamEnd__Output>): grpc.ClientWritableStream<_kingly_raft_v1_Frame>;
  bulk(metadata: grpc.Metadata, callback: grpc.requestCallback<_kingly_raft_v1_StreamEnd__Output>): grpc.ClientWritableStream<_kingly_raft_v1_Frame>;
  bulk(options: grpc.CallOptions, callback: grpc.requestCallback<_kingly_raft_v1_StreamEnd__Output>): grpc.ClientWritableStream<_kingly_raft_v1_Frame>;
  bulk(callback: grpc.requestCallback<_kingly_raft_v1_StreamEnd__Output>): grpc.ClientWritableStream<_kingly_raft_v1_Frame>;
  
  Control(metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_kingly_raft_v1_StreamEnd__Output>): grpc.ClientWritableStream<_kingly_raft_v1_Frame>;
  Control(metadata: grpc.Metadata, callback: grpc.requestCallback<_kingly_raft_v1_StreamEnd__Output>): grpc.ClientWritableStream<_kingly_raft_v1_Frame>;
  Control(options: grpc.CallOptions, callback: grpc.requestCallback<_kingly_raft_v1_StreamEnd__Output>): grpc.ClientWritableStream<_kingly_raft_v1_Frame>;
  Control(callback: grpc.requestCallback<_kingly_raft_v1_StreamEnd__Output>): grpc.ClientWritableStream<_kingly_raft_v1_Frame>;
  control(metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_kingly_raft_v1_StreamEnd__Output>): grpc.ClientWritableStream<_kingly_raft_v1_Frame>;
  control(metadata: grpc.Metadata, callback: grpc.requestCallback<_kingly_raft_v1_StreamEnd__Output>): grpc.ClientWritableStream<_kingly_raft_v1_Frame>;
  control(options: grpc.CallOptions, callback: grpc.requestCallback<_kingly_raft_v1_StreamEnd__Output>): grpc.ClientWritableStream<_kingly_raft_v1_Frame>;
  control(callback: grpc.requestCallback<_kingly_raft_v1_StreamEnd__Output>): grpc.ClientWritableStream<_kingly_raft_v1_Frame>;
  
  Forward(argument: _kingly_raft_v1_ForwardRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_kingly_raft_v1_ForwardResponse__Output>): grpc.ClientUnaryCall;
  Forward(argument: _kingly_raft_v1_ForwardRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_kingly_raft_v1_ForwardResponse__Output>): grpc.ClientUnaryCall;
  Forward(argument: _kingly_raft_v1_ForwardRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_kingly_raft_v1_ForwardResponse__Output>): grpc.ClientUnaryCall;
  Forward(argument: _kingly_raft_v1_ForwardRequest, callback: grpc.requestCallback<_kingly_raft_v1_ForwardResponse__Output>): grpc.ClientUnaryCall;
  forward(argument: _kingly_raft_v1_ForwardRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_kingly_raft_v1_ForwardResponse__Output>): grpc.ClientUnaryCall;
  forward(argument: _kingly_raft_v1_ForwardRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_kingly_raft_v1_ForwardResponse__Output>): grpc.ClientUnaryCall;
  forward(argument: _kingly_raft_v1_ForwardRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_kingly_raft_v1_ForwardResponse__Output>): grpc.ClientUnaryCall;
  forward(argument: _kingly_raft_v1_ForwardRequest, callback: grpc.requestCallback<_kingly_raft_v1_ForwardResponse__Output>): grpc.ClientUnaryCall;
  
}

export interface RaftTransportHandlers extends grpc.UntypedServiceImplementation {
  Bulk: grpc.handleClientStreamingCall<_kingly_raft_v1_Frame__Output, _kingly_raft_v1_StreamEnd>;
  
  Control: grpc.handleClientStreamingCall<_kingly_raft_v1_Frame__Output, _kingly_raft_v1_StreamEnd>;
  
  Forward: grpc.handleUnaryCall<_kingly_raft_v1_ForwardRequest__Output, _kingly_raft_v1_ForwardResponse>;
  
}

export interface RaftTransportDefinition extends grpc.ServiceDefinition {
  Bulk: MethodDefinition<_kingly_raft_v1_Frame, _kingly_raft_v1_StreamEnd, _kingly_raft_v1_Frame__Output, _kingly_raft_v1_StreamEnd__Output>
  Control: MethodDefinition<_kingly_raft_v1_Frame, _kingly_raft_v1_StreamEnd, _kingly_raft_v1_Frame__Output, _kingly_raft_v1_StreamEnd__Output>
  Forward: MethodDefinition<_kingly_raft_v1_ForwardRequest, _kingly_raft_v1_ForwardResponse, _kingly_raft_v1_ForwardRequest__Output, _kingly_raft_v1_ForwardResponse__Output>
}
