// Original file: proto/kingly/agent/v1/agent.proto

import type { Long } from '@grpc/proto-loader';

// Original file: proto/kingly/agent/v1/agent.proto

export const _kingly_agent_v1_Ack_State = {
  STATE_UNSPECIFIED: 'STATE_UNSPECIFIED',
  STATE_RECEIVED: 'STATE_RECEIVED',
  STATE_APPLIED: 'STATE_APPLIED',
  STATE_CONFIRMED: 'STATE_CONFIRMED',
} as const;

export type _kingly_agent_v1_Ack_State =
  | 'STATE_UNSPECIFIED'
  | 0
  | 'STATE_RECEIVED'
  | 1
  | 'STATE_APPLIED'
  | 2
  | 'STATE_CONFIRMED'
  | 3

export type _kingly_agent_v1_Ack_State__Output = typeof _kingly_agent_v1_Ack_State[keyof typeof _kingly_agent_v1_Ack_State]

export interface Ack {
  'nonce'?: (string);
  'configUid'?: (string);
  'version'?: (number | string | Long);
  'generation'?: (number | string | Long);
  'state'?: (_kingly_agent_v1_Ack_State);
}

export interface Ack__Output {
  'nonce': (string);
  'configUid': (string);
  'version': (number);
  'generation': (number);
  'state': (_kingly_agent_v1_Ack_State__Output);
}
