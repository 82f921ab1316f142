// Original file: proto/kingly/agent/v1/agent.proto


export interface EnrollResponse {
  'clusterId'?: (string);
  'certificatePem'?: (string);
  'authorityPem'?: (string);
  'node'?: (Buffer | Uint8Array | string);
  'servers'?: (string)[];
}

export interface EnrollResponse__Output {
  'clusterId': (string);
  'certificatePem': (string);
  'authorityPem': (string);
  'node': (Buffer);
  'servers': (string)[];
}
