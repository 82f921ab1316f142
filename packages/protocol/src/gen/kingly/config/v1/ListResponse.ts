// Original file: proto/kingly/config/v1/config.proto

import type { Long } from '@grpc/proto-loader';

export interface ListResponse {
  'documents'?: (Buffer | Uint8Array | string)[];
  'revision'?: (number | string | Long);
  'continueToken'?: (string);
}

export interface ListResponse__Output {
  'documents': (Buffer)[];
  'revision': (number);
  'continueToken': (string);
}
