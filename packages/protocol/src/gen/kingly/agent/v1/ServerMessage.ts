// Original file: proto/kingly/agent/v1/agent.proto

import type { Welcome as _kingly_agent_v1_Welcome, Welcome__Output as _kingly_agent_v1_Welcome__Output } from '../../../kingly/agent/v1/Welcome.ts';
import type { Push as _kingly_agent_v1_Push, Push__Output as _kingly_agent_v1_Push__Output } from '../../../kingly/agent/v1/Push.ts';
import type { TrialCancel as _kingly_agent_v1_TrialCancel, TrialCancel__Output as _kingly_agent_v1_TrialCancel__Output } from '../../../kingly/agent/v1/TrialCancel.ts';
import type { SubmissionResult as _kingly_agent_v1_SubmissionResult, SubmissionResult__Output as _kingly_agent_v1_SubmissionResult__Output } from '../../../kingly/agent/v1/SubmissionResult.ts';
import type { VetoRequest as _kingly_agent_v1_VetoRequest, VetoRequest__Output as _kingly_agent_v1_VetoRequest__Output } from '../../../kingly/agent/v1/VetoRequest.ts';

export interface ServerMessage {
  'welcome'?: (_kingly_agent_v1_Welcome | null);
  'push'?: (_kingly_agent_v1_Push | null);
  'trialOrder'?: (Buffer | Uint8Array | string);
  'trialCancel'?: (_kingly_agent_v1_TrialCancel | null);
  'submissionResult'?: (_kingly_agent_v1_SubmissionResult | null);
  'vetoRequest'?: (_kingly_agent_v1_VetoRequest | null);
  'message'?: "welcome"|"push"|"trialOrder"|"trialCancel"|"submissionResult"|"vetoRequest";
}

export interface ServerMessage__Output {
  'welcome'?: (_kingly_agent_v1_Welcome__Output | null);
  'push'?: (_kingly_agent_v1_Push__Output | null);
  'trialOrder'?: (Buffer);
  'trialCancel'?: (_kingly_agent_v1_TrialCancel__Output | null);
  'submissionResult'?: (_kingly_agent_v1_SubmissionResult__Output | null);
  'vetoRequest'?: (_kingly_agent_v1_VetoRequest__Output | null);
  'message'?: "welcome"|"push"|"trialOrder"|"trialCancel"|"submissionResult"|"vetoRequest";
}
