// Gamma and beta functions in logarithms, and the regularised incomplete beta by its continued fraction
// (NIST DLMF 5.11.1, 8.17.22). Large arguments use the differences of Stirling's formula worked out by
// hand, because subtracting two huge log-gammas would leave only their rounding errors.

import { BETA_STEPS_MAX } from "../limits.ts";
import { requireNumber } from "../errors.ts";
import { exp } from "./exp.ts";
import { HALF_LN_TWO_PI, ln, lnOnePlus } from "./ln.ts";

/** From here on Stirling's series with eight terms is exact to the last bit. */
const STIRLING_FROM = 10;
const ARGUMENT_MAX = 1e12;

/** B(2k) / (2k (2k - 1)) for k = 1..8, the coefficients of Stirling's series. */
const STIRLING: readonly number[] = [
  1 / 12,
  -1 / 360,
  1 / 1_260,
  -1 / 1_680,
  1 / 1_188,
  -691 / 360_360,
  1 / 156,
  -3_617 / 122_400,
];

/** The part of ln Gamma(x) beyond (x - 1/2) ln x - x + ln sqrt(2 pi); x >= 10. */
function stirlingTail(x: number): number {
  const z = 1 / (x * x);
  let sum = 0;
  for (let i = STIRLING.length - 1; i >= 0; i -= 1) sum = (STIRLING[i] ?? 0) + z * sum;
  return sum / x;
}

/** ln Gamma(x) for x > 0, absolute error about 1e-14 below 10 and relative error about 1e-15 above. */
export function lnGamma(x: number): number {
  requireNumber("x", x, { above: 0, max: ARGUMENT_MAX });
  let product = 1;
  let shifted = x;
  while (shifted < STIRLING_FROM) {
    product *= shifted;
    shifted += 1;
  }
  const value = (shifted - 0.5) * ln(shifted) - shifted + HALF_LN_TWO_PI + stirlingTail(shifted);
  return value - ln(product);
}

/** ln B(a, b) = ln of the integral of p^(a-1) (1-p)^(b-1) over 0..1, for a, b > 0. */
export function lnBeta(a: number, b: number): number {
  requireNumber("a", a, { above: 0, max: ARGUMENT_MAX });
  requireNumber("b", b, { above: 0, max: ARGUMENT_MAX });
  const small = Math.min(a, b);
  const large = Math.max(a, b);
  if (large < STIRLING_FROM) return lnGamma(small) + lnGamma(large) - lnGamma(small + large);
  const tails = stirlingTail(large) - stirlingTail(small + large);
  const shrink = lnOnePlus(small / large);
  if (small < STIRLING_FROM) {
    const difference = -(large - 0.5) * shrink - small * ln(small + large) + small;
    return lnGamma(small) + (difference + tails);
  }
  const ratio = small / large;
  const both = (small - 0.5) * ln(ratio / (1 + ratio)) - large * shrink;
  return both - 0.5 * ln(large) + HALF_LN_TWO_PI + (stirlingTail(small) + tails);
}

/**
 * I_x(a, b), the probability that a Beta(a, b) variable is at most x; a, b > 0, x in 0..1.
 * Relative error about 1e-13 while a + b is below 100, growing in proportion to a + b.
 */
export function regularizedIncompleteBeta(a: number, b: number, x: number): number {
  requireNumber("a", a, { above: 0, max: ARGUMENT_MAX });
  requireNumber("b", b, { above: 0, max: ARGUMENT_MAX });
  requireNumber("x", x, { min: 0, max: 1 });
  if (x === 0 || x === 1) return x;
  const lnFront = a * ln(x) + b * lnOnePlus(-x) - lnBeta(a, b);
  if (x <= (a + 1) / (a + b + 2)) return (exp(lnFront) * betaFraction(a, b, x)) / a;
  return 1 - (exp(lnFront) * betaFraction(b, a, 1 - x)) / b;
}

/** The continued fraction of I_x(a, b), by Lentz's forward recurrence. */
function betaFraction(a: number, b: number, x: number): number {
  const tiny = 1e-300;
  let numerator = 1;
  let denominator = 1 / away(1 - ((a + b) * x) / (a + 1), tiny);
  let value = denominator;
  for (let m = 1; m <= BETA_STEPS_MAX; m += 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    denominator = 1 / away(1 + even * denominator, tiny);
    numerator = away(1 + even / numerator, tiny);
    value *= denominator * numerator;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    denominator = 1 / away(1 + odd * denominator, tiny);
    numerator = away(1 + odd / numerator, tiny);
    const step = denominator * numerator;
    value *= step;
    if (Math.abs(step - 1) < 2e-16) return value;
  }
  return value;
}

/** Keeps a recurrence from dividing by zero. */
function away(value: number, tiny: number): number {
  return Math.abs(value) < tiny ? tiny : value;
}
