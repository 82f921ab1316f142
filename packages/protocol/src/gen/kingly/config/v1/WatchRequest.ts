// Original file: proto/kingly/config/v1/config.proto

import type { Long } from '@grpc/proto-loader';

export interface WatchRequest {
  'kind'?: (string);
  'namespace'?: (string);
  'name'?: (string);
  'fromRevision'?: (number | string | Long);
}

export interface WatchRequest__Output {
  'kind': (string);
  'namespace': (string);
  'name': (string);
  'fromRevision': (number);
}
