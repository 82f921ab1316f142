// Original file: proto/kingly/raft/v1/raft.proto

import type { ConfState as _kingly_raft_v1_ConfState, ConfState__Output as _kingly_raft_v1_ConfState__Output } from '../../../kingly/raft/v1/ConfState.ts';
import type { Long } from '@grpc/proto-loader';

export interface SnapshotMetadata {
  'confState'?: (_kingly_raft_v1_ConfState | null);
  'index'?: (number | string | Long);
  'term'?: (number | string | Long);
}

export interface SnapshotMetadata__Output {
  'confState': (_kingly_raft_v1_ConfState__Output | null);
  'index': (number);
  'term': (number);
}
