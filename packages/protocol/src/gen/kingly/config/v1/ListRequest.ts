// Original file: proto/kingly/config/v1/config.proto


export interface ListRequest {
  'kind'?: (string);
  'namespace'?: (string);
  'stale'?: (boolean);
  'limit'?: (number);
  'continueToken'?: (string);
}

export interface ListRequest__Output {
  'kind': (string);
  'namespace': (string);
  'stale': (boolean);
  'limit': (number);
  'continueToken': (string);
}
