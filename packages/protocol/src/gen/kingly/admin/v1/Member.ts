// Original file: proto/kingly/admin/v1/cluster.proto

import type { Long } from '@grpc/proto-loader';

export interface Member {
  'id'?: (string);
  'raftId'?: (number | string | Long);
  'address'?: (string);
  'voter'?: (boolean);
  'matchIndex'?: (number | string | Long);
  'reachable'?: (boolean);
}

export interface Member__Output {
  'id': (string);
  'raftId': (number);
  'address': (string);
  'voter': (boolean);
  'matchIndex': (number);
  'reachable': (boolean);
}
