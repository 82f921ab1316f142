// Chooses the machine of a run.

import type { Canary } from "./bugs.ts";
import { decisionMachine } from "./decision-machine.ts";
import type { MachineKind } from "./machine.ts";
import { registerMachine } from "./register-machine.ts";
import type { Scenario } from "./scenario.ts";

/** The machine a scenario names, with the seeded bug when it is one of the machine's. */
export function machineFor(scenario: Scenario, bug: Canary | undefined): MachineKind {
  if (scenario.machine === "decision") return decisionMachine(scenario.keys);
  return registerMachine({ appliesTwice: bug === "applies-twice" });
}
