// Original file: proto/kingly/agent/v1/agent.proto

import type { ActiveConfig as _kingly_agent_v1_ActiveConfig, ActiveConfig__Output as _kingly_agent_v1_ActiveConfig__Output } from '../../../kingly/agent/v1/ActiveConfig.ts';
import type { Long } from '@grpc/proto-loader';

export interface Hello {
  'clusterId'?: (string);
  'node'?: (string);
  'incarnation'?: (number | string | Long);
  'agentVersion'?: (string);
  'targets'?: (string)[];
  'signals'?: (string)[];
  'active'?: (_kingly_agent_v1_ActiveConfig)[];
}

export interface Hello__Output {
  'clusterId': (string);
  'node': (string);
  'incarnation': (number);
  'agentVersion': (string);
  'targets': (string)[];
  'signals': (string)[];
  'active': (_kingly_agent_v1_ActiveConfig__Output)[];
}
