// The inputs whose results are pinned bit by bit. Inputs are made from a fixed integer sequence with
// + - * / only, so that every engine makes the same ones.

import { fromHex, toHex } from "../../src/index.ts";
import { FUNCTIONS } from "./functions.ts";

const PER_FUNCTION = 200;

/** Lines `name inputHex... resultHex` of every pinned case, computed now. */
export function bitLines(): string[] {
  let seed = 12_345;
  const unit = (): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  const whole = (bound: number): number => Math.floor(unit() * bound);
  const spread = (): number =>
    fromHex(`${(0x3f0 - whole(60) + whole(60)).toString(16)}${toHex(unit()).slice(3)}`);
  const makers: Readonly<Record<string, () => number[]>> = {
    ln: () => [spread()],
    exp: () => [(unit() - 0.5) * (1 + whole(3) * 700)],
    lnNormalCdf: () => [(unit() - 0.6) * (4 + whole(2) * 60)],
    logAddExp: () => [(unit() - 0.5) * 40, (unit() - 0.5) * 40],
    lnGamma: () => [unit() * 40],
    lnBeta: () => [unit() * 60, unit() * 1_000],
    regularizedIncompleteBeta: () => [unit() * 60, unit() * 60, unit()],
    lnSnse: () => [(unit() - 0.4) * 20, unit() * 30, 0.001 + unit()],
    lnSign: () => {
      const n = whole(400);
      return [whole(n + 1), n];
    },
    lnCombined: () => {
      const n = 1 + whole(120);
      return [n, whole(n + 1), (unit() - 0.3) * n * 0.2, unit() * n * 0.05, 0.01 + unit()];
    },
    lnEventCount: () => {
      const n = whole(200);
      return [whole(n + 1), n, 0.05 + unit() * 0.9, unit()];
    },
    binomialTail: () => {
      const n = 1 + whole(2_000);
      return [n, unit() * unit() * 0.02, whole(12)];
    },
    pairDifference: () => [unit() * 1_000, unit() * 1_000],
  };
  return Object.entries(makers).flatMap(([name, make]) =>
    Array.from({ length: PER_FUNCTION }, () => {
      const args = make();
      const result = FUNCTIONS[name]?.(...args) ?? Number.NaN;
      return [name, ...args.map(toHex), toHex(result)].join(" ");
    }),
  );
}
