// Original file: proto/kingly/config/v1/config.proto

import type { Long } from '@grpc/proto-loader';

export interface ProposalState {
  'document'?: (Buffer | Uint8Array | string);
  'votes'?: (Buffer | Uint8Array | string)[];
  'progress'?: (Buffer | Uint8Array | string)[];
  'rollout'?: (Buffer | Uint8Array | string);
  'vetoes'?: (Buffer | Uint8Array | string)[];
  'revision'?: (number | string | Long);
}

export interface ProposalState__Output {
  'document': (Buffer);
  'votes': (Buffer)[];
  'progress': (Buffer)[];
  'rollout': (Buffer);
  'vetoes': (Buffer)[];
  'revision': (number);
}
