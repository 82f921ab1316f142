// Original file: proto/kingly/agent/v1/agent.proto

import type { Long } from '@grpc/proto-loader';

export interface ActiveConfig {
  'configUid'?: (string);
  'version'?: (number | string | Long);
  'generation'?: (number | string | Long);
  'state'?: (string);
  'lastKnownGood'?: (number | string | Long);
  'message'?: (string);
}

export interface ActiveConfig__Output {
  'configUid': (string);
  'version': (number);
  'generation': (number);
  'state': (string);
  'lastKnownGood': (number);
  'message': (string);
}
