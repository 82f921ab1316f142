// Original file: proto/kingly/agent/v1/agent.proto


export interface Push {
  'nonce'?: (string);
  'document'?: (Buffer | Uint8Array | string);
}

export interface Push__Output {
  'nonce': (string);
  'document': (Buffer);
}
