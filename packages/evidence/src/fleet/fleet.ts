// From many nodes' evidence to the fleet: e-BH over e-values (Wang & Ramdas 2022), which bounds the share of
// false discoveries under any dependence; the veto budget of a rollout stage from the binomial tail;
// and how error probabilities are spent over retries and shared over nodes.

import { requireNumber } from "../errors.ts";
import {
  ALPHA_LOCAL_MAX,
  ERROR_PROBABILITY_MAX,
  ERROR_PROBABILITY_MIN,
  FLEET_NODES_MAX,
  VETO_CEILING_DEFAULT,
} from "../limits.ts";
import { lnBeta } from "../math/beta.ts";
import { exp } from "../math/exp.ts";
import { ln, lnOnePlus } from "../math/ln.ts";

const PI = 3.141592653589793;

/**
 * Indices (ascending) of the e-values that e-BH rejects at false discovery rate `q`: the largest k for
 * which the k-th largest e-value is at least N / (k q). Feed each node's e-value at its stopping time.
 */
export function eBenjaminiHochberg(eValues: readonly number[], q: number): readonly number[] {
  requireNumber("q", q, { above: 0, max: 1 });
  const count = eValues.length;
  requireNumber("eValues.length", count, { max: FLEET_NODES_MAX });
  for (const [i, value] of eValues.entries()) {
    if (value !== Number.POSITIVE_INFINITY) requireNumber(`eValues[${i}]`, value, { min: 0 });
  }
  const order = eValues.map((value, index) => ({ value, index }));
  order.sort((a, b) => (a.value === b.value ? a.index - b.index : a.value > b.value ? -1 : 1));
  let rejected = 0;
  for (const [i, { value }] of order.entries()) {
    if (value >= count / ((i + 1) * q)) rejected = i + 1;
  }
  const indices = order.slice(0, rejected).map((entry) => entry.index);
  return indices.sort((a, b) => a - b);
}

/**
 * P(Binomial(n, p) >= m). Sums the shorter side from its largest term, so that tiny tails keep their
 * relative accuracy; m <= 0 gives 1, m > n gives 0.
 */
export function binomialTail(n: number, p: number, m: number): number {
  requireNumber("n", n, { integer: true, min: 0, max: FLEET_NODES_MAX });
  requireNumber("p", p, { min: 0, max: 1 });
  requireNumber("m", m, { integer: true });
  if (m <= 0) return 1;
  if (m > n || p === 0) return 0;
  if (p === 1) return 1;
  const odds = p / (1 - p);
  if (m > n * p) {
    let term = binomialTerm(n, p, m);
    let sum = term;
    for (let i = m; i < n && term > sum * 1e-18; i += 1) {
      term *= ((n - i) / (i + 1)) * odds;
      sum += term;
    }
    return Math.min(1, sum);
  }
  let term = binomialTerm(n, p, m - 1);
  let below = term;
  for (let i = m - 1; i >= 1 && term > below * 1e-18; i -= 1) {
    term *= i / ((n - i + 1) * odds);
    below += term;
  }
  return Math.max(0, 1 - below);
}

/** P(Binomial(n, p) = m) for 0 < p < 1. */
function binomialTerm(n: number, p: number, m: number): number {
  const lnChoose = -ln(n + 1) - lnBeta(m + 1, n - m + 1);
  return exp(lnChoose + m * ln(p) + (n - m) * lnOnePlus(-p));
}

/** What the veto budget of a stage depends on. */
export interface VetoBudgetInput {
  /** Nodes of the stage. */
  readonly nodes: number;
  /** Probability of a false veto on one node. */
  readonly alphaLocal: number;
  /** Accepted probability of stopping a harmless stage; default 1e-4. */
  readonly ceiling?: number;
}

/**
 * Vetoes at which a stage stops: the least m >= 1 with P(Binomial(nodes, alphaLocal) >= m) <= ceiling.
 * May be nodes + 1, when even a veto of every node could be chance: then vetoes alone stop nothing.
 */
export function vetoBudget(input: VetoBudgetInput): number {
  const { nodes, alphaLocal: probability, ceiling = VETO_CEILING_DEFAULT } = input;
  requireNumber("nodes", nodes, { integer: true, min: 1, max: FLEET_NODES_MAX });
  requireNumber("alphaLocal", probability, { above: 0, below: 1 });
  requireNumber("ceiling", ceiling, { above: 0, below: 1 });
  // The tail falls with m: bisect between "too likely" and "unlikely enough".
  let tooFew = 0;
  let enough = nodes + 1;
  while (enough - tooFew > 1) {
    const middle = Math.trunc((tooFew + enough) / 2);
    if (binomialTail(nodes, probability, middle) <= ceiling) enough = middle;
    else tooFew = middle;
  }
  return enough;
}

/** beta_j = beta 6 / (pi^2 j^2): what trial j since the last confirmed commit may spend; sums to beta. */
export function spentBeta(beta: number, j: number): number {
  requireNumber("beta", beta, { min: ERROR_PROBABILITY_MIN, max: ERROR_PROBABILITY_MAX });
  requireNumber("j", j, { integer: true, min: 1, max: 10_000 });
  return (beta * 6) / (PI * PI * j * j);
}

/** Error probability of one node's guard: min(0.001, 1 / nodes). */
export function alphaLocal(nodes: number): number {
  requireNumber("nodes", nodes, { integer: true, min: 1, max: FLEET_NODES_MAX });
  return Math.min(ALPHA_LOCAL_MAX, 1 / nodes);
}
