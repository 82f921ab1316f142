// Original file: proto/kingly/config/v1/config.proto


export interface GetProposalRequest {
  'namespace'?: (string);
  'name'?: (string);
}

export interface GetProposalRequest__Output {
  'namespace': (string);
  'name': (string);
}
