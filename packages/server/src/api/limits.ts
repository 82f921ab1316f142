// Named limits of the API layer. What a client can make this server hold has its bound here, with why.

/** Bytes of a request body on the REST port; a document may be 1 MiB, a JSON patch says it twice. */
export const BODY_BYTES_MAX: number = 3 * 1024 * 1024;

/** Bytes of one document, wherever it comes from. */
export const DOCUMENT_BYTES_MAX: number = 1024 * 1024;

/** Bytes of one received gRPC message: a document plus its envelope, several times over. */
export const GRPC_RECEIVE_BYTES_MAX: number = 4 * 1024 * 1024;

/** Bytes of one sent gRPC message: a list page of large documents. */
export const GRPC_SEND_BYTES_MAX: number = 64 * 1024 * 1024;

/** Bytes of documents in one gRPC list page; the page ends early and continues. */
export const LIST_PAGE_BYTES_MAX: number = 3 * 1024 * 1024;

/** Concurrent calls of one HTTP/2 connection; agents use one, libraries a handful. */
export const GRPC_STREAMS_PER_CONNECTION_MAX = 1_024;

/** Open TCP connections of the REST port; each costs a socket and TLS state. */
export const REST_CONNECTIONS_MAX = 10_000;

/** Milliseconds for a TLS handshake: a client that stalls in it holds a socket and nothing else. */
export const HANDSHAKE_MS = 5_000;

/** Milliseconds for a client to send a request's headers. Slower ones hold a socket for nothing. */
export const HEADERS_TIMEOUT_MS = 10_000;

/** Milliseconds for a client to send a whole request. */
export const REQUEST_TIMEOUT_MS = 30_000;

/** Characters of a path parameter: names go to 253, encoded up to three times that. */
export const PATH_CHARS_MAX = 4_096;

/** Milliseconds a linearizable read waits for its read point. */
export const READ_BARRIER_MS = 3_000;

/** Milliseconds to wait for a revision that a client asks for and this server lacks. */
export const REVISION_WAIT_MS = 3_000;

/** Objects of a list page when a gRPC client names no limit. */
export const LIST_LIMIT_DEFAULT = 500;

/** Objects of one gRPC list page, whatever the client asks for. */
export const LIST_LIMIT_MAX = 5_000;

/** Paged lists whose snapshot is kept for the next page; the oldest is forgotten (410, list again). */
export const LIST_SNAPSHOTS_MAX = 64;

/** Milliseconds a paged list may take between two pages. */
export const LIST_SNAPSHOT_MS = 300_000;

/** Objects rendered between two turns of the loop: about 2 ms of work. */
export const RENDER_SLICE_OBJECTS = 64;

/** Milliseconds a watch lasts when the client names no timeout; spread so they do not end together. */
export const WATCH_MS_MIN = 1_800_000;
/** See WATCH_MS_MIN. */
export const WATCH_MS_MAX = 3_600_000;

/** Milliseconds between two bookmarks of one watch. */
export const BOOKMARK_MS = 60_000;

/** Milliseconds a consumer may stay blocked before its stream is closed. */
export const STREAM_STALL_MS = 60_000;

/** Attempts of a patch when somebody else writes the same object in between. */
export const PATCH_ATTEMPTS_MAX = 5;

/** Operations of one JSON patch. */
export const JSON_PATCH_OPERATIONS_MAX = 1_000;

/** Requirements of one label or field selector. */
export const SELECTOR_TERMS_MAX = 64;

/** Characters of a selector. */
export const SELECTOR_CHARS_MAX = 4_096;

/** Characters of one Warning header, and how many are sent. */
export const WARNING_CHARS_MAX = 1_000;
/** See WARNING_CHARS_MAX. */
export const WARNINGS_MAX = 16;

/** Milliseconds for an agent to introduce itself on a new session. */
export const HELLO_MS = 10_000;

/** Milliseconds between two heartbeats of an agent: five fit into a lease. */
export const HEARTBEAT_MS = 1_000;

/** Sessions of one server; the design point is 10,000 nodes over three servers. */
export const SESSIONS_MAX = 20_000;

/** Submissions of one session that are not answered yet; a vote, a veto and some repeats. */
export const SUBMISSIONS_IN_FLIGHT_MAX = 16;

/** Milliseconds a submission waits for its commit. */
export const SUBMISSION_DEADLINE_MS = 10_000;

/** Targets, signals and active Configs that one agent may report. */
export const REPORTED_ITEMS_MAX = 1_024;

/** Characters of a name or state that an agent reports. */
export const REPORTED_CHARS_MAX = 253;

/** Bytes of one trial progress message. */
export const PROGRESS_BYTES_MAX = 65_536;

/** Milliseconds over which changes are gathered before assignments are rendered again. */
export const PUSH_DEBOUNCE_MS = 10;

/** Milliseconds of rendering in one turn of the loop. */
export const PUSH_SLICE_MS = 8;

/** Milliseconds a request for a veto stays deliverable. */
export const VETO_REQUEST_MS = 900_000;

/** Characters of the reason with which a person asks for a veto, a resume, a rollback or a release. */
export const REASON_CHARS_MAX = 1_000;

/** Changes in one list of the quarantine: four times what one Config can hold; one screen is less. */
export const QUARANTINE_LIST_MAX = 1_024;

/** Characters of a node's own words about an assignment that it refused. */
export const NACK_MESSAGE_CHARS_MAX = 300;

/** Seconds a join token is valid when nothing is said, and at most. */
export const JOIN_TOKEN_SECONDS_DEFAULT = 3_600;
/** See JOIN_TOKEN_SECONDS_DEFAULT. */
export const JOIN_TOKEN_SECONDS_MAX = 604_800;

/** Characters of a bearer or join token. */
export const TOKEN_CHARS_MAX = 1_024;

/** Milliseconds after which open streams are cut at shutdown. */
export const CLOSE_GRACE_MS = 2_000;

/** Milliseconds between two looks at the progress of a trial that a client follows. */
export const PROGRESS_INTERVAL_MS = 1_000;

/** Milliseconds before an acknowledgement that the state does not show yet is passed on again. */
export const ACK_REPEAT_MS = 2_000;

/** Milliseconds between two looks at the file of tokens: how long a revoked token lives on. */
export const TOKEN_FILE_LOOK_MS = 1_000;
