// What a simulated server replicates: a deterministic machine over rows. Two exist: a small register
// machine whose histories can be checked for linearizability at high speed, and the product's own
// decision machine. Both report the rows they change, so that storage keeps them and the observer can
// compare fingerprints at equal index.

import type { JsonValue } from "@kingly/base";
import type { HistoryEntry, ObjectMeta, RowChange } from "@kingly/storage";
import type { ConfState, Entry } from "raft-ts";
import { PRINT_RANGE, printOfText } from "../engine/hash.ts";

/** What a client asks of the machine. */
export interface Request {
  readonly client: number;
  /** Ascends per client; (client, sequence) is the idempotency key. */
  readonly sequence: number;
  readonly kind: "put" | "cas";
  readonly key: string;
  readonly value: string;
  /** For a cas: the value that must be there. */
  readonly expected: string;
}

/** The answer to a write: what stood in the register before. */
export interface Answer {
  readonly seen: string;
}

/** What applying one entry did. */
export interface Applied {
  /** Idempotency key of the request in the entry; undefined when there was none. */
  readonly request: string | undefined;
  /** Undefined when the request is outdated and nobody waits for it. */
  readonly answer: Answer | undefined;
  /** True when the request took effect by this entry and not by an earlier one. */
  readonly effective: boolean;
  readonly rows: readonly RowChange[];
  readonly history: readonly HistoryEntry[];
}

/** A replicated machine. */
export interface Machine {
  readonly appliedIndex: number;
  /** False until the first command of a new cluster was applied. */
  readonly isReady: boolean;
  apply(entry: Entry, chainHash: Uint8Array): Applied;
  /** The register's value, "" when never written. */
  read(key: string): string;
  /** Does the state know that this request, or a later one of its client, was applied? */
  remembers(request: string): boolean;
  meta(confState: ConfState): ObjectMeta;
}

/** How machines are made. */
export interface MachineKind {
  readonly name: "register" | "decision";
  create(rows: Iterable<readonly [string, JsonValue]>, meta: ObjectMeta): Machine;
  /** An entry's data. `nowMs`: the proposing server's clock. */
  encode(request: Request, nowMs: number): Uint8Array;
  /** Entries that a new cluster's first leader proposes before any request. */
  readonly genesis: (nowMs: number) => Uint8Array | undefined;
}

/** Idempotency key of a request. */
export function requestKey(client: number, sequence: number): string {
  return `${client}.${sequence}`;
}

/** Sum over all rows that changes in step with them; equal when the rows are equal. */
export class RowsPrint {
  readonly #prints = new Map<string, number>();
  #sum = 0;

  get value(): number {
    return this.#sum;
  }

  set(key: string, value: JsonValue | undefined): void {
    const before = this.#prints.get(key) ?? 0;
    const now = value === undefined ? 0 : printOfText(`${key}=${JSON.stringify(value)}`);
    if (value === undefined) this.#prints.delete(key);
    else this.#prints.set(key, now);
    this.#sum = (this.#sum - before + now + PRINT_RANGE) % PRINT_RANGE;
  }
}
