// Original file: proto/kingly/config/v1/config.proto


// Original file: proto/kingly/config/v1/config.proto

export const _kingly_config_v1_WriteRequest_Operation = {
  OPERATION_UNSPECIFIED: 'OPERATION_UNSPECIFIED',
  OPERATION_CREATE: 'OPERATION_CREATE',
  OPERATION_REPLACE: 'OPERATION_REPLACE',
  OPERATION_DELETE: 'OPERATION_DELETE',
} as const;

export type _kingly_config_v1_WriteRequest_Operation =
  | 'OPERATION_UNSPECIFIED'
  | 0
  | 'OPERATION_CREATE'
  | 1
  | 'OPERATION_REPLACE'
  | 2
  | 'OPERATION_DELETE'
  | 3

export type _kingly_config_v1_WriteRequest_Operation__Output = typeof _kingly_config_v1_WriteRequest_Operation[keyof typeof _kingly_config_v1_WriteRequest_Operation]

export interface WriteRequest {
  'operation'?: (_kingly_config_v1_WriteRequest_Operation);
  'kind'?: (string);
  'namespace'?: (string);
  'name'?: (string);
  'document'?: (Buffer | Uint8Array | string);
  'idempotencyKey'?: (string);
}

export interface WriteRequest__Output {
  'operation': (_kingly_config_v1_WriteRequest_Operation__Output);
  'kind': (string);
  'namespace': (string);
  'name': (string);
  'document': (Buffer);
  'idempotencyKey': (string);
}
