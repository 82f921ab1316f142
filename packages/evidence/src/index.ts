// Pure, bit-deterministic statistics: what a node computes while it tries a configuration, and what every
// replica recomputes before it believes the node. Layers, lowest first: math (own ln, exp, normal, beta),
// process (one e-process), trial (all processes of a trial, and its check), design (coins and draws),
// fleet (many nodes), planning (calibration, prediction, drift).

export { EvidenceInputError, type OffendingValue } from "./errors.ts";
export { fromHex, toHex } from "./math/bits.ts";
export { ln, lnOnePlus } from "./math/ln.ts";
export { exp, logAddExp } from "./math/exp.ts";
export { lnNormalCdf } from "./math/normal.ts";
export { lnBeta, lnGamma, regularizedIncompleteBeta } from "./math/beta.ts";
export {
  lnCombined,
  lnEventCount,
  lnSign,
  lnSnse,
  rhoFor,
  type CombinedInput,
  type EventCountInput,
  type RhoInput,
  type SignInput,
  type SnseInput,
} from "./process/statistics.ts";
export {
  harmValue,
  improvementValue,
  nonInferiorValue,
  pairDifference,
  type Direction,
  type MarginOptions,
  type PairInput,
} from "./process/values.ts";
export {
  advanceCount,
  advanceProcess,
  emptyCount,
  emptyProcess,
  type AdvanceOptions,
  type CountOptions,
  type CountStep,
  type ProcessKind,
  type ProcessRecord,
} from "./process/record.ts";
export {
  requirePlan,
  type ObjectivePlan,
  type ObjectiveRole,
  type TrialPlan,
} from "./trial/plan.ts";
export { readEvidence, readPlan, readRecord } from "./trial/read.ts";
export {
  lnHarmOf,
  pointEffect,
  recordOf,
  TRIAL_PROCESSES,
  type ObjectiveEvidence,
  type TrialDecision,
  type TrialEvidence,
} from "./trial/evidence.ts";
export {
  advanceTrial,
  finishTrial,
  startTrial,
  trialDecision,
  type ObjectiveValues,
  type TrialState,
} from "./trial/trial.ts";
export {
  checkCount,
  checkEvidence,
  checkProcess,
  type CountLimits,
  type EvidenceCheck,
  type EvidenceProblem,
  type RecordCheck,
  type RecordLimits,
} from "./trial/check.ts";
export {
  drawFrom,
  switchbackOrder,
  type Draw,
  type PairOrder,
  type Sha256,
  type SwitchbackCoin,
} from "./design/switchback.ts";
export {
  alphaLocal,
  binomialTail,
  eBenjaminiHochberg,
  spentBeta,
  vetoBudget,
  type VetoBudgetInput,
} from "./fleet/fleet.ts";
export {
  calibrate,
  predictPairs,
  type Calibration,
  type Prediction,
  type PredictionInput,
} from "./planning/calibrate.ts";
export { advanceDrift, startDrift, type DriftOptions, type DriftState } from "./planning/drift.ts";
export {
  CLIP_MAX,
  MARGIN_MAX,
  OBJECTIVES_MAX,
  REASON_LENGTH_MAX,
  STANDARD_DEVIATION_DEFAULT,
  TRIAL_PAIRS_MAX,
} from "./limits.ts";
