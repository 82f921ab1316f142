// Who votes: per class, nodes drawn by a seed that nobody chose, among those that can measure the
// trial now. And what they measure: each node's plan, with its own variance scale from calibration.

import { canonicalJson, concatBytes, toHex, utf8Encode } from "@kingly/base";
import type { Crypto, JsonValue } from "@kingly/base";
import { STANDARD_DEVIATION_DEFAULT, drawFrom, rhoFor } from "@kingly/evidence";
import type { TrialPlan } from "@kingly/evidence";
import type { Config, Node, ObjectiveDocument, PolicySpec } from "@kingly/resources";
import { ELECTORATE_MAX, REDRAWS_MAX } from "../limits.ts";
import { OPEN_TRIAL_PREFIX } from "../core/keys.ts";
import { readObject } from "../core/view.ts";
import type { StateView } from "../core/view.ts";
import { pinnedNodes } from "./pins.ts";
import { trialOf } from "./rows.ts";
import type { Elector, TrialRow } from "./rows.ts";
import { classesOf, selectedNodes } from "./selection.ts";

/** Smallest floor a plan gets when the Objective names none: keeps logarithms of zero away. */
export const FLOOR_MIN = 1e-9;

/** Objectives of a Config as agents need them, in the Config's order. */
export function objectivesOf(view: StateView, config: Config): ObjectiveDocument[] {
  const found: ObjectiveDocument[] = [];
  for (const name of config.spec.objectiveRefs) {
    const objective = readObject(view, "Objective", config.metadata.namespace ?? "", name);
    if (objective !== undefined) found.push({ ...objective.spec, name });
  }
  return found;
}

/** Nodes that measure in a running trial and have not answered yet. */
export function nodesInTrials(view: StateView): ReadonlySet<string> {
  const busy = new Set<string>();
  for (const [, uid] of view.list(OPEN_TRIAL_PREFIX)) {
    const trial = typeof uid === "string" ? trialOf(view, uid) : undefined;
    for (const elector of trial?.electors ?? []) {
      if (elector.answer === "") busy.add(elector.node);
    }
  }
  return busy;
}

/** Nodes of one class that could take part in a trial. */
export interface ClassPool {
  readonly class: string;
  /** Selected nodes of the class: what it stands for. */
  readonly size: number;
  /** Those that can measure now, sorted by name. */
  readonly eligible: readonly Node[];
}

/** True when the node has bound the target and every signal. */
export function canMeasure(node: Node, target: string, signals: readonly string[]): boolean {
  const { status } = node;
  if (status === undefined || !status.targets.includes(target)) return false;
  return signals.every((signal) => status.signals.includes(signal));
}

/** For which trial nodes are looked for. */
export interface TrialNeed {
  readonly reachable: ReadonlySet<string>;
  /** Keys that the trial changes. */
  readonly changedKeys: readonly string[];
}

/**
 * Per class, the nodes of a Config that can measure a trial now; classes sorted. A node whose standing
 * veto pins a key that the trial leaves alone is not asked: both arms would force the key on it.
 */
export function trialPools(view: StateView, config: Config, need: TrialNeed): ClassPool[] {
  const nodes = selectedNodes(view, config);
  const signals = objectivesOf(view, config).map((objective) => objective.signal);
  const busy = nodesInTrials(view);
  const pinned = pinnedNodes(view, config, config.status?.version ?? 0);
  const able = (node: Node): boolean => {
    const { name } = node.metadata;
    if (!need.reachable.has(name) || busy.has(name)) return false;
    const pins = pinned.get(name);
    if (pins !== undefined && [...pins].some((key) => !need.changedKeys.includes(key))) {
      return false;
    }
    return canMeasure(node, config.spec.target, signals);
  };
  return classesOf(nodes).map((name) => {
    const own = nodes.filter((node) => node.spec.class === name);
    return { class: name, size: own.length, eligible: own.filter(able) };
  });
}

/** True when every class can reach its smallest number of votes, and there is a class at all. */
export function canStart(pools: readonly ClassPool[], policy: PolicySpec): boolean {
  const needed = (pool: ClassPool): number =>
    Math.min(policy.electorate.minVotesPerClass, pool.size);
  return (
    pools.length > 0 && pools.every((pool) => pool.eligible.length >= Math.max(1, needed(pool)))
  );
}

