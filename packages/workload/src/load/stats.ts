// What the load thread counts, in shared memory, so that the main thread can report it at any moment
// without asking: 64-bit counters, written by one thread, read by another, atomically.

const FIELDS = ["sent", "answered", "failed", "dropped", "latencyNanos", "cpuNanos"] as const;

/** The name of a counter. Times are in nanoseconds. */
export type LoadField = (typeof FIELDS)[number];

/** Shared counters of one load generator. */
export class LoadStats {
  /** Hand this to the other thread. */
  readonly buffer: SharedArrayBuffer;
  readonly #cells: BigInt64Array;

  /** Without a buffer, allocates one with all counters 0. */
  constructor(buffer?: SharedArrayBuffer) {
    this.buffer = buffer ?? new SharedArrayBuffer(FIELDS.length * 8);
    this.#cells = new BigInt64Array(this.buffer);
  }

  /** Adds to a counter; fractions are cut off. */
  add(field: LoadField, amount: number): void {
    Atomics.add(this.#cells, FIELDS.indexOf(field), BigInt(Math.trunc(amount)));
  }

  /** Overwrites a counter. */
  set(field: LoadField, value: number): void {
    Atomics.store(this.#cells, FIELDS.indexOf(field), BigInt(Math.trunc(value)));
  }

  /** Reads a counter. */
  get(field: LoadField): number {
    return Number(Atomics.load(this.#cells, FIELDS.indexOf(field)));
  }
}
