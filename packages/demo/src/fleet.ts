// The five nodes of the demonstration: same class, different real traffic. One of them has an owner
// who lets its agent explore; one has traffic so sparse that waiting for a batch only hurts.

import type { ProfileName } from "@kingly/workload";

/** One node of the demonstration. */
export interface NodePlan {
  readonly name: string;
  readonly profile: ProfileName;
  /** May this node's agent explore tunable keys? Its owner decides, in its binding file. */
  readonly tuner: boolean;
  readonly seed: number;
  /** For people. */
  readonly traffic: string;
}

/** All nodes, in the order of the table. */
export const FLEET: readonly NodePlan[] = [
  { name: "node-1", profile: "dense", tuner: true, seed: 1, traffic: "dense, bursts of 8" },
  {
    name: "node-2",
    profile: "dense-random",
    tuner: false,
    seed: 2,
    traffic: "dense, random bursts",
  },
  {
    name: "node-3",
    profile: "dense-poisson",
    tuner: false,
    seed: 3,
    traffic: "dense, Poisson bursts",
  },
  { name: "node-4", profile: "dense", tuner: false, seed: 4, traffic: "dense, bursts of 8" },
  { name: "node-5", profile: "sparse", tuner: false, seed: 5, traffic: "sparse, 5 a second" },
];
