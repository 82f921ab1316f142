// A log as an observer writes it down: term and fingerprint per index, above a base that a snapshot
// covers. The checkers compare these, never the logs of the code under test with themselves.

import { assert } from "@kingly/base";
import type { Entry } from "raft-ts";
import { printOfBytes } from "../engine/hash.ts";

/** One position of a mirrored log. */
export interface Place {
  readonly term: number;
  /** Fingerprint of the entry's type and data. */
  readonly print: number;
}

const prints = new WeakMap<Entry, number>();

/** The place of an entry. */
export function placeOf(entry: Entry): Place {
  let print = prints.get(entry);
  if (print === undefined) {
    print = printOfBytes(entry.data) + entry.type.length;
    prints.set(entry, print);
  }
  return { term: entry.term, print };
}

/** Mirror of one log. */
export class LogMirror {
  #baseIndex = 0;
  #baseTerm = 0;
  #places: Place[] = [];

  /** Last index covered by the base; 0 at the beginning. */
  get baseIndex(): number {
    return this.#baseIndex;
  }

  get lastIndex(): number {
    return this.#baseIndex + this.#places.length;
  }

  get lastTerm(): number {
    return this.#places.at(-1)?.term ?? this.#baseTerm;
  }

  /** Term and fingerprint at an index above the base; undefined elsewhere. */
  at(index: number): Place | undefined {
    return this.#places[index - this.#baseIndex - 1];
  }

  /** Term at an index from the base on; undefined elsewhere. */
  termAt(index: number): number | undefined {
    return index === this.#baseIndex ? this.#baseTerm : this.at(index)?.term;
  }

  /** Starts over behind a snapshot. */
  reset(index: number, term: number): void {
    this.#baseIndex = index;
    this.#baseTerm = term;
    this.#places = [];
  }

  /** Replaces everything from `index` on. */
  write(index: number, places: readonly Place[]): void {
    assert(index <= this.lastIndex + 1, () => `entry ${index} after ${this.lastIndex}`);
    const skip = Math.max(0, this.#baseIndex + 1 - index);
    if (skip >= places.length && places.length > 0) return;
    const keep = Math.max(0, index - this.#baseIndex - 1);
    this.#places.length = Math.min(keep, this.#places.length);
    for (let at = skip; at < places.length; at += 1) this.#places.push(places[at] as Place);
  }
}
