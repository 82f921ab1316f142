import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { ConfigServiceClient as _kingly_config_v1_ConfigServiceClient, ConfigServiceDefinition as _kingly_config_v1_ConfigServiceDefinition } from './kingly/config/v1/ConfigService.ts';
import type { GetProposalRequest as _kingly_config_v1_GetProposalRequest, GetProposalRequest__Output as _kingly_config_v1_GetProposalRequest__Output } from './kingly/config/v1/GetProposalRequest.ts';
import type { GetRequest as _kingly_config_v1_GetRequest, GetRequest__Output as _kingly_config_v1_GetRequest__Output } from './kingly/config/v1/GetRequest.ts';
import type { GetResponse as _kingly_config_v1_GetResponse, GetResponse__Output as _kingly_config_v1_GetResponse__Output } from './kingly/config/v1/GetResponse.ts';
import type { ListRequest as _kingly_config_v1_ListRequest, ListRequest__Output as _kingly_config_v1_ListRequest__Output } from './kingly/config/v1/ListRequest.ts';
import type { ListResponse as _kingly_config_v1_ListResponse, ListResponse__Output as _kingly_config_v1_ListResponse__Output } from './kingly/config/v1/ListResponse.ts';
import type { ProposalState as _kingly_config_v1_ProposalState, ProposalState__Output as _kingly_config_v1_ProposalState__Output } from './kingly/config/v1/ProposalState.ts';
import type { ProposeRequest as _kingly_config_v1_ProposeRequest, ProposeRequest__Output as _kingly_config_v1_ProposeRequest__Output } from './kingly/config/v1/ProposeRequest.ts';
import type { ProposeResponse as _kingly_config_v1_ProposeResponse, ProposeResponse__Output as _kingly_config_v1_ProposeResponse__Output } from './kingly/config/v1/ProposeResponse.ts';
import type { WatchEvent as _kingly_config_v1_WatchEvent, WatchEvent__Output as _kingly_config_v1_WatchEvent__Output } from './kingly/config/v1/WatchEvent.ts';
import type { WatchRequest as _kingly_config_v1_WatchRequest, WatchRequest__Output as _kingly_config_v1_WatchRequest__Output } from './kingly/config/v1/WatchRequest.ts';
import type { WriteRequest as _kingly_config_v1_WriteRequest, WriteRequest__Output as _kingly_config_v1_WriteRequest__Output } from './kingly/config/v1/WriteRequest.ts';
import type { WriteResponse as _kingly_config_v1_WriteResponse, WriteResponse__Output as _kingly_config_v1_WriteResponse__Output } from './kingly/config/v1/WriteResponse.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  kingly: {
    config: {
      v1: {
        ConfigService: SubtypeConstructor<typeof grpc.Client, _kingly_config_v1_ConfigServiceClient> & { service: _kingly_config_v1_ConfigServiceDefinition }
        GetProposalRequest: MessageTypeDefinition<_kingly_config_v1_GetProposalRequest, _kingly_config_v1_GetProposalRequest__Output>
        GetRequest: MessageTypeDefinition<_kingly_config_v1_GetRequest, _kingly_config_v1_GetRequest__Output>
        GetResponse: MessageTypeDefinition<_kingly_config_v1_GetResponse, _kingly_config_v1_GetResponse__Output>
        ListRequest: MessageTypeDefinition<_kingly_config_v1_ListRequest, _kingly_config_v1_ListRequest__Output>
        ListResponse: MessageTypeDefinition<_kingly_config_v1_ListResponse, _kingly_config_v1_ListResponse__Output>
        ProposalState: MessageTypeDefinition<_kingly_config_v1_ProposalState, _kingly_config_v1_ProposalState__Output>
        ProposeRequest: MessageTypeDefinition<_kingly_config_v1_ProposeRequest, _kingly_config_v1_ProposeRequest__Output>
        ProposeResponse: MessageTypeDefinition<_kingly_config_v1_ProposeResponse, _kingly_config_v1_ProposeResponse__Output>
        WatchEvent: MessageTypeDefinition<_kingly_config_v1_WatchEvent, _kingly_config_v1_WatchEvent__Output>
        WatchRequest: MessageTypeDefinition<_kingly_config_v1_WatchRequest, _kingly_config_v1_WatchRequest__Output>
        WriteRequest: MessageTypeDefinition<_kingly_config_v1_WriteRequest, _kingly_config_v1_WriteRequest__Output>
        WriteResponse: MessageTypeDefinition<_kingly_config_v1_WriteResponse, _kingly_config_v1_WriteResponse__Output>
      }
    }
  }
}

