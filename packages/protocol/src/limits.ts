// Named limits of the wire. Everything that arrives from outside meets one of these before it
// costs memory.

/** Bytes of one gRPC message. An entry is at most 1.5 MiB and a batch is cut near 1 MiB, so the
 * largest honest frame is one full batch plus one full entry plus headers. */
export const WIRE_MESSAGE_BYTES_MAX: number = 4 * 1024 * 1024;

/** Raft messages in one frame; a turn of the loop makes a handful per peer. */
export const FRAME_MESSAGES_MAX: number = 4_096;

/** Entries in one raft message; empty entries cost 24 bytes of the batch limit each. */
export const MESSAGE_ENTRIES_MAX: number = 65_536;

/** Members named in one configuration; clusters have at most nine. */
export const CONF_STATE_NODES_MAX: number = 256;

/** Bytes of read tokens and campaign kinds that ride on messages. */
export const MESSAGE_CONTEXT_BYTES_MAX: number = 65_536;

/** Bytes of one snapshot chunk: large enough to amortise a call, small enough to interleave. */
export const SNAPSHOT_CHUNK_BYTES: number = 256 * 1024;

/** Bytes of error details in a trailer: HTTP/2 peers commonly refuse header lists above 16 KiB, and
 * base64 adds a third. */
export const STATUS_DETAILS_BYTES_MAX: number = 6 * 1024;

/** Public keys whose imported form is kept: one per node of a large fleet. */
export const PUBLIC_KEY_CACHE_MAX: number = 16_384;

/** Private keys whose imported form is kept: a process signs with one or two. */
export const PRIVATE_KEY_CACHE_MAX: number = 64;

/** Days a node certificate is valid; renewed at one third. */
export const NODE_CERTIFICATE_DAYS: number = 90;

/** Days a server or operator certificate is valid. */
export const SERVER_CERTIFICATE_DAYS: number = 365;

/** Days the cluster CA is valid. */
export const AUTHORITY_DAYS: number = 3_650;

/** Minutes a certificate is dated back, so that peers whose clock is behind accept it. */
export const CERTIFICATE_BACKDATE_MINUTES: number = 5;
