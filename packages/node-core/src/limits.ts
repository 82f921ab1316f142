// Every limit of the node's core, each with its reason. Times are milliseconds of the node's clock,
// which the caller hands in; the core owns no timer.

/** Configs one node may carry: a node has a handful of targets, each with one Config. */
export const SLOTS_MAX = 64;

/** Confirmed contents kept per Config: the one that runs, the one before, and one further back. */
export const CONFIRMED_CONTENTS_MAX = 3;

/** Own vetoes remembered per Config, expired ones included: they set the back-off of the next. */
export const VETOES_MAX = 16;

/** Doublings of a veto's life when the same Config is vetoed again and again: 16 times is for good. */
export const VETO_BACKOFF_DOUBLINGS_MAX = 4;

/** Documents waiting for a server: a week of votes and vetoes of a busy node. */
export const OUTBOX_ENTRIES_MAX = 256;

/** Trials remembered as voted, so that a repeated order is not run again after a reconnect. */
export const VOTED_TRIALS_MAX = 64;

/** Time after which an unanswered submission is sent again: a commit takes well under a second. */
export const SUBMISSION_TIMEOUT_MS = 10_000;

/** Wait before a submission that a server could not decide is sent again. */
export const SUBMISSION_RETRY_MS = 500;

/** Longest wait between two attempts at the same submission. */
export const SUBMISSION_RETRY_MAX_MS = 30_000;

/** First wait before a failed apply is repeated. */
export const APPLY_RETRY_MS = 500;

/** Longest wait between attempts to apply: a target that was away is served within this. */
export const APPLY_RETRY_MAX_MS = 15_000;

/** Attempts to apply a version before it is called unappliable; a restarting target needs a few. */
export const APPLY_ATTEMPTS_MAX = 3;

/** Starts of the agent that find the same version unconfirmed before it is given up. */
export const PENDING_STARTS_MAX = 5;

/** A block whose samples do not arrive within this counts as empty. */
export const SAMPLES_TIMEOUT_MS = 10_000;

/** A block may last this much longer than planned (share); beyond, the machine stalled: it is empty. */
export const BLOCK_OVERRUN_SHARE = 0.5;

/** Absolute room for the same: ticks of the caller are not exact. */
export const BLOCK_OVERRUN_MS = 250;

/** A/A pairs of one calibration: sd within 20 %, and 17 s at half-second blocks. */
export const CALIBRATION_PAIRS = 12;

/** Fewer pairs with data than this say nothing about noise. */
export const CALIBRATION_PAIRS_MIN = 4;

/** Age at which a calibration is repeated when the node is idle: one week. */
export const CALIBRATION_AGE_MAX_MS = 604_800_000;

/** Half the first wait after a calibration in which a signal had no data. */
export const CALIBRATION_RETRY_MS = 30_000;

/** Doublings of that wait: a signal without traffic is asked every half hour at last. */
export const CALIBRATION_RETRY_DOUBLINGS_MAX = 6;

/** Signals one node measures: objectives of all Configs together. */
export const SIGNALS_MAX = 64;

/** Floor used where an Objective says 0: far below every unit in use. */
export const FLOOR_MIN = 1e-9;

/** Blocks of history per objective that the drift alarm compares with. */
export const DRIFT_HISTORY_BLOCKS = 32;

/** Fewer blocks than this give no baseline. */
export const DRIFT_BLOCKS_MIN = 6;

/** Blocks of a level that is learned anew after an alarm: one from fewer rings for nothing. */
export const DRIFT_RELEARN_BLOCKS = 32;

/** Alarm level of the CUSUM in standard deviations; customary. */
export const DRIFT_THRESHOLD = 5;

/** Half the shift worth noticing, in standard deviations; customary. */
export const DRIFT_SLACK = 0.5;

/** Standard deviation of log blocks below which drift is not standardised: nothing is that quiet. */
export const DRIFT_DEVIATION_MIN = 0.02;

/** E-value 1/beta at which a guard's switchback calls a version non-inferior and ends. */
export const GUARD_BETA = 0.05;

/** Switchbacks over a version's life; its e-process goes on through all of them. */
export const GUARD_SESSIONS_MAX = 10;

/** Tripwires are not counted against a content for this long after a revert: the target recovers. */
export const TRIPWIRE_GRACE_MS = 5_000;

/** A node declines a trial as too noisy only when a harm of this many margins cannot be rejected. */
export const NOISE_HARM_MARGINS = 5;

/** Time kept free before a trial's deadline so that the vote arrives in time (at most). */
export const TRIAL_RESERVE_MAX_MS = 2_000;

/** Share of a trial's time kept free for the same purpose. */
export const TRIAL_RESERVE_SHARE = 0.05;

/** Least distance between two progress reports: two per second. */
export const PROGRESS_INTERVAL_MS = 500;

/** Heartbeat interval until a server names one. */
export const HEARTBEAT_MS = 1_000;

/** Pairs of one tuner candidate at most: an improvement at 1/0.01 needs at least 10. */
export const TUNER_PAIRS_MAX = 30;

/** Pairs after which a candidate is judged for the first time. */
export const TUNER_SCREEN_PAIRS = 4;

/** Mean log improvement below which a candidate is not worth more pairs. */
export const TUNER_GAIN_MIN = 0.03;

/** The same in units of the pair noise: less is not told apart from nothing within the pairs. */
export const TUNER_GAIN_NOISE_SHARE = 0.25;

/** Gain over the step before, in mean log ratio, that makes the next larger step worth a look. */
export const TUNER_STEP_GAIN_MIN = 0.05;

/** Steps of one ladder: doubling 12 times covers every range of 4,096 steps. */
export const TUNER_LADDER_STEPS_MAX = 12;

/** E(harm) at which a tuner's candidate is dropped: caution costs only a candidate. */
export const TUNER_HARM_LN = 1.6;

/** Error probability of a tuner's improvement claim. */
export const TUNER_ALPHA = 0.01;

/** Candidates remembered as tried for one base version. */
export const TUNER_TRIED_MAX = 256;

/** Characters of a message in a document or an acknowledgement. */
export const MESSAGE_LENGTH_MAX = 400;

/** Lanes wait this long for an answer to an apply before they call it failed. */
export const APPLY_TIMEOUT_MS = 60_000;
