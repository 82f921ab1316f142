// Hunting one mutant: seeds one after the other in a worker that carries it, until a checker sees it.
// An assertion of the product may stop it first; that is noted, and the hunt for a checker goes on,
// because an assertion knows the code and a checker knows the promise.

import { Worker } from "../workers/pool.ts";
import type { Task } from "../workers/worker.ts";
import { patchesOf } from "./mutant.ts";
import type { Mutant } from "./mutant.ts";

/** How a hunt ended. */
export interface Kill {
  readonly mutant: Mutant;
  /** Property that did not hold; "no-crash": only assertions of the product; undefined: it survived. */
  readonly property: string | undefined;
  /** How many seeds it took, or were tried. */
  readonly seeds: number;
  readonly message: string;
}

/** Virtual seconds of faults in a hunt. */
const HUNT_SECONDS = 6;

function taskFor(mutant: Mutant, seed: number): Task {
  if (mutant.world === "fleet") return { world: "fleet", options: { seed } };
  const { machine } = mutant;
  return {
    world: "cluster",
    options: { seed, servers: 0, seconds: HUNT_SECONDS, machine, swarm: true },
  };
}

/** Hunts a mutant through seeds 1 to `seedsMax`. Rejects when it cannot be made or hangs. */
export async function hunt(mutant: Mutant, seedsMax: number = mutant.seedsMax): Promise<Kill> {
  const worker = new Worker(patchesOf(mutant));
  let asserted: Kill | undefined;
  try {
    for (let seed = 1; seed <= seedsMax; seed += 1) {
      const { violation } = await worker.run(taskFor(mutant, seed));
      if (violation === undefined) continue;
      const { property, message } = violation;
      const kill = { mutant, property, seeds: seed, message };
      if (property !== "no-crash") return kill;
      asserted ??= kill;
    }
  } finally {
    worker.close();
  }
  return asserted ?? { mutant, property: undefined, seeds: seedsMax, message: "" };
}
