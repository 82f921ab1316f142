// Original file: proto/kingly/raft/v1/raft.proto


export interface ForwardRequest {
  'clusterId'?: (string);
  'actor'?: (Buffer | Uint8Array | string);
  'command'?: (string);
  'body'?: (Buffer | Uint8Array | string);
  'signature'?: (Buffer | Uint8Array | string);
  'idempotencyKey'?: (string);
  'deadlineMs'?: (number);
}

export interface ForwardRequest__Output {
  'clusterId': (string);
  'actor': (Buffer);
  'command': (string);
  'body': (Buffer);
  'signature': (Buffer);
  'idempotencyKey': (string);
  'deadlineMs': (number);
}
