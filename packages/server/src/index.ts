// kinglyd as a library: create a cluster, start a server. The process around it is main.ts.

export type { ApiOptions, RunningApi, ServerTls, StartApi } from "./api-contract.ts";
export { loadConfig, parseConfig } from "./config.ts";
export type { CompactionConfig, ListenConfig, ServerConfig, TimingConfig } from "./config.ts";
export { freePorts } from "./free-ports.ts";
export { ADMIN_GROUP, SECRET_FILES, initCluster } from "./init.ts";
export type { InitMember, InitOptions, InitResult } from "./init.ts";
export { renderKubeconfig, writeKubeconfig } from "./kubeconfig.ts";
export type { KubeconfigOptions, KubeconfigServer } from "./kubeconfig.ts";
export { createLogger } from "./observe/logger.ts";
export type {
  Actor,
  ClusterStatus,
  NodeAck,
  NodeHeartbeat,
  Replica,
  SoftState,
  SubmitOptions,
  SubmitResult,
  Subscription,
  WatchEvent,
  WatchOptions,
  WatchSink,
  WriteRequest,
} from "./replica/replica.ts";
export { startServer } from "./server.ts";
export type { RunningServer, StartOptions } from "./server.ts";
export type { Member } from "./transport/types.ts";
