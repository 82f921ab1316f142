// Every limit of the package, each with its reason. They bound the work that one record, one plan or
// one call may cost a replica, and the range in which the arithmetic is trusted.

/** Pairs one process may count: two years of one pair a minute; sums stay exact to 1e-10. */
export const PROCESS_PAIRS_MAX = 1_000_000;

/** Pairs one plan may hold: two months of minute-long pairs, for guards; a trial plans about 120. */
export const TRIAL_PAIRS_MAX = 100_000;

/** Events one count process may hold; the mixture sum costs at most this many additions. */
export const PROCESS_EVENTS_MAX = 1_000_000;

/** Objectives of one trial: averaging harm over more than a few guardrails only loses power. */
export const OBJECTIVES_MAX = 16;

/** Characters of an objective's name: a Kubernetes object name. */
export const OBJECTIVE_NAME_LENGTH_MAX = 253;

/** Characters of the reason that travels with the evidence into every replica's state. */
export const REASON_LENGTH_MAX = 512;

/** Largest clip: a pair that differs by more than e^2 carries no more evidence than that. */
export const CLIP_MAX = 2;

/** Largest relative margin: a configuration allowed to be worse than twice as slow is not guarded. */
export const MARGIN_MAX = 1;

/** Largest error probability a plan may ask for; above it the words accept and reject mean nothing. */
export const ERROR_PROBABILITY_MAX = 0.5;

/** Smallest error probability; keeps 1/alpha and its logarithm far from overflow. */
export const ERROR_PROBABILITY_MIN = 1e-12;

/** Smallest and largest variance scale rho: outside, one pair would decide nothing or everything. */
export const RHO_MIN = 1e-12;
/** See `RHO_MIN`. */
export const RHO_MAX = 1e9;

/** Standard deviation below which calibration noise counts as this much: a constant metric is not proof. */
export const STANDARD_DEVIATION_MIN = 0.001;

/** Pair noise assumed without a calibration: 10 % per block, two independent blocks per pair. */
export const STANDARD_DEVIATION_DEFAULT = 0.1414213562373095;

/** Pairs at which rho makes the evidence strongest by default. */
export const RHO_PAIRS_DEFAULT = 30;

/** Error probability for which rho is tuned by default; a tuning constant, not a guarantee. */
export const RHO_ALPHA_DEFAULT = 0.05;

/** Relative room that sums get in feasibility checks: 1e6 rounded additions err by at most 2e-10. */
export const FEASIBILITY_SLACK = 1e-9;

/** Nodes of one stage or fleet in the binomial tail and e-BH: ten times the largest planned fleet. */
export const FLEET_NODES_MAX = 1_000_000;

/** False fleet stops per stage that the veto budget allows by default. */
export const VETO_CEILING_DEFAULT = 1e-4;

/** Largest local error probability of a guard, whatever the fleet's size. */
export const ALPHA_LOCAL_MAX = 0.001;

/** Bytes of seed, label or unit in one hash input; names and 32-byte seeds are far smaller. */
export const DESIGN_INPUT_BYTES_MAX = 4_096;

/** Steps of the incomplete beta's continued fraction; it needs about sqrt(a + b) of them. */
export const BETA_STEPS_MAX = 20_000;

/** Observations one calibration may use. */
export const CALIBRATION_PAIRS_MAX = 100_000;
