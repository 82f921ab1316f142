// Named limits of the core. Every queue, message and loop that outside input can grow has its bound
// here with the reason for it; the byte limits an operator may tune are in RaftConfig instead.

/**
 * "No limit" for byte and count limits in RaftConfig. A safe integer rather than Infinity, so that
 * every limit is printable, comparable and survives JSON.
 */
export const NO_LIMIT: number = Number.MAX_SAFE_INTEGER;

/**
 * Bytes counted for an entry besides its payload: two 8-byte numbers (term, index), a type byte and
 * a 4-byte length, rounded up. Makes empty entries count in byte-limited batches, so that a limit
 * also bounds how many entries one batch may hold.
 */
export const ENTRY_OVERHEAD_BYTES: number = 24;

/**
 * Reads a leader keeps waiting: those not yet confirmed by a heartbeat round plus those held until
 * its first commit. Each holds a small context; the bound keeps a partitioned leader from growing
 * without end while clients retry.
 */
export const MAX_PENDING_READS: number = 65_536;

/**
 * Reads a follower has forwarded and not seen answered. Lost answers are never reported, so the
 * oldest is forgotten when the table is full; its caller times out and retries.
 */
export const MAX_FORWARDED_READS: number = 16_384;

/** Changes one configuration change may carry. A cluster has a handful of members, not thousands. */
export const MAX_CONF_CHANGES: number = 256;

/** Bytes of caller context in one configuration change; it rides in the log and in messages. */
export const MAX_CONF_CHANGE_CONTEXT_BYTES: number = 65_536;

/** Largest tick count accepted for a timeout: far above any use, far below loss of precision. */
export const MAX_TIMEOUT_TICKS: number = 1_000_000;

/** Most rounds of catch-up that can be asked of a learner: a learner that kept up this often will. */
export const MAX_PROMOTION_ROUNDS: number = 1000;

/**
 * Election timeouts between two attempts to hand over to a preferred leader, at most. The pause
 * doubles with every attempt in a term, because writes stand still while one is under way.
 */
export const MAX_PREFERENCE_PAUSE: number = 64;
