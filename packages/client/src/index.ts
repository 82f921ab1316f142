// TypeScript SDK: contexts, the REST client, the gRPC client with leader discovery and retry.

export { GrpcClient } from "./grpc-client.ts";
export type {
  ObjectEvent,
  ObjectScope,
  ProposalState,
  ProposeCall,
  WatchCall,
  WriteCall,
} from "./grpc-client.ts";
export type { GrpcClientOptions } from "./grpc-channel.ts";
export { loadContext } from "./kubeconfig.ts";
export type { Context } from "./kubeconfig.ts";
export { RestClient, resourcePath, TABLE_ACCEPT } from "./rest-client.ts";
export type { RawAnswer, RawCall, RestClientOptions, Scope, WatchEvent } from "./rest-client.ts";
export type { OnServerChange } from "./failover.ts";
export { errorFromStatus } from "./status-error.ts";
export { backoffMs } from "./retry.ts";
