// Named limits of the simulator. Every queue, loop and history of this package has its bound here
// with the reason for it.

/** Events waiting in one simulated world; a healthy one has hundreds. More means a message storm. */
export const EVENTS_PENDING_MAX = 500_000;

/** Durable batches that a simulated store can still lose: what one damaged log file may hold. */
export const DAMAGE_BATCHES_MAX = 64;

/** Operations of one key whose order the linearizability check explores, before it gives up. */
export const LINEARIZABLE_STATES_MAX = 2_000_000;

/** Attempts of one client operation before its outcome counts as unknown. */
export const CLIENT_ATTEMPTS_MAX = 6;

/** Seeds of one call of the command line. */
export const SEEDS_MAX = 10_000_000;

/** Virtual seconds of one safety phase. */
export const SECONDS_MAX = 100_000;

/** Virtual seconds within which a healed cluster must be at work again, whatever happened before. */
export const LIVENESS_SECONDS_MAX = 60;

/** Virtual seconds that creating the data directories may take. */
export const SETUP_SECONDS_MAX = 60;

/** Reads one server holds until they are confirmed; clients repeat what is dropped. */
export const READS_WAITING_MAX = 1_024;

/** Requests one server remembers until their entries are applied; clients repeat the others. */
export const WRITES_WAITING_MAX = 4_096;

/** Ticks made up for after a pause, as the server does. */
export const TICK_CATCH_UP_MAX = 2;

/** Ticks taken off a lease: the phases of two clocks differ by up to one tick on either side. */
export const LEASE_DRIFT_TICKS = 2;

/** Worker processes of one command: more than this many processors help nobody here. */
export const WORKERS_MAX = 64;

/** Real seconds that a worker may take for one seed before it counts as hanging. */
export const TASK_REAL_SECONDS_MAX = 240;

/** Events of one run apart from its length; healthy runs have some ten thousand. */
export const EVENTS_BASE_MAX = 300_000;

/** Events per virtual second beyond which servers only keep each other busy. */
export const EVENTS_PER_SECOND_MAX = 5_000;
