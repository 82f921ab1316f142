// Original file: proto/kingly/agent/v1/agent.proto

import type { Long } from '@grpc/proto-loader';

export interface Nack {
  'nonce'?: (string);
  'configUid'?: (string);
  'version'?: (number | string | Long);
  'generation'?: (number | string | Long);
  'reason'?: (string);
  'message'?: (string);
  'lastGoodVersion'?: (number | string | Long);
}

export interface Nack__Output {
  'nonce': (string);
  'configUid': (string);
  'version': (number);
  'generation': (number);
  'reason': (string);
  'message': (string);
  'lastGoodVersion': (number);
}
