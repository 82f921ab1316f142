// Chooses the machine of a run.

import { decisionMachine } from "./decision-machine.ts";
import type { MachineKind } from "./machine.ts";
import { registerMachine } from "./register-machine.ts";
import type { Scenario } from "./scenario.ts";

/** The machine a scenario names. */
export function machineFor(scenario: Scenario): MachineKind {
  if (scenario.machine === "decision") return decisionMachine(scenario.keys);
  return registerMachine();
}
