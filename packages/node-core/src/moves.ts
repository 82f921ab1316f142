// Where the tuner may go from a content: one tunable key, up or down, in whole schema steps, inside
// the schema's range and the owner's. A ladder doubles the number of steps from rung to rung.

import { contentHash } from "@kingly/base";
import type { JsonObject, Prng } from "@kingly/base";
import type { KeyRule } from "@kingly/resources";
import type { Content, NodeCoreOptions, OwnerKeyLimit } from "./types.ts";

/** Beyond this wash-out a key is not switched back and forth on one node. */
const SETTLE_SECONDS_MAX = 60;

/** One key in one direction. */
export interface Move {
  readonly key: string;
  readonly direction: 1 | -1;
  readonly from: number;
  readonly step: number;
  readonly minimum: number;
  readonly maximum: number;
  readonly integer: boolean;
  readonly settleSeconds: number;
}

/** Name of a move in the tuner's memory. */
export function moveName(move: Move): string {
  return `${move.key}${move.direction > 0 ? "+" : "-"}`;
}

/** All moves from a content: keys in the owner's order, else those at their least value first. */
export function movesFrom(
  data: JsonObject,
  keys: Readonly<Record<string, KeyRule>>,
  context: { readonly options: NodeCoreOptions; readonly target: string; readonly prng: Prng },
): readonly Move[] {
  const { options, target, prng } = context;
  const wanted = options.tuner.keys;
  const names = (wanted.length > 0 ? [...wanted] : Object.keys(keys).sort()).filter((name) =>
    Object.hasOwn(keys, name),
  );
  const moves: Move[] = [];
  for (const name of names) {
    const rule = keys[name];
    if (rule === undefined) continue;
    const bounds = [options.ownerLimits[target]?.[name], options.tuner.limits?.[name]];
    moves.push(...movesOf(name, rule, data, bounds));
  }
  if (wanted.length > 0) return moves;
  // A key at its least value is often a feature that is off: worth a look before fine tuning.
  const off = moves.filter((move) => move.direction > 0 && move.from <= move.minimum);
  const rest = moves.filter((move) => !off.includes(move));
  return [...prng.shuffle(off), ...prng.shuffle(rest)];
}

function movesOf(
  key: string,
  rule: KeyRule,
  data: JsonObject,
  bounds: readonly (OwnerKeyLimit | undefined)[],
): readonly Move[] {
  const from = Object.hasOwn(data, key) ? data[key] : undefined;
  const { minimum, maximum, step, settleSeconds } = rule;
  if (!rule.tunable || !rule.hot || rule.secret || settleSeconds > SETTLE_SECONDS_MAX) return [];
  if (minimum === undefined || maximum === undefined || step === undefined || step <= 0) return [];
  if (typeof from !== "number") return [];
  const least = Math.max(minimum, ...bounds.map((bound) => bound?.minimum ?? minimum));
  const most = Math.min(maximum, ...bounds.map((bound) => bound?.maximum ?? maximum));
  const common = { key, from, step, minimum: least, maximum: most, settleSeconds };
  const integer = rule.type === "integer";
  const moves: Move[] = [];
  if (from + step <= most) moves.push({ ...common, integer, direction: 1 });
  if (from - step >= least) moves.push({ ...common, integer, direction: -1 });
  return moves;
}

/** The value on a rung (0 = one step, 1 = two, 2 = four), or undefined beyond the range. */
export function valueAt(move: Move, rung: number): number | undefined {
  const value = move.from + move.direction * move.step * (1 << rung);
  if (value < move.minimum || value > move.maximum) return undefined;
  return move.integer ? Math.round(value) : value;
}

/** The content with the key moved. */
export function movedContent(
  base: Content,
  key: string,
  value: number,
  options: NodeCoreOptions,
): Content {
  const data: JsonObject = { ...base.data, [key]: value };
  return { version: 0, hash: contentHash(data, options.crypto), data };
}
