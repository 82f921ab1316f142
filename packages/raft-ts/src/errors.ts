// The errors of the core, in two families: RaftInvariantError for our own bugs or a broken contract
// (the process must stop), and RaftError subclasses for things that happen in life. Each carries a
// stable `code` so that callers never match on text.

/** Base class of every operational error thrown by this package. `code` is stable. */
export abstract class RaftError extends Error {
  /** Stable machine-readable name of the error; never reused for another meaning. */
  abstract readonly code: string;
}

/**
 * A bug in the core or a broken contract of its caller (storage that went back in time, two Readys
 * without advance). State can no longer be trusted: stop the process, do not catch and continue.
 */
export class RaftInvariantError extends Error {
  readonly code = "RAFT_INVARIANT";
  /** Values that show what was broken, for the crash report. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = "RaftInvariantError";
    this.details = details;
  }
}

/**
 * Throws RaftInvariantError unless the condition holds. Stays on in production.
 *
 * @param condition what must be true
 * @param message what is broken when it is not
 * @param details values for the crash report; build them only in failure paths that are cheap
 */
export function invariant(
  condition: boolean,
  message: string,
  details?: Readonly<Record<string, unknown>>,
): asserts condition {
  if (!condition) throw new RaftInvariantError(message, details);
}

/** The wanted log position was compacted away; the caller needs a snapshot instead. */
export class CompactedError extends RaftError {
  readonly code = "RAFT_COMPACTED";
  constructor(message = "requested index is unavailable due to compaction") {
    super(message);
    this.name = "CompactedError";
  }
}

/** The wanted log position is beyond the end of the stored log. */
export class UnavailableError extends RaftError {
  readonly code = "RAFT_UNAVAILABLE";
  constructor(message = "requested entry at index is unavailable") {
    super(message);
    this.name = "UnavailableError";
  }
}

/** A snapshot older than the stored one was given to the storage. */
export class SnapshotOutOfDateError extends RaftError {
  readonly code = "RAFT_SNAPSHOT_OUT_OF_DATE";
  constructor(message = "requested index is older than the existing snapshot") {
    super(message);
    this.name = "SnapshotOutOfDateError";
  }
}

/** The storage cannot make a snapshot right now; the core asks again at the next send. */
export class SnapshotTemporarilyUnavailableError extends RaftError {
  readonly code = "RAFT_SNAPSHOT_TEMPORARILY_UNAVAILABLE";
  constructor(message = "snapshot is temporarily unavailable") {
    super(message);
    this.name = "SnapshotTemporarilyUnavailableError";
  }
}

/** A message of a purely local type came from outside. It was not processed. */
export class StepLocalMessageError extends RaftError {
  readonly code = "RAFT_STEP_LOCAL_MESSAGE";
  constructor(message = "raft: cannot step raft local message") {
    super(message);
    this.name = "StepLocalMessageError";
  }
}

/** A response came from a node that is not in the active configuration. It was not processed. */
export class StepPeerNotFoundError extends RaftError {
  readonly code = "RAFT_STEP_PEER_NOT_FOUND";
  constructor(message = "raft: cannot step as peer not found") {
    super(message);
    this.name = "StepPeerNotFoundError";
  }
}

/** A message from outside is malformed (entries not consecutive, missing snapshot, bad token). */
export class InvalidMessageError extends RaftError {
  readonly code = "RAFT_INVALID_MESSAGE";
  constructor(message: string) {
    super(message);
    this.name = "InvalidMessageError";
  }
}

/** A configuration field is out of range. Names the field, its limit and the value given. */
export class InvalidConfigError extends RaftError {
  readonly code = "RAFT_INVALID_CONFIG";
  /** Name of the field in RaftConfig. */
  readonly field: string;
  /** What the field must be. */
  readonly limit: string;
  /** What was given. */
  readonly value: unknown;

  constructor(field: string, limit: string, value: unknown) {
    super(`raft config: ${field} must be ${limit}, got ${String(value)}`);
    this.name = "InvalidConfigError";
    this.field = field;
    this.limit = limit;
    this.value = value;
  }
}

/** What is wrong with a configuration change. Stable strings. */
export type ConfChangeFault =
  /** The configuration is joint already. */
  | "already-joint"
  /** The configuration is not joint. */
  | "not-joint"
  /** No voter would be left. */
  | "no-voters"
  /** More than one voter would change in a single step. */
  | "several-voters"
  /** It has too many changes or too much context. */
  | "too-large";

/**
 * A configuration change cannot be applied to the active configuration (it would remove all voters,
 * enter a joint configuration twice, ...). Nothing was changed. Every node reaches the same verdict
 * at the same log position.
 */
export class InvalidConfChangeError extends RaftError {
  readonly code = "RAFT_INVALID_CONF_CHANGE";
  /** What is wrong with the change. */
  readonly fault: ConfChangeFault;

  constructor(fault: ConfChangeFault, message: string) {
    super(message);
    this.name = "InvalidConfChangeError";
    this.fault = fault;
  }
}

/** The bytes of a configuration change entry do not decode. */
export class ConfChangeDecodeError extends RaftError {
  readonly code = "RAFT_CONF_CHANGE_DECODE";
  constructor(message: string) {
    super(message);
    this.name = "ConfChangeDecodeError";
  }
}
