// Count and sum of the fingerprints of all rows, kept up to date with each change. Stored beside the
// rows, it proves at opening that no row was lost, brought back or changed: LevelDB can drop a batch
// from the middle of its log and go on with the next, which no per-row check would notice.

const MODULUS = 281_474_976_710_656;

/** Fingerprints of all rows by name, with their sum modulo 2^48. */
export class RowSum {
  readonly #prints = new Map<string, number>();
  #sum = 0;

  get count(): number {
    return this.#prints.size;
  }

  get sum(): number {
    return this.#sum;
  }

  /** Sets a row's fingerprint; undefined removes the row. */
  set(name: string, print: number | undefined): void {
    const before = this.#prints.get(name) ?? 0;
    this.#sum = (this.#sum + MODULUS - before + (print ?? 0)) % MODULUS;
    if (print === undefined) this.#prints.delete(name);
    else this.#prints.set(name, print);
  }
}
