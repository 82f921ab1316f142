// Seeded pseudo-random numbers for simulations, jitter and test data: the small fast counter
// generator sfc32 (Doty-Humphrey, PractRand), seeded from a string by four FNV-1a passes with a
// murmur finaliser. Never for keys or tokens. Equal seeds give equal streams on every machine.

import { assert } from "./assert.ts";

/** A stream of pseudo-random values. */
export interface Prng {
  /** Uniform over 0 to 2^32 - 1. */
  nextUint32(): number;
  /** Uniform integer over 0 to bound - 1, without bias; bound is 1 to 2^32. */
  below(bound: number): number;
  /** Uniform over [0, 1) in steps of 2^-53. */
  unit(): number;
  /** True with the given probability, 0 (never) to 1 (always). */
  chance(probability: number): boolean;
  /** One element; the list must not be empty. */
  pick<T>(list: readonly T[]): T;
  /** A new list in random order; the argument is left alone. */
  shuffle<T>(list: readonly T[]): T[];
  bytes(length: number): Uint8Array<ArrayBuffer>;
  /**
   * An independent stream that depends only on this stream's seed and the label, not on how much
   * has been drawn: new draws in one place leave all others as they were.
   */
  fork(label: string): Prng;
}

const UINT32_RANGE = 4_294_967_296;

/** Rounds that mix the seed into all of the state before the first value. */
const WARM_UP_ROUNDS = 15;

/** A stream for the seed; the number 7 and the text "7" are the same seed. */
export function createPrng(seed: string | number): Prng {
  return new Sfc32(String(seed));
}

class Sfc32 implements Prng {
  readonly #seed: string;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: string) {
    this.#seed = seed;
    this.#a = hashSeed(seed, 0x811c9dc5);
    this.#b = hashSeed(seed, 0x9e3779b9);
    this.#c = hashSeed(seed, 0x7f4a7c15);
    for (let round = 0; round < WARM_UP_ROUNDS; round += 1) this.nextUint32();
  }

  nextUint32(): number {
    const result = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0;
    return result >>> 0;
  }

  below(bound: number): number {
    assert(
      Number.isInteger(bound) && bound >= 1 && bound <= UINT32_RANGE,
      () => `below: bound ${bound} is not an integer of 1 to 2^32`,
    );
    // Values from the incomplete last copy of [0, bound) would favour small results.
    const usable = UINT32_RANGE - (UINT32_RANGE % bound);
    let value = this.nextUint32();
    while (value >= usable) value = this.nextUint32();
    return value % bound;
  }

  unit(): number {
    const high = this.nextUint32() >>> 5;
    const low = this.nextUint32() >>> 6;
    return (high * 67_108_864 + low) / 9_007_199_254_740_992;
  }

  chance(probability: number): boolean {
    assert(
      probability >= 0 && probability <= 1,
      () => `chance: probability ${probability} is outside 0 to 1`,
    );
    return this.unit() < probability;
  }

  pick<T>(list: readonly T[]): T {
    assert(list.length > 0, "pick: the list is empty");
    return list[this.below(list.length)] as T;
  }

  shuffle<T>(list: readonly T[]): T[] {
    const out = [...list];
    for (let last = out.length - 1; last > 0; last -= 1) {
      const other = this.below(last + 1);
      const held = out[last] as T;
      out[last] = out[other] as T;
      out[other] = held;
    }
    return out;
  }

  bytes(length: number): Uint8Array<ArrayBuffer> {
    const out = new Uint8Array(length);
    for (let at = 0; at < length; at += 1) out[at] = this.nextUint32() >>> 24;
    return out;
  }

  fork(label: string): Prng {
    // The length keeps fork("a").fork("b") apart from fork("a/b").
    return new Sfc32(`${this.#seed}/${label.length}:${label}`);
  }
}

function hashSeed(seed: string, offset: number): number {
  let hash = offset | 0;
  for (let at = 0; at < seed.length; at += 1) {
    const unit = seed.charCodeAt(at);
    hash = Math.imul(hash ^ (unit & 255), 0x01000193);
    hash = Math.imul(hash ^ (unit >>> 8), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) | 0;
}
