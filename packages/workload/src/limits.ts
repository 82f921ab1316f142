// Every named bound of the workload, with its reason. Nothing in this package waits, queues, caches
// or loops without one of these. Units are part of the name.

/** Requests that may wait for a worker. 512 is 2.7 s of the dense load: enough for a stall, small
 * enough that a stall is over quickly instead of poisoning the next measurements. Beyond: 503. */
export const QUEUE_LENGTH_MAX = 512;
/** Largest batch one worker call computes; sizes the shared feature and label buffers. */
export const BATCH_SIZE_MAX = 64;
/** Largest request body of POST /infer. A text of TEXT_LENGTH_MAX characters, escaped, fits. */
export const INFER_BODY_BYTES_MAX = 16_384;
/** Longest text, in UTF-16 units. With 10,000 cached texts this bounds the cache to about 40 MB. */
export const TEXT_LENGTH_MAX = 2_000;
/** Largest tunables document, by file or PUT. Four integers need 100 bytes; comments do not exist. */
export const CONFIG_BYTES_MAX = 4_096;
/** Characters of an offending value repeated in an error message. */
export const ERROR_VALUE_LENGTH_MAX = 80;
/** Most worker threads. More than the cores of a small node only adds memory. */
export const WORKERS_MAX = 4;
/** Unexpected worker exits that are answered by a new worker; after that the service is broken. */
export const WORKER_RESTARTS_MAX = 5;
/** Most cached answers, about 300 bytes each besides the text. */
export const CACHE_ENTRIES_MAX = 10_000;
/** Longest batching window. Above 50 ms nobody would call the service interactive. */
export const BATCH_WINDOW_MS_MAX = 50;
/** Open client connections. The load generator uses at most OUTSTANDING_MAX of them. */
export const CONNECTIONS_MAX = 256;
/** A client must send its headers and body within this time (slow-client protection). */
export const REQUEST_TIMEOUT_MS = 10_000;
/** Idle keep-alive time; longer than any gap of a load profile, so that no request meets a close. */
export const KEEP_ALIVE_TIMEOUT_MS = 60_000;
/** Requests the load generator keeps in flight: 16 dense bursts, 0.7 s of load, so that only a real
 * stall reaches it. Beyond, a due request is dropped and counted. */
export const OUTSTANDING_MAX = 128;
/** The load generator gives up on a response after this time and counts an error. */
export const LOAD_TIMEOUT_MS = 10_000;
/** Bursts sent late in one go after a stall; what is due beyond this is dropped and counted. */
export const LATE_BURSTS_MAX = 16;
/** Open requests get this long to finish on shutdown. */
export const SHUTDOWN_DRAIN_MS = 2_000;
/** How often --exit-with-parent looks whether the parent still lives. */
export const PARENT_CHECK_MS = 1_000;
/** Young generation of each thread's heap, in MB; small, because it stays resident. The kernel allocates nothing per batch. */
export const WORKER_YOUNG_GENERATION_MB = 2;
/** A batch this close to its due time leaves now. Timers tick in whole milliseconds, so waiting for the
 * next tick would stretch a window of 2 ms to 3; this takes the nearest tick instead. */
export const WINDOW_SLACK_MS = 0.5;
