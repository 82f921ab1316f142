// Original file: proto/kingly/agent/v1/agent.proto

import type { Long } from '@grpc/proto-loader';

export interface VetoRequest {
  'configUid'?: (string);
  'version'?: (number | string | Long);
  'reason'?: (string);
  'requestedBy'?: (string);
}

export interface VetoRequest__Output {
  'configUid': (string);
  'version': (number);
  'reason': (string);
  'requestedBy': (string);
}
