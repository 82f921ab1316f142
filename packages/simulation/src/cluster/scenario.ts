// One seed draws a whole scenario: sizes, timing, quality of links and disks, which faults happen and
// how often, what clients do. Every kind of fault is sometimes absent, because some mistakes show only
// when nothing else disturbs (swarm testing, Groce et al. 2012).

import type { Prng } from "@kingly/base";
import { MILLISECOND_US, SECOND_US } from "../engine/scheduler.ts";
import type { DiskSpeed } from "./disk.ts";
import type { LinkQuality } from "./network.ts";

/** Kinds of faults. */
export const FAULTS = [
  "crash",
  "crash-leader",
  "crash-new-leader",
  "crash-all",
  "crash-mid-write",
  "damage",
  "bit-rot",
  "disk-error",
  "disk-full",
  "slow-disk",
  "pause",
  "isolate",
  "one-way",
  "bridge",
  "split",
  "bad-links",
  "transfer",
  "clock",
  "members",
] as const;

/** Kind of a fault. */
export type FaultKind = (typeof FAULTS)[number];

/** Everything that one run is made of. */
export interface Scenario {
  /** Members that the cluster begins with. */
  readonly servers: number;
  /** Servers that may join later; they have the ids behind those of the first members. */
  readonly spares: number;
  readonly machine: "register" | "decision";
  /** Length of the safety phase, virtual microseconds. */
  readonly safetyUs: number;
  readonly tickUs: number;
  readonly electionTicks: number;
  readonly checkQuorum: boolean;
  readonly preVote: boolean;
  /** Reads under a lease; then nothing disturbs the clocks, on which leases rest. */
  readonly leaseReads: boolean;
  /** Bytes of entries per append message; 0: one entry per message. */
  readonly messageBytesMax: number;
  readonly inflightMessagesMax: number;
  /** Entries that a log keeps in memory; older ones are read back from disk. */
  readonly windowEntries: number;
  /** Entries beyond `compactKeep` after which the log is compacted. */
  readonly compactEvery: number;
  readonly compactKeep: number;
  /** From the first input to the turn in which its consequences leave, microseconds. */
  readonly turnUs: number;
  /** Longest time until committed entries are applied, microseconds. */
  readonly applyDelayUs: number;
  readonly links: LinkQuality;
  readonly disk: DiskSpeed;
  readonly clients: number;
  readonly keys: number;
  /** Longest pause of a client between two operations, microseconds. */
  readonly thinkUs: number;
  readonly attemptTimeoutUs: number;
  /** Probability that a write goes to any server instead of the one that is thought to lead, 0 to 1. */
  readonly wandering: number;
  /** Shares of operations, 0 to 1; the rest are puts. */
  readonly readShare: number;
  readonly casShare: number;
  /** Kinds that happen; a kind may be listed twice to make it likelier. */
  readonly faults: readonly FaultKind[];
  /** Longest pause between two faults, microseconds. */
  readonly faultPauseUs: number;
  /** Longest duration of a fault that passes, microseconds. */
  readonly faultLengthUs: number;
  /** The liveness phase happens in a majority only; the others stay away. */
  readonly healsMajorityOnly: boolean;
}

/** What the caller fixes; the rest is drawn. */
export interface ScenarioWishes {
  /** 0: drawn. */
  readonly servers: 0 | 3 | 5;
  /** Virtual seconds of the safety phase. */
  readonly seconds: number;
  readonly machine: "register" | "decision" | undefined;
  /** Short and dense runs: quick ticks, faults in quick succession, few or many kinds of them. */
  readonly swarm: boolean;
}

/** Milliseconds that a run is drawn from. */
const CALM = {
  tickMs: [50, 100],
  faultMs: [500, 2_000, 5_000],
  thinkMs: [100, 400, 1_600],
  attemptMs: [300, 1_000],
};
/** The same for the swarm. */
const DENSE: typeof CALM = {
  tickMs: [10, 30],
  faultMs: [100, 500, 1_500],
  thinkMs: [20, 100, 400],
  attemptMs: [50, 200],
};
/** Servers that may join a cluster whose members change. */
const SPARES = 3;

