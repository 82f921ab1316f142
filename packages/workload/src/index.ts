// The embedded example workload, seen by a supervisor: what may be tuned and how, which traffic
// exists, and what the metrics are called. The service itself is the command kingly-workload.
export { DEFAULT_TUNABLES, TUNABLE_KEYS, TUNABLES, validateTunables } from "./tunables.ts";
export type {
  Problem,
  TunableDescription,
  TunableKey,
  Tunables,
  TunablesResult,
} from "./tunables.ts";
export { PROFILE_NAMES, PROFILES } from "./load/profiles.ts";
export type { Profile, ProfileName } from "./load/profiles.ts";
export { latencyBuckets, METRIC_NAMES } from "./serve/metrics.ts";
