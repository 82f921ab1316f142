// The closed list of what can go wrong, and how each looks at every door: gRPC code, HTTP status
// with its Kubernetes reason, and the exit code of the command line. One table, so that the doors
// cannot disagree. gRPC UNAVAILABLE (14) appears only where repeating the call is safe.

/** How one error code appears at the interfaces. */
export interface ErrorTableEntry {
  /** Canonical gRPC status code, 1 to 16. */
  readonly grpc: number;
  /** HTTP status, 400 to 599. */
  readonly http: number;
  /** Reason of the Kubernetes Status object. */
  readonly reason: string;
  /** Exit code of the command line: 0 ok, 1 error, 2 usage, 4 denied, 5 conflict, 6 timeout. */
  readonly exit: number;
  /** One sentence for the reference documentation. */
  readonly description: string;
}

function row(
  status: readonly [grpc: number, http: number, exit: number],
  reason: string,
  description: string,
): ErrorTableEntry {
  const [grpc, http, exit] = status;
  return { grpc, http, reason, exit, description };
}

/** Every error code of the product. */
export type ErrorCode =
  | "Usage"
  | "SchemaViolation"
  | "UnknownKind"
  | "UnknownField"
  | "InvalidField"
  | "DuplicateKey"
  | "ForbiddenKey"
  | "UnsafeNumber"
  | "MalformedJson"
  | "MalformedFrame"
  | "DocumentTooLarge"
  | "NotFound"
  | "AlreadyExists"
  | "Conflict"
  | "StaleBase"
  | "Unchanged"
  | "Quarantined"
  | "Unauthenticated"
  | "Forbidden"
  | "PolicyDenied"
  | "BadSignature"
  | "WrongNode"
  | "WrongCluster"
  | "EvidenceMismatch"
  | "LateVote"
  | "TokenExpired"
  | "TokenInvalid"
  | "NotLeader"
  | "NoLeader"
  | "Unavailable"
  | "Indeterminate"
  | "Overloaded"
  | "DeadlineExceeded"
  | "RevisionTooLarge"
  | "Expired"
  | "Retry"
  | "Corrupted"
  | "Recovering"
  | "IdentityMismatch"
  | "StorageFailure"
  | "UnsupportedMediaType"
  | "MethodNotAllowed"
  | "NotAcceptable"
  | "Internal";

