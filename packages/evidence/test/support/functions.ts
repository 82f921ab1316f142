// The functions whose values are pinned and compared with references, by name, over plain numbers.

import {
  binomialTail,
  exp,
  lnBeta,
  lnCombined,
  lnEventCount,
  lnGamma,
  ln,
  lnNormalCdf,
  lnSign,
  lnSnse,
  logAddExp,
  pairDifference,
  regularizedIncompleteBeta,
} from "../../src/index.ts";

export const FUNCTIONS: Readonly<Record<string, (...args: number[]) => number>> = {
  ln: (x = 0) => ln(x),
  exp: (x = 0) => exp(x),
  lnNormalCdf: (z = 0) => lnNormalCdf(z),
  logAddExp: (a = 0, b = 0) => logAddExp(a, b),
  lnGamma: (x = 0) => lnGamma(x),
  lnBeta: (a = 0, b = 0) => lnBeta(a, b),
  regularizedIncompleteBeta: (a = 0, b = 0, x = 0) => regularizedIncompleteBeta(a, b, x),
  lnSnse: (sum = 0, sumSquares = 0, rho = 0) => lnSnse({ sum, sumSquares, rho }),
  lnSign: (positives = 0, pairs = 0) => lnSign({ positives, pairs }),
  lnCombined: (pairs = 0, positives = 0, sum = 0, ...rest) =>
    lnCombined({ pairs, positives, sum, sumSquares: rest[0] ?? 0, rho: rest[1] ?? 0 }),
  lnEventCount: (candidateEvents = 0, events = 0, exposureShare = 0, margin = 0) =>
    lnEventCount({ candidateEvents, events, exposureShare, margin }),
  binomialTail: (n = 0, p = 0, m = 0) => binomialTail(n, p, m),
  pairDifference: (candidate = 0, baseline = 0) =>
    pairDifference({ candidate, baseline, direction: "lower", floor: 1e-9 }),
};
