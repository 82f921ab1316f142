// Original file: proto/kingly/config/v1/config.proto


export interface GetRequest {
  'kind'?: (string);
  'namespace'?: (string);
  'name'?: (string);
  'stale'?: (boolean);
}

export interface GetRequest__Output {
  'kind': (string);
  'namespace': (string);
  'name': (string);
  'stale': (boolean);
}
