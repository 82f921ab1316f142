// Every bound of the command line in one place.

/** Bytes of one manifest file; a document is at most 1 MiB, a file may hold several. */
export const MANIFEST_BYTES_MAX: number = 16 * 1024 * 1024;

/** Values of one YAML document with its aliases followed: aliases of aliases grow without bound. */
export const MANIFEST_VALUES_MAX: number = 1_000_000;

/** Times an `apply` reads an object anew because somebody else changed it in between. */
export const CONFLICT_ATTEMPTS_MAX: number = 5;
