// Original file: proto/kingly/agent/v1/agent.proto


export interface EnrollRequest {
  'token'?: (string);
  'node'?: (string);
  'tlsPublicKey'?: (Buffer | Uint8Array | string);
  'tlsProof'?: (Buffer | Uint8Array | string);
  'signingPublicKey'?: (Buffer | Uint8Array | string);
  'signingProof'?: (Buffer | Uint8Array | string);
  'targets'?: (string)[];
  'signals'?: (string)[];
  'agentVersion'?: (string);
}

export interface EnrollRequest__Output {
  'token': (string);
  'node': (string);
  'tlsPublicKey': (Buffer);
  'tlsProof': (Buffer);
  'signingPublicKey': (Buffer);
  'signingProof': (Buffer);
  'targets': (string)[];
  'signals': (string)[];
  'agentVersion': (string);
}
