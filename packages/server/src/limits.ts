// Named limits of the server. Every queue, message, retry and loop has its bound here, with why.

/** Milliseconds per raft tick; a heartbeat goes out every tick. */
export const TICK_MS = 100;

/** Ticks without a leader before an election (1 s): ten heartbeats may be lost. */
export const ELECTION_TICKS = 10;

/** Ticks made up for after a stalled loop. More would let one long pause look like a dead leader. */
export const TICK_CATCH_UP_MAX = 2;

/** Ticks from the loss of the leader's connection to an early election, plus up to two at random. */
export const LEADER_LOST_TICKS = 1;

/** Early elections in a row. One in ten splits the votes; behind these the ordinary timeout waits. */
export const EARLY_ELECTIONS_MAX = 4;

/** Election timeouts that a leader's own log write may take before it hands over. */
export const DISK_STALL_ELECTIONS = 2;

/** Proposals that leave at once instead of waiting for more: with larger batches the servers of a
 * cluster and its clients would take turns at working instead of working at the same time. */
export const PROPOSALS_PER_TURN = 64;

/** Entries applied before the loop may do other work; a few milliseconds of work. */
export const APPLY_ENTRIES_MAX = 64;

/** Milliseconds one slice of applying may take before it yields to messages and heartbeats. */
export const APPLY_SLICE_MS = 5;

/** Applied batches whose rows are not yet handed to storage completely; more would only queue. */
export const COMMITS_IN_FLIGHT_MAX = 4;

/** Writes waiting for raft or apply on one leader; each holds its entry. 429 beyond it. */
export const PENDING_WRITES_MAX = 8_192;

/** Payload bytes in the leader's uncommitted tail; 429 beyond it. */
export const UNCOMMITTED_BYTES_MAX: number = 64 * 1024 * 1024;

/** Reads waiting for a read point. 429 beyond it. */
export const PENDING_READS_MAX = 16_384;

/** Calls waiting for a revision that is not here yet. */
export const REVISION_WAITERS_MAX = 16_384;

/** Milliseconds after which an unanswered read request is sent again (lost messages). */
export const READ_RETRY_MS = 500;

/** Milliseconds a submit waits when the caller names no deadline. */
export const SUBMIT_DEADLINE_MS = 5_000;

/** Longest deadline a caller may ask for. */
export const SUBMIT_DEADLINE_MS_MAX = 60_000;

/** Admissions of one write when what it read keeps moving underneath. */
export const ADMISSION_ATTEMPTS_MAX = 5;

/** Milliseconds to advise a client to wait before it tries again. */
export const RETRY_AFTER_MS = 200;

/** Milliseconds between two looks of the leader's controller at open work. */
export const CONTROLLER_INTERVAL_MS = 200;

/** Milliseconds from a change of state to the controller's look, which gathers further changes. */
export const CONTROLLER_PAUSE_MS = 5;

/** A look is followed by this many times its own duration of rest: at most a tenth of the loop. */
export const CONTROLLER_REST_FACTOR = 9;

/** Commands the controller keeps in flight; the rest is found again at the next look. */
export const CONTROLLER_IN_FLIGHT_MAX = 64;

/** Milliseconds over which acknowledgements of nodes are gathered into one command. */
export const ACK_BATCH_MS = 200;

/** Acknowledgements waiting for the next batch; agents repeat theirs in heartbeats. */
export const ACKS_QUEUED_MAX = 50_000;

/** Reasons of failures kept apart in one batch period; each becomes a command. */
export const ACK_BATCHES_MAX = 64;

/** Node names in one acks command. */
export const ACKS_PER_COMMAND_MAX = 5_000;

/** Milliseconds without a heartbeat after which a node counts as unreachable. */
export const NODE_LEASE_MS = 5_000;

/** Milliseconds after which a silent node's last heartbeat is forgotten. */
export const NODE_FORGET_MS = 3_600_000;

/** Nodes whose heartbeat is kept; the design point is 10,000. */
export const NODES_KEPT_MAX = 50_000;

/** Trials whose progress is kept per server. */
export const PROGRESS_KEPT_MAX = 10_000;

/** Milliseconds between two digests of soft state to the other servers. */
export const DIGEST_INTERVAL_MS = 1_000;

/** Nodes in one digest frame. */
export const DIGEST_NODES_MAX = 2_000;

/** Bytes of one digest frame. */
export const DIGEST_BYTES_MAX: number = 2 * 1024 * 1024;

/** Events one slow watcher may have waiting before it is closed. */
export const WATCH_BUFFER_EVENTS_MAX = 4_096;

/** Recent events kept in memory, from which most resumed watches are served. */
export const WATCH_RECENT_EVENTS_MAX = 8_192;

/** Watchers per server. */
export const WATCHERS_MAX = 20_000;

/** Events read from storage per step when a watch resumes from history. */
export const WATCH_REPLAY_BATCH = 512;

/** Messages queued for one peer on one lane; raft repeats what is dropped. */
export const PEER_QUEUE_MESSAGES_MAX = 4_096;

/** Bytes queued for one peer on the bulk lane. */
export const PEER_QUEUE_BYTES_MAX: number = 32 * 1024 * 1024;

/** Bytes after which a frame takes no further message. */
export const FRAME_BYTES: number = 1024 * 1024;

/** First and longest pause before a broken stream is opened again, milliseconds. */
export const RECONNECT_MS_MIN = 50;
/** See RECONNECT_MS_MIN. */
export const RECONNECT_MS_MAX = 1_000;

/** Writes that other servers may have forwarded here and not had answered. */
export const FORWARDS_IN_FLIGHT_MAX = 8_192;

/** Log entries beyond the last compaction that start the next one. */
export const COMPACT_EVERY_ENTRIES = 10_000;

/** Entries kept before the applied index, so that a restarted follower needs no snapshot. */
export const COMPACT_KEEP_ENTRIES = 5_000;

/** Milliseconds after which an unfinished snapshot transfer is given up. */
export const SNAPSHOT_TRANSFER_MS_MAX = 600_000;

/** JSON Schema validators kept compiled. */
export const SCHEMA_CACHE_MAX = 256;

/** Characters that the patterns of one validation may look at. The worst pattern takes about 10 µs
 * for each, so a hostile document holds the loop up for a third of a second at most. */
export const PATTERN_CHARS_MAX = 32_768;

/** Schemas one compiler compiles before it is replaced; it keeps a little of each. */
export const SCHEMA_COMPILER_USES_MAX = 512;

/** Bytes of one document, as the API promises. */
export const DOCUMENT_BYTES_MAX: number = 1024 * 1024;

/** Milliseconds to give a graceful shutdown before the process ends anyway. */
export const SHUTDOWN_MS_MAX = 5_000;

/** Percent the heap may grow beyond what was alive at the last full collection before the next one.
 * V8 allows a multiple: under load a leader held three times its live data in garbage. At half of this
 * a tenth of the write throughput goes into collecting. */
export const HEAP_GROWING_PERCENT = 150;
