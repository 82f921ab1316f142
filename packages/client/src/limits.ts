// Every bound of the SDK in one place.

/** Largest response body read into memory: a full list page of 1 MiB documents stays below. */
export const RESPONSE_BYTES_MAX: number = 64 * 1024 * 1024;

/** Longest line of a watch stream: one event carries one document of at most 1 MiB, twice. */
export const WATCH_LINE_BYTES_MAX: number = 4 * 1024 * 1024;

/** Time for one request, connection included; watches have none. */
export const REQUEST_TIMEOUT_MS: number = 30_000;

/** Attempts of a call that is safe to repeat. With the back-off below: about six seconds. */
export const ATTEMPTS_MAX: number = 8;

/** First pause between attempts; doubles up to the maximum, halved or kept by jitter. */
export const BACKOFF_MS: number = 50;

/** Longest pause between attempts: longer than an election, short for a person. */
export const BACKOFF_MS_MAX: number = 2_000;

/** Milliseconds for one gRPC call with all its repetitions. */
export const CALL_DEADLINE_MS: number = 30_000;

/** Largest gRPC message taken from a server: a full list page. */
export const GRPC_MESSAGE_BYTES_MAX: number = 64 * 1024 * 1024;

/** Attempts of a REST call when the server says that nothing happened: about a second or two. */
export const REST_ATTEMPTS_MAX: number = 4;

/** Time to connect to one server, TLS included: long for any network, short for a person who waits. */
export const CONNECT_TIMEOUT_MS: number = 5_000;

/** Lists begun anew because another server had to go on with them: more means it does not settle. */
export const LIST_RESTARTS_MAX: number = 2;
