// Original file: proto/kingly/raft/v1/raft.proto

import type { Long } from '@grpc/proto-loader';

export interface ConfState {
  'voters'?: (number | string | Long)[];
  'learners'?: (number | string | Long)[];
  'votersOutgoing'?: (number | string | Long)[];
  'learnersNext'?: (number | string | Long)[];
  'autoLeave'?: (boolean);
  'configId'?: (number | string | Long);
}

export interface ConfState__Output {
  'voters': (number)[];
  'learners': (number)[];
  'votersOutgoing': (number)[];
  'learnersNext': (number)[];
  'autoLeave': (boolean);
  'configId': (number);
}