/** What each code means and how it appears at gRPC, HTTP, Kubernetes clients and the shell. */
export const ERROR_TABLE: Readonly<Record<ErrorCode, ErrorTableEntry>> = {
  Usage: row([3, 400, 2], "BadRequest", "The request or command line itself is wrong."),
  SchemaViolation: row([3, 422, 2], "Invalid", "The content breaks the rules of its ConfigSchema."),
  UnknownKind: row([5, 404, 2], "NotFound", "This API serves no such kind."),
  UnknownField: row([3, 400, 2], "BadRequest", "The object has a field its kind does not define."),
  InvalidField: row([3, 422, 2], "Invalid", "A field's value is outside what the field allows."),
  DuplicateKey: row([3, 400, 2], "BadRequest", "A JSON object names the same key twice."),
  ForbiddenKey: row([3, 400, 2], "BadRequest", "A JSON object uses the reserved key __proto__."),
  UnsafeNumber: row(
    [3, 400, 2],
    "BadRequest",
    "A number would change its value when it is stored.",
  ),
  MalformedJson: row([3, 400, 2], "BadRequest", "The text is not JSON in valid UTF-8."),
  MalformedFrame: row(
    [3, 400, 1],
    "BadRequest",
    "Bytes do not decode as the message they should be.",
  ),
  DocumentTooLarge: row(
    [3, 413, 2],
    "RequestEntityTooLarge",
    "A document is larger or nested deeper than its limit.",
  ),
  NotFound: row([5, 404, 1], "NotFound", "No object has this name."),
  AlreadyExists: row([6, 409, 5], "AlreadyExists", "An object with this name exists already."),
  Conflict: row([10, 409, 5], "Conflict", "The object changed since it was read; read it again."),
  StaleBase: row(
    [9, 409, 5],
    "Conflict",
    "The change was made against a version that is no longer current.",
  ),
  Unchanged: row([6, 409, 0], "Conflict", "The change leaves everything as it is; nothing to do."),
  Quarantined: row(
    [9, 403, 4],
    "Forbidden",
    "The change contains a delta that has lost a trial and is in quarantine.",
  ),
  Unauthenticated: row([16, 401, 4], "Unauthorized", "The caller did not say who it is."),
  Forbidden: row([7, 403, 4], "Forbidden", "The caller may not do this."),
  PolicyDenied: row([7, 403, 4], "Forbidden", "A policy, freeze or quota refuses the change."),
  BadSignature: row([7, 403, 4], "Forbidden", "The signature does not match the document."),
  WrongNode: row([7, 403, 4], "Forbidden", "A node wrote for another node or outside its task."),
  WrongCluster: row([9, 403, 4], "Forbidden", "The document was written for another cluster."),
  EvidenceMismatch: row(
    [3, 422, 1],
    "Invalid",
    "The stated evidence does not follow from its own numbers.",
  ),
  LateVote: row([9, 409, 5], "Conflict", "The vote arrived after the verdict; it has no effect."),
  TokenExpired: row([16, 401, 4], "Unauthorized", "The token was valid once and is no longer."),
  TokenInvalid: row([16, 401, 4], "Unauthorized", "The token is unknown, revoked or damaged."),
  NotLeader: row(
    [14, 503, 1],
    "ServiceUnavailable",
    "This server does not lead; nothing was written. The hint names the leader when known.",
  ),
  NoLeader: row(
    [14, 503, 1],
    "ServiceUnavailable",
    "The cluster has no leader at present; nothing was written.",
  ),
  Unavailable: row(
    [14, 503, 1],
    "ServiceUnavailable",
    "The server cannot serve this now; nothing was written.",
  ),
  Indeterminate: row(
    [2, 504, 6],
    "Timeout",
    "It is unknown whether the write took effect; repeat it with the same idempotency key.",
  ),
  Overloaded: row([8, 429, 1], "TooManyRequests", "A bounded queue is full; try again later."),
  DeadlineExceeded: row([4, 504, 6], "Timeout", "The time allowed for the call has passed."),
  RevisionTooLarge: row(
    [11, 504, 1],
    "Timeout",
    "The asked revision is newer than anything this server has.",
  ),
  Expired: row(
    [11, 410, 1],
    "Expired",
    "The asked revision is older than what is kept; list again.",
  ),
  Retry: row(
    [10, 503, 1],
    "ServiceUnavailable",
    "Something the write depends on changed underneath; nothing was written, repeat it.",
  ),
  Corrupted: row([15, 500, 1], "InternalError", "Stored data fails its checks."),
  Recovering: row(
    [14, 503, 1],
    "ServiceUnavailable",
    "The server rebuilds its state and serves nothing until it is done.",
  ),
  IdentityMismatch: row(
    [9, 500, 1],
    "InternalError",
    "A data directory or certificate belongs to another member or cluster.",
  ),
  StorageFailure: row([13, 500, 1], "InternalError", "The disk refused a read or a write."),
  UnsupportedMediaType: row(
    [12, 415, 2],
    "UnsupportedMediaType",
    "The body's media type is not one this endpoint reads.",
  ),
  MethodNotAllowed: row([12, 405, 2], "MethodNotAllowed", "The kind does not offer this verb."),
  NotAcceptable: row(
    [12, 406, 2],
    "NotAcceptable",
    "None of the accepted media types can be produced.",
  ),
  Internal: row([13, 500, 1], "InternalError", "A defect of the product; please report it."),
};

/** All codes, in the order of the table. */
export const ERROR_CODES: readonly ErrorCode[] = Object.keys(ERROR_TABLE) as ErrorCode[];

/** True when the text is one of the codes (never for inherited names such as `toString`). */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERROR_TABLE, text);
}
