// Named limits of the simulated fleet.

/** Milliseconds between heartbeats of an agent, as the control plane asks for. */
export const HEARTBEAT_MS = 5_000;

/** Milliseconds without a heartbeat after which a node counts as unreachable: three were lost. */
export const NODE_LEASE_MS = 16_000;

/** Milliseconds a node may run something only a trial may run after the trial is over: an apply, its
 * retries and the disk write before it. */
export const TRIAL_END_GRACE_MS = 20_000;

/** Milliseconds from the evidence to the beginning of a veto's revert, as the product promises. */
export const REVERT_BEGIN_MS_MAX = 1_000;

/** Virtual hours until the first version is everywhere. */
export const SETTLE_HOURS_MAX = 4;

/** Virtual hours until a proposal is decided and rolled out: trials take up to 2.5 h each. */
export const DECISION_HOURS_MAX = 24;

/** Virtual hours that a committed change is watched after its rollout. */
export const WATCH_HOURS = 2;

/** Virtual minutes without faults at the end, within which every node must be where it belongs. */
export const CALM_MINUTES = 10;
