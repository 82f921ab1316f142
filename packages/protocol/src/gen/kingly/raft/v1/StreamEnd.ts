// Original file: proto/kingly/raft/v1/raft.proto


export interface StreamEnd {
  'reason'?: (string);
}

export interface StreamEnd__Output {
  'reason': (string);
}
