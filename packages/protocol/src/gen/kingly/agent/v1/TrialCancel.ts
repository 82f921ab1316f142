// Original file: proto/kingly/agent/v1/agent.proto


export interface TrialCancel {
  'proposalUid'?: (string);
  'attempt'?: (number);
  'reason'?: (string);
}

export interface TrialCancel__Output {
  'proposalUid': (string);
  'attempt': (number);
  'reason': (string);
}
