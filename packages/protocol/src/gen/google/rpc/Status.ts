// Original file: proto/google/rpc/status.proto

import type { Payload as _google_rpc_Payload, Payload__Output as _google_rpc_Payload__Output } from '../../google/rpc/Payload.ts';

export interface Status {
  'code'?: (number);
  'message'?: (string);
  'details'?: (_google_rpc_Payload)[];
}

export interface Status__Output {
  'code': (number);
  'message': (string);
  'details': (_google_rpc_Payload__Output)[];
}
