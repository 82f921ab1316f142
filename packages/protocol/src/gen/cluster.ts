import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { ClusterServiceClient as _kingly_admin_v1_ClusterServiceClient, ClusterServiceDefinition as _kingly_admin_v1_ClusterServiceDefinition } from './kingly/admin/v1/ClusterService.ts';
import type { Member as _kingly_admin_v1_Member, Member__Output as _kingly_admin_v1_Member__Output } from './kingly/admin/v1/Member.ts';
import type { StatusRequest as _kingly_admin_v1_StatusRequest, StatusRequest__Output as _kingly_admin_v1_StatusRequest__Output } from './kingly/admin/v1/StatusRequest.ts';
import type { StatusResponse as _kingly_admin_v1_StatusResponse, StatusResponse__Output as _kingly_admin_v1_StatusResponse__Output } from './kingly/admin/v1/StatusResponse.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  kingly: {
    admin: {
      v1: {
        ClusterService: SubtypeConstructor<typeof grpc.Client, _kingly_admin_v1_ClusterServiceClient> & { service: _kingly_admin_v1_ClusterServiceDefinition }
        Member: MessageTypeDefinition<_kingly_admin_v1_Member, _kingly_admin_v1_Member__Output>
        StatusRequest: MessageTypeDefinition<_kingly_admin_v1_StatusRequest, _kingly_admin_v1_StatusRequest__Output>
        StatusResponse: MessageTypeDefinition<_kingly_admin_v1_StatusResponse, _kingly_admin_v1_StatusResponse__Output>
      }
    }
  }
}

