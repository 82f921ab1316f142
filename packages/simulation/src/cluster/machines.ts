// Chooses the machine of a run.

import type { Canary } from "./bugs.ts";
import type { MachineKind } from "./machine.ts";
import { registerMachine } from "./register-machine.ts";

/** The machine a scenario names, with the seeded bug when it is one of the machine's. */
export function machineFor(name: MachineKind["name"], bug: Canary | undefined): MachineKind {
  void name;
  return registerMachine({ appliesTwice: bug === "applies-twice" });
}
