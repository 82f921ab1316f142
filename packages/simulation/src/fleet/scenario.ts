// What one fleet run is made of, drawn from the seed: nodes, noise, faults, and how the change that is
// proposed really behaves. The simulator knows the truth; the fleet has to find it out.

import type { Prng } from "@kingly/base";
import { SECOND_US } from "../engine/scheduler.ts";

/** How the proposed change behaves. */
export const STORIES = [
  /** Nothing is proposed: nothing may happen. */
  "default",
  /** Better everywhere. */
  "harmless",
  /** Worse everywhere. */
  "harmful",
  /** Worse in one class, better in the other. */
  "split",
  /** Better everywhere but on one node, where it is much worse. */
  "odd-one",
  /** Better while it is tried, worse from the end of its rollout on. */
  "turns-bad",
] as const;

/** How the proposed change behaves. */
export type Story = (typeof STORIES)[number];

/** One fleet run. */
export interface FleetScenario {
  readonly story: Story;
  readonly nodes: number;
  readonly ownerGroups: number;
  /** Every how-manyth node is of class "large"; the others are "small". */
  readonly largeEvery: number;
  /** True relative change of latency by the candidate, large and small: 0.2 is 20 % slower. */
  readonly effects: readonly [number, number];
  /** Log standard deviation of one block's independent noise. */
  readonly noise: number;
  /** Log standard deviation of the noise that wanders from block to block. */
  readonly wander: number;
  /** Log drift of the whole plant per hour. */
  readonly driftPerHour: number;
  readonly blockSeconds: number;
  readonly washoutSeconds: number;
  readonly soakSeconds: number;
  /** Longest pause between two faults, microseconds; 0: no faults. */
  readonly faultPauseUs: number;
  /** Longest duration of a fault, microseconds. */
  readonly faultLengthUs: number;
  readonly delaySpreadUs: number;
}

/** Enough nodes for one of them to be outvoted in its class. */
const ODD_ONE_NODES = 10;

function effectsOf(story: Story, better: number, worse: number): readonly [number, number] {
  if (story === "harmful") return [worse, worse];
  return story === "split" ? [worse, better] : [better, better];
}

/** Draws a scenario; `wanted` fixes its story. */
export function drawFleetScenario(prng: Prng, wanted: Story | undefined): FleetScenario {
  const drawn = prng.pick(STORIES);
  const story = wanted ?? drawn;
  const better = -0.08 - 0.2 * prng.unit();
  const worse = 0.12 + 0.3 * prng.unit();
  const nodes = 4 + prng.below(5);
  return {
    story,
    nodes: story === "odd-one" ? ODD_ONE_NODES : nodes,
    ownerGroups: 2 + prng.below(3),
    largeEvery: prng.pick([2, 4]),
    effects: effectsOf(story, better, worse),
    noise: prng.pick([0.02, 0.05, 0.1]),
    wander: prng.pick([0, 0.05]),
    driftPerHour: prng.pick([0, 0.05, -0.05]),
    blockSeconds: prng.pick([5, 20]),
    washoutSeconds: prng.pick([2, 10]),
    soakSeconds: prng.pick([60, 300]),
    faultPauseUs: prng.pick([0, 300, 1_800]) * SECOND_US,
    faultLengthUs: prng.pick([10, 120]) * SECOND_US,
    delaySpreadUs: prng.pick([2_000, 50_000]),
  };
}
