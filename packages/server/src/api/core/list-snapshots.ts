// Keeps what a paged list saw, so that all of its pages come from one revision. Objects are shared
// with the state, so a snapshot costs one reference per object. Bounded in number and age: a client
// that is too slow lists again (410 Expired).

import type { Clock } from "@kingly/base";
import { randomBytes } from "node:crypto";
import { LIST_SNAPSHOTS_MAX, LIST_SNAPSHOT_MS } from "../limits.ts";
import type { Row } from "./reader.ts";

/** The rest of a list, as its first page saw it. */
export interface ListSnapshot {
  /** What the list was about; a token is only good for the same question. */
  readonly question: string;
  readonly revision: number;
  readonly rows: readonly Row[];
}

interface Kept extends ListSnapshot {
  readonly atMs: number;
}

/** Snapshots of one server. */
export class ListSnapshots {
  readonly #clock: Clock;
  readonly #kept = new Map<string, Kept>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Keeps a snapshot; the oldest goes when there are too many. Returns its id. */
  keep(snapshot: ListSnapshot): string {
    this.#expire();
    while (this.#kept.size >= LIST_SNAPSHOTS_MAX) {
      const oldest = this.#kept.keys().next().value;
      if (oldest === undefined) break;
      this.#kept.delete(oldest);
    }
    const id = randomBytes(12).toString("base64url");
    this.#kept.set(id, { ...snapshot, atMs: this.#clock.nowMs() });
    return id;
  }

  /** The snapshot, or undefined when it is forgotten. */
  find(id: string): ListSnapshot | undefined {
    this.#expire();
    return this.#kept.get(id);
  }

  #expire(): void {
    const before = this.#clock.nowMs() - LIST_SNAPSHOT_MS;
    for (const [id, kept] of this.#kept) if (kept.atMs < before) this.#kept.delete(id);
  }
}
