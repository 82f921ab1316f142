// Original file: proto/kingly/raft/v1/raft.proto

import type { Message as _kingly_raft_v1_Message, Message__Output as _kingly_raft_v1_Message__Output } from '../../../kingly/raft/v1/Message.ts';

export interface MessageBatch {
  'messages'?: (_kingly_raft_v1_Message)[];
}

export interface MessageBatch__Output {
  'messages': (_kingly_raft_v1_Message__Output)[];
}
