// Original file: proto/kingly/agent/v1/agent.proto


export interface SubmissionResult {
  'idempotencyKey'?: (string);
  'code'?: (string);
  'message'?: (string);
  'retry'?: (boolean);
}

export interface SubmissionResult__Output {
  'idempotencyKey': (string);
  'code': (string);
  'message': (string);
  'retry': (boolean);
}
