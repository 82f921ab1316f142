// The traffic shapes of the example: four dense ones that a batching window helps, and a sparse one
// that it hurts. Each is open loop: the next request does not wait for the last answer, because a
// closed loop hides its own waiting (coordinated omission).

/** The names accepted by --profile, besides "none". */
export type ProfileName = "dense" | "dense-random" | "dense-poisson" | "dense-zipf" | "sparse";

/** How requests come. */
export interface Profile {
  readonly name: ProfileName;
  readonly description: string;
  /** Mean time from one burst to the next, in milliseconds. */
  readonly burstIntervalMs: number;
  /** Spacing: interval x uniform(1 - jitter, 1 + jitter), or exponential. */
  readonly spacing: { readonly jitter: number } | "exponential";
  /** Requests per burst, uniform between the two. */
  readonly burstSizeMin: number;
  readonly burstSizeMax: number;
  /** Number of different texts, drawn by Zipf's law; 0 = every text is new. */
  readonly catalogueSize: number;
}

const BURSTS_24_PER_SECOND_MS = 1_000 / 24;

const DENSE: Profile = {
  name: "dense",
  description: "bursts of 8, 24 a second with jitter: 192 requests/s, every text new",
  burstIntervalMs: BURSTS_24_PER_SECOND_MS,
  spacing: { jitter: 0.5 },
  burstSizeMin: 8,
  burstSizeMax: 8,
  catalogueSize: 0,
};

/** Exponent of the Zipf law over the catalogue; about 1.1 is usual for queries. */
export const ZIPF_EXPONENT = 1.1;

/** Every traffic shape by name. */
export const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  dense: DENSE,
  "dense-random": {
    ...DENSE,
    name: "dense-random",
    description: "as dense, with bursts of 4 to 12",
    burstSizeMin: 4,
    burstSizeMax: 12,
  },
  "dense-poisson": {
    ...DENSE,
    name: "dense-poisson",
    description: "as dense, with bursts at exponential distances",
    spacing: "exponential",
  },
  "dense-zipf": {
    ...DENSE,
    name: "dense-zipf",
    description: "as dense, with texts from a catalogue of 2,000 by Zipf's law",
    catalogueSize: 2_000,
  },
  sparse: {
    name: "sparse",
    description: "single requests, about 5 a second, every text new",
    burstIntervalMs: 200,
    spacing: { jitter: 0.5 },
    burstSizeMin: 1,
    burstSizeMax: 1,
    catalogueSize: 0,
  },
};

/** All names in documented order. */
export const PROFILE_NAMES: readonly ProfileName[] = [
  "dense",
  "dense-random",
  "dense-poisson",
  "dense-zipf",
  "sparse",
];
