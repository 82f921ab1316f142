// One scenario on one process: pairs of blocks, one under the old and one under the new tunables, in
// the order of a coin; a wash-out before every block. Each pair gives d = ln(new / old).
import type { Random } from "../random.ts";
import type { Tunables } from "../tunables.ts";
import type { MeasuredProcess } from "./process.ts";
import { blockBetween, pooledQuantile } from "./scrape.ts";
import type { Block } from "./scrape.ts";

/** Length of a block, of the wash-out before it, and how many pairs. */
export interface Design {
  readonly blockMs: number;
  readonly washOutMs: number;
  readonly pairs: number;
}

/** Two arms of one scenario. */
export interface Arms {
  readonly old: Tunables;
  readonly new: Tunables;
}

/** Mean of d over the pairs, as a ratio minus 1, and the scatter of d. */
export interface Effect {
  /** exp(mean d) - 1; -0.3 = 30 % less. */
  readonly change: number;
  /** Half width of a 95 % interval of mean d. */
  readonly plusMinus: number;
  /** Standard deviation of d per pair. */
  readonly sd: number;
}

/** What one scenario did to one process. */
export interface Outcome {
  readonly latency: Effect;
  readonly cpu: Effect;
  /** Change of the pooled p95, or NaN where there are too few requests. */
  readonly p95Change: number;
  readonly pairs: number;
  /** Pairs without a request in one block. */
  readonly empty: number;
  /** Mean latency of the old arm in milliseconds. */
  readonly oldMeanMs: number;
}

const P95_REQUESTS_MIN = 200;

/** Runs the pairs and estimates the effects. */
export async function runSwitchback(
  target: MeasuredProcess,
  arms: Arms,
  design: Design,
  random: Random,
): Promise<Outcome> {
  const pairs: { readonly old: Block; readonly new: Block }[] = [];
  for (let pair = 0; pair < design.pairs; pair++) {
    const newFirst = random.uniform() < 0.5;
    const first = await runBlock(target, newFirst ? arms.new : arms.old, design);
    const second = await runBlock(target, newFirst ? arms.old : arms.new, design);
    pairs.push(newFirst ? { old: second, new: first } : { old: first, new: second });
  }
  await target.configure(arms.old);
  const full = pairs.filter((pair) => pair.old.count > 0 && pair.new.count > 0);
  const olds = full.map((pair) => pair.old);
  const news = full.map((pair) => pair.new);
  const requests = olds.reduce((sum, block) => sum + block.count, 0);
  return {
    latency: effect(full.map((pair) => Math.log(pair.new.mean / pair.old.mean))),
    cpu: effect(full.map((pair) => Math.log(pair.new.cpuPerRequest / pair.old.cpuPerRequest))),
    p95Change:
      requests < P95_REQUESTS_MIN
        ? NaN
        : pooledQuantile(news, 0.95) / pooledQuantile(olds, 0.95) - 1,
    pairs: full.length,
    empty: pairs.length - full.length,
    oldMeanMs: (1_000 * olds.reduce((sum, block) => sum + block.mean, 0)) / olds.length,
  };
}

async function runBlock(
  target: MeasuredProcess,
  tunables: Tunables,
  design: Design,
): Promise<Block> {
  await target.configure(tunables);
  await wait(design.washOutMs);
  const before = await target.read();
  await wait(design.blockMs);
  return blockBetween(before, await target.read());
}

async function wait(milliseconds: number): Promise<void> {
  await new Promise<void>((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}

/** Mean, 95 % half width (normal) and standard deviation of log ratios. */
export function effect(logRatios: readonly number[]): Effect {
  const count = logRatios.length;
  const mean = logRatios.reduce((sum, value) => sum + value, 0) / count;
  const squares = logRatios.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const sd = Math.sqrt(squares / (count - 1));
  return { change: Math.exp(mean) - 1, plusMinus: (1.96 * sd) / Math.sqrt(count), sd };
}
