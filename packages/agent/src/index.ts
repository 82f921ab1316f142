// The agent as a library: what supervisors, tests and the conformance suites need.

export { startAgent } from "./agent.ts";
export type { Agent } from "./agent.ts";
export { loadAgentConfig } from "./config/load.ts";
export { readBinding } from "./config/binding.ts";
export { Fields } from "./fields.ts";
export type {
  AgentConfig,
  ApplierBinding,
  Binding,
  ProbeBinding,
  SignalBinding,
  TargetBinding,
  TripwireBinding,
} from "./config/types.ts";
export type { Applier, ApplyOutcome } from "./appliers/applier.ts";
export { FileApplier } from "./appliers/file.ts";
export { HttpApplier } from "./appliers/http.ts";
export type { Probe, ProbeBlock } from "./probes/probe.ts";
export { HttpProbe } from "./probes/http.ts";
export { PrometheusProbe, ScrapeCache } from "./probes/prometheus.ts";
export { Output } from "./output.ts";
export type { LogFormat } from "./output.ts";
export { AGENT_VERSION } from "./version.ts";
