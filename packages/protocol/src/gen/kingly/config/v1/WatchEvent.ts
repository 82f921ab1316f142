// Original file: proto/kingly/config/v1/config.proto

import type { Long } from '@grpc/proto-loader';

// Original file: proto/kingly/config/v1/config.proto

export const _kingly_config_v1_WatchEvent_Type = {
  TYPE_UNSPECIFIED: 'TYPE_UNSPECIFIED',
  TYPE_ADDED: 'TYPE_ADDED',
  TYPE_MODIFIED: 'TYPE_MODIFIED',
  TYPE_DELETED: 'TYPE_DELETED',
  TYPE_BOOKMARK: 'TYPE_BOOKMARK',
} as const;

export type _kingly_config_v1_WatchEvent_Type =
  | 'TYPE_UNSPECIFIED'
  | 0
  | 'TYPE_ADDED'
  | 1
  | 'TYPE_MODIFIED'
  | 2
  | 'TYPE_DELETED'
  | 3
  | 'TYPE_BOOKMARK'
  | 4

export type _kingly_config_v1_WatchEvent_Type__Output = typeof _kingly_config_v1_WatchEvent_Type[keyof typeof _kingly_config_v1_WatchEvent_Type]

export interface WatchEvent {
  'type'?: (_kingly_config_v1_WatchEvent_Type);
  'revision'?: (number | string | Long);
  'document'?: (Buffer | Uint8Array | string);
}

export interface WatchEvent__Output {
  'type': (_kingly_config_v1_WatchEvent_Type__Output);
  'revision': (number);
  'document': (Buffer);
}