/** Draws a scenario. */
export function drawScenario(prng: Prng, wishes: ScenarioWishes): Scenario {
  const drawn = prng.chance(0.75) ? 3 : 5;
  const servers = wishes.servers === 0 ? drawn : wishes.servers;
  const usual = prng.chance(0.8);
  const drawnMachine = prng.chance(0.2) ? "decision" : "register";
  const machine = wishes.machine ?? drawnMachine;
  const casShare = prng.pick([0, 0.3]);
  const leaseReads = usual && prng.chance(0.15);
  const faults = drawFaults(prng, { ...wishes, usual, leaseReads });
  const { tickMs, faultMs, thinkMs, attemptMs } = wishes.swarm ? DENSE : CALM;
  return {
    servers,
    spares: faults.includes("members") ? SPARES : 0,
    machine,
    safetyUs: Math.round(wishes.seconds * SECOND_US),
    tickUs: prng.pick(tickMs) * MILLISECOND_US,
    electionTicks: prng.pick([10, 10, 5]),
    checkQuorum: usual,
    preVote: usual,
    leaseReads,
    messageBytesMax: prng.pick([0, 1024, 1024 * 1024]),
    inflightMessagesMax: prng.pick([1, 4, 256]),
    windowEntries: prng.pick([4, 64, 65_536]),
    compactEvery: prng.pick([5, 20, 100, 100_000]),
    compactKeep: prng.pick([0, 5, 30]),
    turnUs: prng.pick([0, 50, 500]),
    applyDelayUs: prng.pick([0, 200, 20_000]),
    links: drawLinks(prng),
    disk: { leastUs: prng.pick([50, 200]), spreadUs: prng.pick([200, 1_000, 10_000]) },
    clients: 1 + prng.below(5),
    keys: 1 + prng.below(4),
    thinkUs: prng.pick(thinkMs) * MILLISECOND_US,
    attemptTimeoutUs: prng.pick(attemptMs) * MILLISECOND_US,
    wandering: prng.pick([0.05, 0.5]),
    readShare: prng.pick([0.2, 0.5]),
    // The decision machine compares revisions, not values: no cas of values there.
    casShare: machine === "decision" ? 0 : casShare,
    faults,
    faultPauseUs: prng.pick(faultMs) * MILLISECOND_US,
    faultLengthUs: prng.pick(faultMs) * MILLISECOND_US,
    healsMajorityOnly: prng.chance(0.3),
  };
}

function drawLinks(prng: Prng): LinkQuality {
  return {
    loss: prng.pick([0, 0, 0.01, 0.1]),
    duplication: prng.pick([0, 0.02, 0.2]),
    delayLeastUs: prng.pick([100, 500]),
    delaySpreadUs: prng.pick([100, 2_000, 20_000]),
    spikes: prng.pick([0, 0.01]),
    spikeUs: prng.pick([200, 2_000]) * MILLISECOND_US,
  };
}

/**
 * Damage only with check-quorum and pre-vote, as the product runs: without both, nobody tells a
 * recovering member, which never campaigns, that its higher term keeps it outside. The same for
 * changes of members: nothing else keeps a removed one from disturbing. And not both at once: how much
 * damage a cluster survives depends on who is a member, which changes.
 */
function drawFaults(
  prng: Prng,
  wishes: { readonly swarm: boolean; readonly usual: boolean; readonly leaseReads: boolean },
): FaultKind[] {
  const share = wishes.swarm ? prng.pick([0.15, 0.4, 0.8]) : 0.6;
  const drawn = FAULTS.filter(() => prng.chance(share));
  const without = new Set<FaultKind>();
  if (!wishes.usual)
    for (const kind of ["damage", "bit-rot", "members"] as const) without.add(kind);
  if (wishes.leaseReads) for (const kind of ["clock", "pause"] as const) without.add(kind);
  if (prng.chance(0.5)) without.add("members");
  else if (drawn.includes("members"))
    for (const kind of ["damage", "bit-rot"] as const) without.add(kind);
  const faults = drawn.filter((kind) => !without.has(kind));
  if (prng.chance(0.05)) return [];
  // Members change often enough to see a change meet another fault.
  if (faults.includes("members")) faults.push("members", "members");
  return [...faults, "crash"];
}
