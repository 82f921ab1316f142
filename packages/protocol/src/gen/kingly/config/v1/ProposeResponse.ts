// Original file: proto/kingly/config/v1/config.proto

import type { Long } from '@grpc/proto-loader';

export interface ProposeResponse {
  'document'?: (Buffer | Uint8Array | string);
  'revision'?: (number | string | Long);
}

export interface ProposeResponse__Output {
  'document': (Buffer);
  'revision': (number);
}
