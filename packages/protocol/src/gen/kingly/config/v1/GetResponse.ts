// Original file: proto/kingly/config/v1/config.proto

import type { Long } from '@grpc/proto-loader';

export interface GetResponse {
  'document'?: (Buffer | Uint8Array | string);
  'revision'?: (number | string | Long);
  'ageMs'?: (number | string | Long);
}

export interface GetResponse__Output {
  'document': (Buffer);
  'revision': (number);
  'ageMs': (number);
}
