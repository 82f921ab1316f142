// Original file: proto/kingly/raft/v1/raft.proto

import type { Message as _kingly_raft_v1_Message, Message__Output as _kingly_raft_v1_Message__Output } from '../../../kingly/raft/v1/Message.ts';
import type { Long } from '@grpc/proto-loader';

export interface SnapshotChunk {
  'index'?: (number | string | Long);
  'term'?: (number | string | Long);
  'number'?: (number);
  'data'?: (Buffer | Uint8Array | string);
  'last'?: (boolean);
  'sha256'?: (Buffer | Uint8Array | string);
  'message'?: (_kingly_raft_v1_Message | null);
}

export interface SnapshotChunk__Output {
  'index': (number);
  'term': (number);
  'number': (number);
  'data': (Buffer);
  'last': (boolean);
  'sha256': (Buffer);
  'message': (_kingly_raft_v1_Message__Output | null);
}
