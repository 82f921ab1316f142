// Original file: proto/google/rpc/payload.proto


export interface Payload {
  'typeUrl'?: (string);
  'value'?: (Buffer | Uint8Array | string);
}

export interface Payload__Output {
  'typeUrl': (string);
  'value': (Buffer);
}
