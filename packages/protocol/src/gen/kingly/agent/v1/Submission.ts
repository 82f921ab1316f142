// Original file: proto/kingly/agent/v1/agent.proto


export interface Submission {
  'kind'?: (string);
  'idempotencyKey'?: (string);
  'document'?: (Buffer | Uint8Array | string);
  'signature'?: (Buffer | Uint8Array | string);
}

export interface Submission__Output {
  'kind': (string);
  'idempotencyKey': (string);
  'document': (Buffer);
  'signature': (Buffer);
}
