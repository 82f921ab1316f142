import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { Ack as _kingly_agent_v1_Ack, Ack__Output as _kingly_agent_v1_Ack__Output } from './kingly/agent/v1/Ack.ts';
import type { ActiveConfig as _kingly_agent_v1_ActiveConfig, ActiveConfig__Output as _kingly_agent_v1_ActiveConfig__Output } from './kingly/agent/v1/ActiveConfig.ts';
import type { AgentMessage as _kingly_agent_v1_AgentMessage, AgentMessage__Output as _kingly_agent_v1_AgentMessage__Output } from './kingly/agent/v1/AgentMessage.ts';
import type { AgentServiceClient as _kingly_agent_v1_AgentServiceClient, AgentServiceDefinition as _kingly_agent_v1_AgentServiceDefinition } from './kingly/agent/v1/AgentService.ts';
import type { EnrollRequest as _kingly_agent_v1_EnrollRequest, EnrollRequest__Output as _kingly_agent_v1_EnrollRequest__Output } from './kingly/agent/v1/EnrollRequest.ts';
import type { EnrollResponse as _kingly_agent_v1_EnrollResponse, EnrollResponse__Output as _kingly_agent_v1_EnrollResponse__Output } from './kingly/agent/v1/EnrollResponse.ts';
import type { Heartbeat as _kingly_agent_v1_Heartbeat, Heartbeat__Output as _kingly_agent_v1_Heartbeat__Output } from './kingly/agent/v1/Heartbeat.ts';
import type { Hello as _kingly_agent_v1_Hello, Hello__Output as _kingly_agent_v1_Hello__Output } from './kingly/agent/v1/Hello.ts';
import type { Nack as _kingly_agent_v1_Nack, Nack__Output as _kingly_agent_v1_Nack__Output } from './kingly/agent/v1/Nack.ts';
import type { Push as _kingly_agent_v1_Push, Push__Output as _kingly_agent_v1_Push__Output } from './kingly/agent/v1/Push.ts';
import type { ServerMessage as _kingly_agent_v1_ServerMessage, ServerMessage__Output as _kingly_agent_v1_ServerMessage__Output } from './kingly/agent/v1/ServerMessage.ts';
import type { Submission as _kingly_agent_v1_Submission, Submission__Output as _kingly_agent_v1_Submission__Output } from './kingly/agent/v1/Submission.ts';
import type { SubmissionResult as _kingly_agent_v1_SubmissionResult, SubmissionResult__Output as _kingly_agent_v1_SubmissionResult__Output } from './kingly/agent/v1/SubmissionResult.ts';
import type { TrialCancel as _kingly_agent_v1_TrialCancel, TrialCancel__Output as _kingly_agent_v1_TrialCancel__Output } from './kingly/agent/v1/TrialCancel.ts';
import type { VetoRequest as _kingly_agent_v1_VetoRequest, VetoRequest__Output as _kingly_agent_v1_VetoRequest__Output } from './kingly/agent/v1/VetoRequest.ts';
import type { Welcome as _kingly_agent_v1_Welcome, Welcome__Output as _kingly_agent_v1_Welcome__Output } from './kingly/agent/v1/Welcome.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  kingly: {
    agent: {
      v1: {
        Ack: MessageTypeDefinition<_kingly_agent_v1_Ack, _kingly_agent_v1_Ack__Output>
        ActiveConfig: MessageTypeDefinition<_kingly_agent_v1_ActiveConfig, _kingly_agent_v1_ActiveConfig__Output>
        AgentMessage: MessageTypeDefinition<_kingly_agent_v1_AgentMessage, _kingly_agent_v1_AgentMessage__Output>
        AgentService: SubtypeConstructor<typeof grpc.Client, _kingly_agent_v1_AgentServiceClient> & { service: _kingly_agent_v1_AgentServiceDefinition }
        EnrollRequest: MessageTypeDefinition<_kingly_agent_v1_EnrollRequest, _kingly_agent_v1_EnrollRequest__Output>
        EnrollResponse: MessageTypeDefinition<_kingly_agent_v1_EnrollResponse, _kingly_agent_v1_EnrollResponse__Output>
        Heartbeat: MessageTypeDefinition<_kingly_agent_v1_Heartbeat, _kingly_agent_v1_Heartbeat__Output>
        Hello: MessageTypeDefinition<_kingly_agent_v1_Hello, _kingly_agent_v1_Hello__Output>
        Nack: MessageTypeDefinition<_kingly_agent_v1_Nack, _kingly_agent_v1_Nack__Output>
        Push: MessageTypeDefinition<_kingly_agent_v1_Push, _kingly_agent_v1_Push__Output>
        ServerMessage: MessageTypeDefinition<_kingly_agent_v1_ServerMessage, _kingly_agent_v1_ServerMessage__Output>
        Submission: MessageTypeDefinition<_kingly_agent_v1_Submission, _kingly_agent_v1_Submission__Output>
        SubmissionResult: MessageTypeDefinition<_kingly_agent_v1_SubmissionResult, _kingly_agent_v1_SubmissionResult__Output>
        TrialCancel: MessageTypeDefinition<_kingly_agent_v1_TrialCancel, _kingly_agent_v1_TrialCancel__Output>
        VetoRequest: MessageTypeDefinition<_kingly_agent_v1_VetoRequest, _kingly_agent_v1_VetoRequest__Output>
        Welcome: MessageTypeDefinition<_kingly_agent_v1_Welcome, _kingly_agent_v1_Welcome__Output>
      }
    }
  }
}

