// Every limit of the agent's adapters, each with its reason. Times are milliseconds.

/** Bytes of an answer to a scrape or an HTTP probe: 20,000 series of 200 bytes. */
export const HTTP_BODY_BYTES_MAX: number = 4 * 1024 * 1024;

/** One HTTP exchange with a target on the same machine; slower is as good as down. */
export const HTTP_TIMEOUT_MS = 3_000;

/** Bytes of a file that a target already has, captured as found: the size of the largest content. */
export const FILE_BYTES_MAX = 1_572_864;

/** A check or reload command that takes longer is killed. */
export const COMMAND_TIMEOUT_MS = 15_000;

/** Characters of a command's output that a message repeats. */
export const COMMAND_OUTPUT_CHARS_MAX = 300;

/** Bytes of a command's output that are read at all. */
export const COMMAND_OUTPUT_BYTES_MAX = 65_536;

/** Bytes of the agent's own file and of the binding. */
export const CONFIG_BYTES_MAX = 262_144;

/** Targets of one node: each costs a poll. */
export const TARGETS_MAX = 32;

/** Signals of one node: each may cost a scrape per block. */
export const SIGNALS_MAX = 64;

/** Tripwires of one node: each is a poll of its own. */
export const TRIPWIRES_MAX = 32;

/** Distance between two looks at whether somebody edited a target by hand. */
export const EDIT_POLL_MS = 3_000;

/** Distance between two attempts to read a target that does not answer yet. */
export const CAPTURE_RETRY_MS = 1_000;

/** First wait before another server is tried; doubled up to the longest, with jitter. */
export const RECONNECT_MS = 200;

/** Longest wait between two attempts to reach a server. */
export const RECONNECT_MAX_MS = 10_000;

/** A server that does not greet within this is not a server. */
export const WELCOME_TIMEOUT_MS = 5_000;

/** Keepalive of the session: a dead path is noticed within two of these. */
export const KEEPALIVE_MS = 10_000;

/** Bytes waiting in the stream above which soft messages (progress) are dropped. */
export const SOFT_BACKLOG_BYTES_MAX = 262_144;

/** Bytes waiting in the stream above which the session is given up as stuck. */
export const BACKLOG_BYTES_MAX: number = 8 * 1024 * 1024;

/** Time for the whole enrolment with one server. */
export const ENROLL_TIMEOUT_MS = 10_000;

/** Certificates of a chain that are looked at for the fingerprint of a token. */
export const CHAIN_LENGTH_MAX = 8;

/** Longest sleep of the agent's loop; the core is looked at least this often. */
export const TICK_MAX_MS = 1_000;

/** Events that may wait for the core; each is a few hundred bytes, and the core takes microseconds. */
export const EVENTS_MAX = 10_000;

/** Time for a graceful stop: one apply of a slow target. */
export const STOP_TIMEOUT_MS = 20_000;

/** Log lines kept for the status page: what a person wants to see of the last minutes. */
export const STATUS_EVENTS_MAX = 200;

/** Bytes of the state file: contents of a node's Configs, a few times over. */
export const STATE_BYTES_MAX: number = 256 * 1024 * 1024;

/** Messages of one server stream are at most this deep; documents nest below 20. */
export const MESSAGE_DEPTH_MAX = 64;

/** Requests of an HTTP probe in one block. */
export const HTTP_PROBE_REQUESTS_MAX = 1_000;

/** Wait before a record that the disk refused is written again. */
export const WRITE_RETRY_MS = 1_000;
