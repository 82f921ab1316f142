import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { ConfState as _kingly_raft_v1_ConfState, ConfState__Output as _kingly_raft_v1_ConfState__Output } from './kingly/raft/v1/ConfState.ts';
import type { Entry as _kingly_raft_v1_Entry, Entry__Output as _kingly_raft_v1_Entry__Output } from './kingly/raft/v1/Entry.ts';
import type { ForwardRequest as _kingly_raft_v1_ForwardRequest, ForwardRequest__Output as _kingly_raft_v1_ForwardRequest__Output } from './kingly/raft/v1/ForwardRequest.ts';
import type { ForwardResponse as _kingly_raft_v1_ForwardResponse, ForwardResponse__Output as _kingly_raft_v1_ForwardResponse__Output } from './kingly/raft/v1/ForwardResponse.ts';
import type { Frame as _kingly_raft_v1_Frame, Frame__Output as _kingly_raft_v1_Frame__Output } from './kingly/raft/v1/Frame.ts';
import type { Message as _kingly_raft_v1_Message, Message__Output as _kingly_raft_v1_Message__Output } from './kingly/raft/v1/Message.ts';
import type { MessageBatch as _kingly_raft_v1_MessageBatch, MessageBatch__Output as _kingly_raft_v1_MessageBatch__Output } from './kingly/raft/v1/MessageBatch.ts';
import type { RaftTransportClient as _kingly_raft_v1_RaftTransportClient, RaftTransportDefinition as _kingly_raft_v1_RaftTransportDefinition } from './kingly/raft/v1/RaftTransport.ts';
import type { SnapshotChunk as _kingly_raft_v1_SnapshotChunk, SnapshotChunk__Output as _kingly_raft_v1_SnapshotChunk__Output } from './kingly/raft/v1/SnapshotChunk.ts';
import type { SnapshotMetadata as _kingly_raft_v1_SnapshotMetadata, SnapshotMetadata__Output as _kingly_raft_v1_SnapshotMetadata__Output } from './kingly/raft/v1/SnapshotMetadata.ts';
import type { StreamEnd as _kingly_raft_v1_StreamEnd, StreamEnd__Output as _kingly_raft_v1_StreamEnd__Output } from './kingly/raft/v1/StreamEnd.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  kingly: {
    raft: {
      v1: {
        ConfState: MessageTypeDefinition<_kingly_raft_v1_ConfState, _kingly_raft_v1_ConfState__Output>
        Entry: MessageTypeDefinition<_kingly_raft_v1_Entry, _kingly_raft_v1_Entry__Output>
        ForwardRequest: MessageTypeDefinition<_kingly_raft_v1_ForwardRequest, _kingly_raft_v1_ForwardRequest__Output>
        ForwardResponse: MessageTypeDefinition<_kingly_raft_v1_ForwardResponse, _kingly_raft_v1_ForwardResponse__Output>
        Frame: MessageTypeDefinition<_kingly_raft_v1_Frame, _kingly_raft_v1_Frame__Output>
        Message: MessageTypeDefinition<_kingly_raft_v1_Message, _kingly_raft_v1_Message__Output>
        MessageBatch: MessageTypeDefinition<_kingly_raft_v1_MessageBatch, _kingly_raft_v1_MessageBatch__Output>
        RaftTransport: SubtypeConstructor<typeof grpc.Client, _kingly_raft_v1_RaftTransportClient> & { service: _kingly_raft_v1_RaftTransportDefinition }
        SnapshotChunk: MessageTypeDefinition<_kingly_raft_v1_SnapshotChunk, _kingly_raft_v1_SnapshotChunk__Output>
        SnapshotMetadata: MessageTypeDefinition<_kingly_raft_v1_SnapshotMetadata, _kingly_raft_v1_SnapshotMetadata__Output>
        StreamEnd: MessageTypeDefinition<_kingly_raft_v1_StreamEnd, _kingly_raft_v1_StreamEnd__Output>
      }
    }
  }
}

