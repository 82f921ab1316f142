// Original file: proto/kingly/raft/v1/raft.proto

import type { Long } from '@grpc/proto-loader';

export interface ForwardResponse {
  'value'?: (Buffer | Uint8Array | string);
  'revision'?: (number | string | Long);
  'errorCode'?: (string);
  'errorMessage'?: (string);
  'errorDetails'?: (Buffer | Uint8Array | string);
}

export interface ForwardResponse__Output {
  'value': (Buffer);
  'revision': (number);
  'errorCode': (string);
  'errorMessage': (string);
  'errorDetails': (Buffer);
}
