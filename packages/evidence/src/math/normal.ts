// ln of the standard normal distribution function, sound for any z. Near zero the all-positive series of
// Phi (Abramowitz & Stegun 26.2.11), in the tails Laplace's continued fraction of the Mills ratio
// (26.2.14), evaluated from a depth fixed by z, so that nothing underflows however small Phi is.

import { exp } from "./exp.ts";
import { HALF_LN_TWO_PI, ln, lnOnePlus } from "./ln.ts";

/** Where the series, whose cancellation grows with |z|, hands over to the continued fraction. */
const TAIL_STARTS_AT = 2;
const ONE_OVER_SQRT_TWO_PI = 0.3989422804014327;

/** ln Phi(z), the log probability that a standard normal is at most z. Relative error below 1e-13. */
export function lnNormalCdf(z: number): number {
  if (z !== z) return z;
  if (z <= -TAIL_STARTS_AT) return lnUpperTail(-z);
  if (z >= TAIL_STARTS_AT) return lnOnePlus(-exp(lnUpperTail(z))) + 0;
  return ln(0.5 + ONE_OVER_SQRT_TWO_PI * exp(-0.5 * z * z) * centralSeries(z));
}

/** z + z^3/3 + z^5/15 + ...: (Phi(z) - 1/2) / phi(z). */
function centralSeries(z: number): number {
  const square = z * z;
  let term = z;
  let sum = z;
  for (let n = 3; Math.abs(term) > 1e-18 * Math.abs(sum); n += 2) {
    term *= square / n;
    sum += term;
  }
  return sum;
}

/** ln(1 - Phi(x)) for x >= 2: -x^2/2 - ln sqrt(2 pi) + ln of the Mills ratio. */
function lnUpperTail(x: number): number {
  const square = x * x;
  if (square === Number.POSITIVE_INFINITY) return Number.NEGATIVE_INFINITY;
  // The fraction's error falls as exp(-2 x sqrt(depth)); this depth reaches 1e-17.
  const depth = Math.floor(420 / square) + 12;
  let denominator = x;
  for (let n = depth; n >= 1; n -= 1) denominator = x + n / denominator;
  return -0.5 * square - HALF_LN_TWO_PI - ln(denominator);
}
