// Whole clusters and fleets in virtual time, faults, checkers.

export { runCluster } from "./cluster/run.ts";
export type { Failure, RunCounts, RunOptions, RunResult } from "./cluster/run.ts";
export { checkLinearizability, isLinearizable } from "./checkers/linearizability.ts";
export type { Operation, RegisterAction } from "./checkers/linearizability.ts";
export { Violation } from "./engine/violation.ts";
export type { Property } from "./engine/violation.ts";
export { runFleet } from "./fleet/run.ts";
export type { FleetResult, FleetRunOptions } from "./fleet/run.ts";
export { STORIES } from "./fleet/scenario.ts";
export type { FleetScenario, Story } from "./fleet/scenario.ts";
export type { Scenario } from "./cluster/scenario.ts";
export { FAULTS } from "./cluster/scenario.ts";
export type { FaultKind } from "./cluster/scenario.ts";
