// Original file: proto/kingly/config/v1/config.proto

import type { Long } from '@grpc/proto-loader';

export interface ProposeRequest {
  'namespace'?: (string);
  'config'?: (string);
  'baseVersion'?: (number | string | Long);
  'patch'?: (Buffer | Uint8Array | string);
  'data'?: (Buffer | Uint8Array | string);
  'reason'?: (string);
  'source'?: (Buffer | Uint8Array | string);
  'idempotencyKey'?: (string);
  'change'?: "patch"|"data";
}

export interface ProposeRequest__Output {
  'namespace': (string);
  'config': (string);
  'baseVersion': (number);
  'patch'?: (Buffer);
  'data'?: (Buffer);
  'reason': (string);
  'source': (Buffer);
  'idempotencyKey': (string);
  'change'?: "patch"|"data";
}
