// The service's hot-reloadable settings: what they are called, where they may lie, and the one
// validator that the HTTP endpoint, the file and a supervisor's schema all share. A document replaces
// the whole set: a missing key means its default, an unknown key is an error. So equal documents
// always give equal behaviour, whatever was active before.
import {
  BATCH_SIZE_MAX,
  BATCH_WINDOW_MS_MAX,
  CACHE_ENTRIES_MAX,
  ERROR_VALUE_LENGTH_MAX,
  WORKERS_MAX,
} from "./limits.ts";

/** One complete, valid set of tunables. */
export interface Tunables {
  /** Most requests per worker call, 1..64. Only matters while batchWindowMs > 0. */
  readonly maxBatchSize: number;
  /** How long the oldest request may wait for companions, 0..50 ms; 0 = one request per call. */
  readonly batchWindowMs: number;
  /** Answers remembered by text (least recently used goes first), 0..10,000; 0 = no cache. */
  readonly cacheEntries: number;
  /** Worker threads that compute, 1..4. */
  readonly workers: number;
}

/** The name of one tunable. */
export type TunableKey = keyof Tunables;

/** What a supervisor may know about one tunable. */
export interface TunableDescription {
  readonly type: "integer";
  readonly minimum: number;
  readonly maximum: number;
  /** Smallest meaningful change. */
  readonly step: number;
  /** Unit of the value: "ms", "requests", "entries" or "threads". */
  readonly unit: string;
  readonly default: number;
  /** True: takes effect without a restart. */
  readonly hot: boolean;
  /** Time after a change until measurements show only the new value. */
  readonly settleSeconds: number;
  readonly description: string;
}

/** Range, step, unit and default of every tunable, by key. */
export const TUNABLES: Readonly<Record<TunableKey, TunableDescription>> = {
  maxBatchSize: {
    type: "integer",
    minimum: 1,
    maximum: BATCH_SIZE_MAX,
    step: 1,
    unit: "requests",
    default: 8,
    hot: true,
    settleSeconds: 0.2,
    description: "Most requests computed in one worker call, while batchWindowMs is above 0",
  },
  batchWindowMs: {
    type: "integer",
    minimum: 0,
    maximum: BATCH_WINDOW_MS_MAX,
    step: 1,
    unit: "ms",
    default: 0,
    hot: true,
    settleSeconds: 0.2,
    description: "How long the oldest request waits for companions; 0 computes one at a time",
  },
  cacheEntries: {
    type: "integer",
    minimum: 0,
    maximum: CACHE_ENTRIES_MAX,
    step: 1,
    unit: "entries",
    default: 0,
    hot: true,
    settleSeconds: 0.2,
    description: "Answers remembered by text; 0 turns the cache off",
  },
  workers: {
    type: "integer",
    minimum: 1,
    maximum: WORKERS_MAX,
    step: 1,
    unit: "threads",
    default: 1,
    hot: true,
    settleSeconds: 2,
    description: "Threads that compute; a new one joins after its warm-up",
  },
};

/** The keys in their documented order. */
export const TUNABLE_KEYS: readonly TunableKey[] = [
  "maxBatchSize",
  "batchWindowMs",
  "cacheEntries",
  "workers",
];

/** What an empty document means. */
export const DEFAULT_TUNABLES: Tunables = {
  maxBatchSize: TUNABLES.maxBatchSize.default,
  batchWindowMs: TUNABLES.batchWindowMs.default,
  cacheEntries: TUNABLES.cacheEntries.default,
  workers: TUNABLES.workers.default,
};

/** One reason why a document was refused. */
export interface Problem {
  /** The offending key, or "" for the document as a whole. */
  readonly field: string;
  /** What is allowed. */
  readonly limit: string;
  /** What was found, shortened. */
  readonly value: string;
  readonly message: string;
}

/** Either a complete set or every reason against the document. */
export type TunablesResult =
  | { readonly ok: true; readonly tunables: Tunables }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Builds the problem that names field, limit and value. */
export function problem(field: string, limit: string, value: unknown): Problem {
  const text = JSON.stringify(value) ?? String(value);
  const shown =
    text.length > ERROR_VALUE_LENGTH_MAX ? `${text.slice(0, ERROR_VALUE_LENGTH_MAX)}...` : text;
  const subject = field === "" ? "document" : field;
  return { field, limit, value: shown, message: `${subject} must be ${limit}, found ${shown}` };
}

/** Checks a parsed JSON document. Never throws; reports every problem, not only the first. */
export function validateTunables(document: unknown): TunablesResult {
  if (typeof document !== "object" || document === null || Array.isArray(document)) {
    return { ok: false, problems: [problem("", "a JSON object of tunables", document)] };
  }
  const problems: Problem[] = [];
  const found = new Map<string, unknown>(Object.entries(document));
  for (const [key, value] of found) {
    if (!(TUNABLE_KEYS as readonly string[]).includes(key)) {
      problems.push(problem(key, `one of ${TUNABLE_KEYS.join(", ")}`, value));
    }
  }
  const read = (key: TunableKey): number => {
    if (!found.has(key)) return DEFAULT_TUNABLES[key];
    const value = found.get(key);
    const { minimum, maximum, unit } = TUNABLES[key];
    if (Number.isInteger(value)) {
      const number = value as number;
      if (number >= minimum && number <= maximum) return number;
    }
    problems.push(problem(key, `an integer from ${minimum} to ${maximum} (${unit})`, value));
    return DEFAULT_TUNABLES[key];
  };
  const tunables: Tunables = {
    maxBatchSize: read("maxBatchSize"),
    batchWindowMs: read("batchWindowMs"),
    cacheEntries: read("cacheEntries"),
    workers: read("workers"),
  };
  return problems.length > 0 ? { ok: false, problems } : { ok: true, tunables };
}

/** Parses and checks a document's text; a syntax error is one problem of the whole document. */
export function parseTunables(text: string): TunablesResult {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return { ok: false, problems: [problem("", "valid JSON", text)] };
  }
  return validateTunables(document);
}
