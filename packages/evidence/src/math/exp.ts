// Exponential function from + - * / alone. x = k ln 2 + r with |r| <= 0.35, where the Taylor series needs
// fifteen terms; ln 2 is split in two so that the reduction loses nothing. Then ln(e^a + e^b).

import { powerOfTwo } from "./bits.ts";
import { LN2_HIGH, LN2_LOW, lnOnePlus } from "./ln.ts";

const ONE_OVER_LN2 = 1.4426950408889634;
/** Above it the result overflows. */
const EXP_MAX = 709.782712893384;
/** Below it the result is less than half the smallest subnormal. */
const EXP_MIN = -745.1332191019412;

/** e^x. Overflows to Infinity above 709.78, is 0 below -745.13; NaN gives NaN. Error about 1 ulp. */
export function exp(x: number): number {
  if (x !== x) return x;
  if (x > EXP_MAX) return Number.POSITIVE_INFINITY;
  if (x < EXP_MIN) return 0;
  const k = Math.floor(x * ONE_OVER_LN2 + 0.5);
  const high = x - k * LN2_HIGH;
  const low = k * LN2_LOW;
  const r = high - low;
  let series = 0;
  for (let n = 14; n >= 2; n -= 1) series = (r * (1 + series)) / n;
  // e^r = 1 + r (1 + series), with the part of the reduction that rounding cut off r added back.
  const value = 1 + (high + (r * series - low));
  return scaleByPowerOfTwo(value, k);
}

/** value * 2^k in two exact steps, so that overflow and subnormals come out right. */
function scaleByPowerOfTwo(value: number, k: number): number {
  const first = Math.trunc(k / 2);
  return value * powerOfTwo(first) * powerOfTwo(k - first);
}

/** ln(e^a + e^b) without overflow; -Infinity is the neutral element. */
export function logAddExp(a: number, b: number): number {
  const high = Math.max(a, b);
  const low = Math.min(a, b);
  if (low === Number.NEGATIVE_INFINITY || high === Number.POSITIVE_INFINITY) return high;
  return high + lnOnePlus(exp(low - high));
}
