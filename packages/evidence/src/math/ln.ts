// Natural logarithm from + - * / alone, so that replicas agree to the last bit on any engine.
// x = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)); with s = f / (2 + f) the series
// ln(1 + f) = 2 (s + s^3/3 + s^5/5 + ...) is rearranged around f so that its rounding stays far below f's last bit.

import { biasedExponent, significand } from "./bits.ts";

/** ln 2 rounded to its upper 21 bits: k times it is exact for every exponent k. */
export const LN2_HIGH = 0.6931467056274414;
/** ln 2 - LN2_HIGH. */
export const LN2_LOW = 4.7493250390316726e-7;
/** ln 2. */
export const LN2 = 0.6931471805599453;
/** Half the logarithm of two pi. */
export const HALF_LN_TWO_PI = 0.9189385332046728;

const SQRT2 = 1.4142135623730951;
const TWO_TO_54 = 18_014_398_509_481_984;

/** Natural logarithm. 0 gives -Infinity, negative numbers and NaN give NaN. Error below 1 ulp. */
export function ln(x: number): number {
  if (!(x >= 0)) return Number.NaN;
  if (x === 0) return Number.NEGATIVE_INFINITY;
  if (x === Number.POSITIVE_INFINITY) return x;
  let scaled = x;
  let exponent = -1_023;
  if (biasedExponent(scaled) === 0) {
    scaled *= TWO_TO_54;
    exponent -= 54;
  }
  exponent += biasedExponent(scaled);
  let m = significand(scaled);
  if (m >= SQRT2) {
    m *= 0.5;
    exponent += 1;
  }
  const f = m - 1;
  const half = 0.5 * f * f;
  const tail = (f / (2 + f)) * (half + atanhTail(f)) + exponent * LN2_LOW;
  return exponent * LN2_HIGH + (f - (half - tail));
}

/** 2 (s^2/3 + s^4/5 + ...) for s = f / (2 + f); |s| < 0.172, so twelve terms reach 1e-18. */
function atanhTail(f: number): number {
  const s = f / (2 + f);
  const z = s * s;
  let sum = 0;
  for (let n = 25; n >= 3; n -= 2) sum = z * (2 / n + sum);
  return sum;
}

/** ln(1 + x) with full relative accuracy near 0; -1 gives -Infinity, below it NaN. */
export function lnOnePlus(x: number): number {
  const u = 1 + x;
  if (u === 1) return x;
  if (u === 0 || !Number.isFinite(u)) return ln(u);
  // The rounding of 1 + x is undone by the factor x / (u - 1) (Kahan's correction).
  return ln(u) * (x / (u - 1));
}
