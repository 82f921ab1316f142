// Original file: proto/kingly/config/v1/config.proto

import type { Long } from '@grpc/proto-loader';

export interface WriteResponse {
  'document'?: (Buffer | Uint8Array | string);
  'revision'?: (number | string | Long);
  'warnings'?: (string)[];
}

export interface WriteResponse__Output {
  'document': (Buffer);
  'revision': (number);
  'warnings': (string)[];
}
