// Original file: proto/kingly/agent/v1/agent.proto


export interface Welcome {
  'clusterId'?: (string);
  'memberId'?: (string);
  'heartbeatMs'?: (number);
}

export interface Welcome__Output {
  'clusterId': (string);
  'memberId': (string);
  'heartbeatMs': (number);
}
