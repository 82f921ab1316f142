// Original file: proto/google/rpc/error_details.proto

import type { RetryDelay as _google_rpc_RetryDelay, RetryDelay__Output as _google_rpc_RetryDelay__Output } from '../../google/rpc/RetryDelay.ts';

export interface RetryInfo {
  'retryDelay'?: (_google_rpc_RetryDelay | null);
}

export interface RetryInfo__Output {
  'retryDelay': (_google_rpc_RetryDelay__Output | null);
}
