// Original file: proto/kingly/raft/v1/raft.proto

import type { MessageBatch as _kingly_raft_v1_MessageBatch, MessageBatch__Output as _kingly_raft_v1_MessageBatch__Output } from '../../../kingly/raft/v1/MessageBatch.ts';
import type { SnapshotChunk as _kingly_raft_v1_SnapshotChunk, SnapshotChunk__Output as _kingly_raft_v1_SnapshotChunk__Output } from '../../../kingly/raft/v1/SnapshotChunk.ts';

export interface Frame {
  'clusterId'?: (string);
  'from'?: (string);
  'to'?: (string);
  'messages'?: (_kingly_raft_v1_MessageBatch | null);
  'snapshot'?: (_kingly_raft_v1_SnapshotChunk | null);
  'digest'?: (Buffer | Uint8Array | string);
  'body'?: "messages"|"snapshot"|"digest";
}

export interface Frame__Output {
  'clusterId': (string);
  'from': (string);
  'to': (string);
  'messages'?: (_kingly_raft_v1_MessageBatch__Output | null);
  'snapshot'?: (_kingly_raft_v1_SnapshotChunk__Output | null);
  'digest'?: (Buffer);
  'body'?: "messages"|"snapshot"|"digest";
}
