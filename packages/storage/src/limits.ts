// Named limits of storage. Every queue, batch, cache and loop of this package has its bound here
// with the reason for it.

/** Version of the files of a directory; another version is refused, never guessed at. */
export const FORMAT_VERSION = 1;

/**
 * Bytes of one raft entry's payload. The product caps an entry at 1.5 MiB; the rest is room for a
 * command header.
 */
export const ENTRY_BYTES_MAX: number = 2 * 1024 * 1024;

/** Entries in one synced batch: 512 measured at 1.4 ms; more only adds latency to the first. */
export const GROUP_ENTRIES_MAX = 1024;

/** Bytes after which a synced batch takes no further append; one append may exceed it alone. */
export const GROUP_BYTES_MAX: number = 4 * 1024 * 1024;

/**
 * Synced batches that may be ahead of the durable mark: one mark is written while the next batch is
 * under way, and the batch after that waits. Recovery uses it: a larger distance on disk means that
 * the mark file was put back from an older copy.
 */
export const MARK_LAG_MAX = 2;

/** Appends waiting for the disk. Raft's own flow control stays far below; more is a bug. */
export const PENDING_APPENDS_MAX = 65_536;

/** Payload bytes of log entries held in memory; older ones are read back from the store. */
export const WINDOW_BYTES_MAX: number = 64 * 1024 * 1024;

/** Entries held in memory with their payload. Reads behind it come from the store. */
export const WINDOW_ENTRIES_MAX = 65_536;

/** Entries kept behind a compaction point so that a slow follower needs no snapshot (etcd's 5000). */
export const TRAILING_ENTRIES = 5_000;

/** Entries deleted per compaction batch, so that one batch never holds up an append for long. */
export const COMPACT_BATCH_ENTRIES = 2_048;

/** Keys deleted per batch when an abandoned generation of rows is removed. */
export const GARBAGE_BATCH_KEYS = 1_000;

/** Commits that may wait for the next synced batch; a restart replays at most this many entries. */
export const STAGED_COMMITS_MAX = 256;

/** Bytes of such commits before a batch of their own is written. */
export const STAGED_BYTES_FLUSH: number = 1024 * 1024;

/** Bytes of such commits at which `commit` waits for the disk instead of returning at once. */
export const STAGED_BYTES_MAX: number = 16 * 1024 * 1024;

/** Revisions of history kept: a watcher that is further behind lists again. */
export const HISTORY_REVISIONS_MAX = 100_000;

/** Characters after which a block of history ends: small enough to be read and hashed at once. */
export const HISTORY_BLOCK_CHARS = 131_072;

/** Age of history kept, in milliseconds of replicated time: one hour. */
export const HISTORY_AGE_MS = 3_600_000;

/** History blocks removed per commit: far above the one or few that a commit adds. */
export const HISTORY_TRIM_PER_COMMIT = 512;

/** Bytes of one snapshot chunk: below the 4 MiB default message limit of gRPC, with room. */
export const SNAPSHOT_CHUNK_BYTES: number = 1024 * 1024;

/** Bytes of one key or value inside a snapshot; larger means a damaged or hostile stream. */
export const SNAPSHOT_FIELD_BYTES_MAX: number = 16 * 1024 * 1024;

/** Rows written per batch while a snapshot is imported. */
export const IMPORT_BATCH_ROWS = 1_000;

/** Bytes of one row's value: the largest object plus its bookkeeping. */
export const ROW_BYTES_MAX: number = 4 * 1024 * 1024;

/** Characters of one row's key. */
export const ROW_KEY_CHARS_MAX = 1_024;

/** Batches a simulated store remembers one by one, so that a crash can lose or punch out some. */
export const SIMULATED_JOURNAL_MAX = 256;

/**
 * Bytes LevelDB gathers in memory before it writes a table (twice that at most). Most log entries
 * and overwritten rows die in there instead of being compacted again and again; more would only make
 * opening slower, which reads this much back.
 */
export const WRITE_BUFFER_BYTES: number = 16 * 1024 * 1024;
