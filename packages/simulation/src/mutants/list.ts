// All mutants, in the order in which they are shown.

import { ELECTION_MUTANTS } from "./elections.ts";
import { MEMBERSHIP_MUTANTS } from "./membership.ts";
import type { Mutant } from "./mutant.ts";
import { READ_MUTANTS } from "./reads.ts";
import { REPLICATION_MUTANTS } from "./replication.ts";
import { STATE_MUTANTS } from "./state.ts";
import { STORAGE_MUTANTS } from "./storage.ts";

/** All mutants; names are unique. */
export const MUTANTS: readonly Mutant[] = [
  ...ELECTION_MUTANTS,
  ...REPLICATION_MUTANTS,
  ...READ_MUTANTS,
  ...MEMBERSHIP_MUTANTS,
  ...STORAGE_MUTANTS,
  ...STATE_MUTANTS,
];
