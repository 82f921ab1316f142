// Least-recently-used cache on a Map, whose iteration order is insertion order: a hit is moved to the
// end, the first key is the one to go. The capacity changes hot.

/** A bounded cache by text. Capacity 0 stores nothing. */
export class LruCache<Value> {
  readonly #entries = new Map<string, Value>();
  #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Entries held now. */
  get size(): number {
    return this.#entries.size;
  }

  /** The remembered value, which becomes the most recently used, or undefined. */
  get(key: string): Value | undefined {
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  /** Remembers a value; the least recently used one goes when there is no room. */
  set(key: string, value: Value): void {
    if (this.#capacity === 0) return;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    this.#trim();
  }

  /** Changes the capacity; the least recently used entries beyond it are dropped. */
  resize(capacity: number): void {
    this.#capacity = capacity;
    if (capacity === 0) this.#entries.clear();
    else this.#trim();
  }

  /** Forgets everything. */
  clear(): void {
    this.#entries.clear();
  }

  #trim(): void {
    for (const key of this.#entries.keys()) {
      if (this.#entries.size <= this.#capacity) return;
      this.#entries.delete(key);
    }
  }
}
