// Original file: proto/kingly/admin/v1/cluster.proto

import type { Member as _kingly_admin_v1_Member, Member__Output as _kingly_admin_v1_Member__Output } from '../../../kingly/admin/v1/Member.ts';
import type { Long } from '@grpc/proto-loader';

export interface StatusResponse {
  'clusterId'?: (string);
  'memberId'?: (string);
  'role'?: (string);
  'leaderId'?: (string);
  'term'?: (number | string | Long);
  'commitIndex'?: (number | string | Long);
  'appliedIndex'?: (number | string | Long);
  'revision'?: (number | string | Long);
  'members'?: (_kingly_admin_v1_Member)[];
  'version'?: (string);
  'uptimeMs'?: (number | string | Long);
}

export interface StatusResponse__Output {
  'clusterId': (string);
  'memberId': (string);
  'role': (string);
  'leaderId': (string);
  'term': (number);
  'commitIndex': (number);
  'appliedIndex': (number);
  'revision': (number);
  'members': (_kingly_admin_v1_Member__Output)[];
  'version': (string);
  'uptimeMs': (number);
}
