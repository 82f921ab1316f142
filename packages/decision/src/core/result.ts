// What applying an entry yields: an outcome for the submitter and changes for storage and watchers.

import type { ErrorCode, ErrorDetails, JsonValue } from "@kingly/base";

/** What the submitter is told. */
export type Outcome =
  | { readonly ok: true; readonly value: JsonValue }
  | {
      readonly ok: false;
      readonly code: ErrorCode;
      readonly message: string;
      readonly details: ErrorDetails;
    };

/** One changed row. */
export interface Change {
  /**
   * Objects: the revision of this change, unique and ascending within the entry. Internal rows have
   * none: 0, and they belong to no history.
   */
  readonly revision: number;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly key: string;
  /** The new value; for DELETED the last one (its metadata.resourceVersion is the old one). */
  readonly value: JsonValue;
  /** True for rows whose key begins with `~`: stored, never watched. */
  readonly internal: boolean;
}

/** Result of one entry. */
export interface ApplyResult {
  /** "" when the entry was empty or could not be decoded. */
  readonly requestId: string;
  readonly outcome: Outcome;
  /** Objects first, in revision order, then internal rows in the order they were touched. */
  readonly changes: readonly Change[];
  /** Revision of the first object change; 0 when no object changed. */
  readonly firstRevision: number;
  /** The state's revision after this entry. */
  readonly lastRevision: number;
}

/** One committed entry, as raft hands it out. */
export interface AppliedEntry {
  readonly index: number;
  readonly term: number;
  /** Encoded command; empty for a leader's first entry, which changes nothing. */
  readonly data: Uint8Array;
  /** Hash chained over the log up to and including this entry, 32 bytes; part of a trial's seed. */
  readonly chainHash: Uint8Array;
}

/**
 * Value of the outcome of commands that write one object. What is remembered for idempotency is
 * everything but `object`; a repetition gets the object as it is then.
 */
export interface WriteResult {
  /** Row key of the object. */
  readonly key: string;
  /** The object after the change; null when it was deleted. */
  readonly object: JsonValue;
  /** Sentences for a person, as `Warning` headers carry them. */
  readonly warnings: readonly string[];
  /** False when the write changed nothing. */
  readonly changed: boolean;
}
