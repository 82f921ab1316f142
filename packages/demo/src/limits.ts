// Every bound of the demonstration in one place.

/** Longest time for one process to say that it is ready; a cold start on two cores takes seconds. */
export const READY_TIMEOUT_MS: number = 60_000;

/** After SIGTERM a process may finish its work this long before it is killed. */
export const STOP_GRACE_MS: number = 5_000;

/** `--once` gives up after this long; the whole story takes about two minutes. */
export const STORY_TIMEOUT_MS: number = 175_000;

/** Lines of a child's output that are kept to explain why it died. */
export const TAIL_LINES_MAX: number = 20;

/** Bytes of one line that a child may print as its ready message. */
export const LINE_BYTES_MAX: number = 64 * 1024;

/** Validity of the nodes' join tokens. */
export const JOIN_TOKEN_SECONDS: number = 600;
