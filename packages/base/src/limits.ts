// Named limits of the base package. Every recursion and every input here ends at one of these.

/** Depth of nesting a strict parse accepts unless told otherwise; people nest below 20. */
export const JSON_DEPTH_MAX = 64;

/** Bytes a strict parse accepts unless told otherwise: 1 MiB, which fits one log entry of 1.5 MiB. */
export const JSON_BYTES_MAX = 1_048_576;

/**
 * Depth at which the walkers over values (canonical form, equality, merge) stop with an error.
 * Far above JSON_DEPTH_MAX, so that wrapping a document never trips it, far below the stack.
 */
export const VALUE_DEPTH_MAX = 512;

/** Characters of a refused value that an error message repeats; the rest is cut. */
export const ERROR_VALUE_CHARS_MAX = 80;

/** Keys of one object that are compared one by one before a Set is worth its allocation. */
export const SMALL_OBJECT_KEYS = 8;
