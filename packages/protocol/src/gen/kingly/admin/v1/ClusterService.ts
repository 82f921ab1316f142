// Original file: proto/kingly/admin/v1/cluster.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { StatusRequest as _kingly_admin_v1_StatusRequest, StatusRequest__Output as _kingly_admin_v1_StatusRequest__Output } from '../../../kingly/admin/v1/StatusRequest.ts';
import type { StatusResponse as _kingly_admin_v1_StatusResponse, StatusResponse__Output as _kingly_admin_v1_StatusResponse__Output } from '../../../kingly/admin/v1/StatusResponse.ts';

export interface ClusterServiceClient extends grpc.Client {
  Status(argument: _kingly_admin_v1_StatusRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_kingly_admin_v1_StatusResponse__Output>): grpc.ClientUnaryCall;
  Status(argument: _kingly_admin_v1_StatusRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_kingly_admin_v1_StatusResponse__Output>): grpc.ClientUnaryCall;
  Status(argument: _kingly_admin_v1_StatusRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_kingly_admin_v1_StatusResponse__Output>): grpc.ClientUnaryCall;
  Status(argument: _kingly_admin_v1_StatusRequest, callback: grpc.requestCallback<_kingly_admin_v1_StatusResponse__Output>): grpc.ClientUnaryCall;
  status(argument: _kingly_admin_v1_StatusRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_kingly_admin_v1_StatusResponse__Output>): grpc.ClientUnaryCall;
  status(argument: _kingly_admin_v1_StatusRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_kingly_admin_v1_StatusResponse__Output>): grpc.ClientUnaryCall;
  status(argument: _kingly_admin_v1_StatusRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_kingly_admin_v1_StatusResponse__Output>): grpc.ClientUnaryCall;
  status(argument: _kingly_admin_v1_StatusRequest, callback: grpc.requestCallback<_kingly_admin_v1_StatusResponse__Output>): grpc.ClientUnaryCall;
  
}

export interface ClusterServiceHandlers extends grpc.UntypedServiceImplementation {
  Status: grpc.handleUnaryCall<_kingly_admin_v1_StatusRequest__Output, _kingly_admin_v1_StatusResponse>;
  
}

export interface ClusterServiceDefinition extends grpc.ServiceDefinition {
  Status: MethodDefinition<_kingly_admin_v1_StatusRequest, _kingly_admin_v1_StatusResponse, _kingly_admin_v1_StatusRequest__Output, _kingly_admin_v1_StatusResponse__Output>
}
