// Original file: proto/kingly/agent/v1/agent.proto

import type { ActiveConfig as _kingly_agent_v1_ActiveConfig, ActiveConfig__Output as _kingly_agent_v1_ActiveConfig__Output } from '../../../kingly/agent/v1/ActiveConfig.ts';
import type { Long } from '@grpc/proto-loader';

export interface Heartbeat {
  'active'?: (_kingly_agent_v1_ActiveConfig)[];
  'clockMs'?: (number | string | Long);
}

export interface Heartbeat__Output {
  'active': (_kingly_agent_v1_ActiveConfig__Output)[];
  'clockMs': (number);
}
