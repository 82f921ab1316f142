// Original file: proto/kingly/agent/v1/agent.proto

import type { Hello as _kingly_agent_v1_Hello, Hello__Output as _kingly_agent_v1_Hello__Output } from '../../../kingly/agent/v1/Hello.ts';
import type { Ack as _kingly_agent_v1_Ack, Ack__Output as _kingly_agent_v1_Ack__Output } from '../../../kingly/agent/v1/Ack.ts';
import type { Nack as _kingly_agent_v1_Nack, Nack__Output as _kingly_agent_v1_Nack__Output } from '../../../kingly/agent/v1/Nack.ts';
import type { Submission as _kingly_agent_v1_Submission, Submission__Output as _kingly_agent_v1_Submission__Output } from '../../../kingly/agent/v1/Submission.ts';
import type { Heartbeat as _kingly_agent_v1_Heartbeat, Heartbeat__Output as _kingly_agent_v1_Heartbeat__Output } from '../../../kingly/agent/v1/Heartbeat.ts';

export interface AgentMessage {
  'hello'?: (_kingly_agent_v1_Hello | null);
  'ack'?: (_kingly_agent_v1_Ack | null);
  'nack'?: (_kingly_agent_v1_Nack | null);
  'submission'?: (_kingly_agent_v1_Submission | null);
  'heartbeat'?: (_kingly_agent_v1_Heartbeat | null);
  'trialProgress'?: (Buffer | Uint8Array | string);
  'message'?: "hello"|"ack"|"nack"|"submission"|"heartbeat"|"trialProgress";
}

export interface AgentMessage__Output {
  'hello'?: (_kingly_agent_v1_Hello__Output | null);
  'ack'?: (_kingly_agent_v1_Ack__Output | null);
  'nack'?: (_kingly_agent_v1_Nack__Output | null);
  'submission'?: (_kingly_agent_v1_Submission__Output | null);
  'heartbeat'?: (_kingly_agent_v1_Heartbeat__Output | null);
  'trialProgress'?: (Buffer);
  'message'?: "hello"|"ack"|"nack"|"submission"|"heartbeat"|"trialProgress";
}
