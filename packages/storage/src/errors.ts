// The three ways storage refuses: the directory is not the expected one (IdentityMismatch), its
// content is damaged (Corrupted), or the disk failed (StorageFailure). Every message names the file,
// what was found there and the way back.

import { KinglyError } from "@kingly/base";

/** The way back from a directory that cannot be trusted. */
export const REPLACE_HELP: string =
  "the other members go on while they are a majority; this one comes back only with its own directory as it " +
  "was when it last stopped (never an older copy, never copy another member's directory); replacing a member is " +
  "not available in this release: set up a new cluster from the objects when the majority is at risk";

/** The directory belongs to something else, or to nothing. `field` names what differs. */
export function identityMismatch(
  file: string,
  problem: string,
  details: { readonly field?: string; readonly limit?: string; readonly value?: string } = {},
): KinglyError {
  return new KinglyError("IdentityMismatch", `${file}: ${problem}; ${REPLACE_HELP}`, {
    ...details,
    help: REPLACE_HELP,
  });
}

/** Stored bytes fail their check. `where` names the index or key inside the file. */
export function corrupted(
  file: string,
  where: string,
  problem: string,
  cause?: unknown,
): KinglyError {
  return new KinglyError(
    "Corrupted",
    `${file}: ${where}: ${problem}; ${REPLACE_HELP}`,
    { field: where, reason: problem, help: REPLACE_HELP },
    { cause },
  );
}

/** An operation on the disk failed. `operation` is the call, `file` its target. */
export function storageFailure(file: string, operation: string, cause: unknown): KinglyError {
  const text = describe(cause);
  const help = isNoSpace(cause)
    ? "the disk is full: free space, then restart the server"
    : "check the disk, then restart the server; nothing is retried because a failed sync may have lost data";
  return new KinglyError(
    "StorageFailure",
    `storage halted: ${operation} of ${file} failed: ${text}; ${help}`,
    { field: file, reason: operation, value: text, help },
    { cause },
  );
}

/** The store was closed or halted before this call; carries the first cause. */
export function halted(first: KinglyError): KinglyError {
  return new KinglyError(first.code, first.message, first.details, { cause: first });
}

/** Text of anything thrown, with the cause that level hides one step down. */
export function describe(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const inner = thrown.cause instanceof Error ? ` (${thrown.cause.message})` : "";
  return `${thrown.message}${inner}`;
}

function isNoSpace(thrown: unknown): boolean {
  return /ENOSPC|[Nn]o space left/.test(describe(thrown)) || codeOf(thrown) === "ENOSPC";
}

/** The `code` property of an error, if it has one. */
export function codeOf(thrown: unknown): string | undefined {
  if (typeof thrown !== "object" || thrown === null || !("code" in thrown)) return undefined;
  return typeof thrown.code === "string" ? thrown.code : undefined;
}
