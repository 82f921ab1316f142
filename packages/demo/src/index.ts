// The pieces of the demonstration that tests and benchmarks also use.

export { prepareCluster, SERVER_MAIN, startServer } from "./servers.ts";
export type { ClusterFiles, ClusterOptions } from "./servers.ts";
export { Supervisor } from "./supervisor.ts";
export type { Child, ChildLine, ChildSpec } from "./supervisor.ts";
