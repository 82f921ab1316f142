// Original file: proto/google/rpc/error_details.proto

import type { Long } from '@grpc/proto-loader';

export interface RetryDelay {
  'seconds'?: (number | string | Long);
  'nanos'?: (number);
}

export interface RetryDelay__Output {
  'seconds': (number);
  'nanos': (number);
}
