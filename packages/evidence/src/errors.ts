// The one typed error of this package, and the checks that raise it. Statistics are fed by
// measurements and by records from other nodes, so bad numbers are life, not bugs: the caller learns
// which field, which limit and which value, and turns it into its own status code.

/** What can stand where a number was expected; kept as a string so that errors always serialise. */
export type OffendingValue = string | number | boolean | null;

/** Bad input at the edge of the package: `field` broke `limit`, it was `value`. */
export class EvidenceInputError extends Error {
  /** Dotted path of the offending input, such as `plan.objectives[1].floor`. */
  readonly field: string;
  /** What would have been accepted, in words, with the bounds. */
  readonly limit: string;
  /** What was given; objects are shown by their type only. */
  readonly value: OffendingValue;

  constructor(field: string, limit: string, value: unknown) {
    const shown = describe(value);
    super(`${field} must be ${limit}, got ${String(shown)}`);
    this.name = "EvidenceInputError";
    this.field = field;
    this.limit = limit;
    this.value = shown;
  }
}

function describe(value: unknown): OffendingValue {
  if (value === null) return null;
  if (typeof value === "number" || typeof value === "boolean") return value;
  if (typeof value === "string") return value.length > 80 ? `${value.slice(0, 80)}…` : value;
  return typeof value;
}

/** Inclusive or exclusive bounds of a number. */
export interface Bounds {
  /** Lowest accepted value. */
  readonly min?: number;
  /** Highest accepted value. */
  readonly max?: number;
  /** The value must be strictly above this. */
  readonly above?: number;
  /** The value must be strictly below this. */
  readonly below?: number;
  /** Only whole numbers. */
  readonly integer?: boolean;
}

/** Whether `value` is a finite number inside `bounds`. */
export function isWithin(value: unknown, bounds: Bounds): value is number {
  if (typeof value !== "number" || !Number.isFinite(value)) return false;
  if (bounds.integer === true && !Number.isSafeInteger(value)) return false;
  if (bounds.min !== undefined && value < bounds.min) return false;
  if (bounds.max !== undefined && value > bounds.max) return false;
  if (bounds.above !== undefined && value <= bounds.above) return false;
  return bounds.below === undefined || value < bounds.below;
}

/** The bounds in words, for `EvidenceInputError.limit`. */
export function boundsInWords(bounds: Bounds): string {
  const parts: string[] = [];
  if (bounds.min !== undefined) parts.push(`>= ${bounds.min}`);
  if (bounds.above !== undefined) parts.push(`> ${bounds.above}`);
  if (bounds.max !== undefined) parts.push(`<= ${bounds.max}`);
  if (bounds.below !== undefined) parts.push(`< ${bounds.below}`);
  const kind = bounds.integer === true ? "an integer" : "a finite number";
  return parts.length === 0 ? kind : `${kind} ${parts.join(" and ")}`;
}

/** Throws `EvidenceInputError` unless `value` is a finite number inside `bounds`. */
export function requireNumber(field: string, value: unknown, bounds: Bounds): void {
  if (!isWithin(value, bounds)) throw new EvidenceInputError(field, boundsInWords(bounds), value);
}