/**
 * Draws the electorate, at most ELECTORATE_MAX nodes over all classes, and behind it the reserves: a
 * longer draw begins with the shorter one, so asking the next is part of the same draw.
 */
export function drawElectors(
  pools: readonly ClassPool[],
  draw: {
    readonly seed: Uint8Array;
    readonly policy: PolicySpec;
    readonly objectives: readonly ObjectiveDocument[];
    readonly startedAtMs: number;
    readonly crypto: Crypto;
  },
): Pick<TrialRow, "electors" | "reserves"> {
  const perClassMax = Math.max(1, Math.floor(ELECTORATE_MAX / Math.max(1, pools.length)));
  const electors: Elector[] = [];
  const reserves: Record<string, readonly string[]> = {};
  for (const pool of pools) {
    const wanted = Math.min(draw.policy.electorate.nodesPerClass, perClassMax);
    const count = Math.min(wanted, pool.eligible.length);
    const drawn = drawNodes(pool, Math.min(count * (1 + REDRAWS_MAX), pool.eligible.length), draw);
    for (const node of drawn.slice(0, count)) {
      electors.push(electorOf(node, draw.objectives, draw.startedAtMs));
    }
    reserves[pool.class] = drawn.slice(count).map((node) => node.metadata.name);
  }
  return { electors, reserves };
}

function drawNodes(
  pool: ClassPool,
  count: number,
  draw: { readonly seed: Uint8Array; readonly crypto: Crypto },
): Node[] {
  const items = pool.eligible.map((node) => node.metadata.name);
  const drawn = drawFrom({ seed: draw.seed, label: `class/${pool.class}`, items, count }, (bytes) =>
    draw.crypto.sha256(bytes),
  );
  return drawn.flatMap((name) => pool.eligible.filter((node) => node.metadata.name === name));
}

/** A place in the electorate, with the node's variance scale per objective. */
export function electorOf(
  node: Node,
  objectives: readonly ObjectiveDocument[],
  startedAtMs: number,
): Elector {
  const group = node.spec.interferenceGroup;
  return {
    node: node.metadata.name,
    class: node.spec.class,
    ownerGroup: node.spec.ownerGroup,
    unit: group === "" ? node.metadata.name : group,
    rho: objectives.map(({ signal }) => {
      const known = node.status?.calibration ?? {};
      const own = Object.hasOwn(known, signal) ? known[signal] : undefined;
      return rhoFor({ standardDeviation: own?.standardDeviation ?? STANDARD_DEVIATION_DEFAULT });
    }),
    startedAtMs,
    answer: "",
    lnHarm: 0,
    measured: false,
    redraws: 0,
  };
}

/** The plan by which this node measures and every replica checks. */
export function planFor(trial: TrialRow, elector: Elector): TrialPlan {
  const { policy } = trial;
  return {
    objectives: trial.objectives.map((objective, i) => ({
      name: objective.name,
      role: objective.role,
      direction: objective.direction,
      floor: Math.max(objective.floor, FLOOR_MIN),
      weight: objective.weight,
      marginRatio: objective.marginRatio,
      harmMarginRatio: policy.trial.harmMarginRatio,
      rho: elector.rho[i] ?? rhoFor({ standardDeviation: STANDARD_DEVIATION_DEFAULT }),
    })),
    alpha: policy.alpha,
    beta: trial.beta,
    clip: policy.trial.clip,
    maxPairs: policy.trial.maxPairs,
    requireImprovement: trial.requireImprovement,
  };
}

/** The trial's seed: the leader's entropy, the proposal and the log up to here, none alone. */
export function seedOf(
  crypto: Crypto,
  parts: { readonly entropy: Uint8Array; readonly uid: string; readonly chainHash: Uint8Array },
): Uint8Array {
  const tag = utf8Encode(`kingly/seed/v1|${parts.uid}|`);
  return crypto.sha256(concatBytes(tag, parts.entropy, parts.chainHash));
}

/** Lower-case hex sha256 of a value's canonical JSON. */
export function hashOf(crypto: Crypto, value: unknown): string {
  return toHex(crypto.sha256(utf8Encode(canonicalJson(value as JsonValue))));
}
