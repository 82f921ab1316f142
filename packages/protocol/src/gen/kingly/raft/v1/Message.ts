// Original file: proto/kingly/raft/v1/raft.proto

import type { Entry as _kingly_raft_v1_Entry, Entry__Output as _kingly_raft_v1_Entry__Output } from '../../../kingly/raft/v1/Entry.ts';
import type { SnapshotMetadata as _kingly_raft_v1_SnapshotMetadata, SnapshotMetadata__Output as _kingly_raft_v1_SnapshotMetadata__Output } from '../../../kingly/raft/v1/SnapshotMetadata.ts';
import type { Long } from '@grpc/proto-loader';

export interface Message {
  'type'?: (number);
  'to'?: (number | string | Long);
  'from'?: (number | string | Long);
  'term'?: (number | string | Long);
  'logTerm'?: (number | string | Long);
  'index'?: (number | string | Long);
  'commit'?: (number | string | Long);
  'vote'?: (number | string | Long);
  'reject'?: (boolean);
  'rejectHint'?: (number | string | Long);
  'context'?: (Buffer | Uint8Array | string);
  'entries'?: (_kingly_raft_v1_Entry)[];
  'snapshot'?: (_kingly_raft_v1_SnapshotMetadata | null);
}

export interface Message__Output {
  'type': (number);
  'to': (number);
  'from': (number);
  'term': (number);
  'logTerm': (number);
  'index': (number);
  'commit': (number);
  'vote': (number);
  'reject': (boolean);
  'rejectHint': (number);
  'context': (Buffer);
  'entries': (_kingly_raft_v1_Entry__Output)[];
  'snapshot': (_kingly_raft_v1_SnapshotMetadata__Output | null);
}
