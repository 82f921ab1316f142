// One mechanism for "applied once": (principal, idempotency key) -> first result, kept 24 h of
// replicated time and bounded, oldest out first. Refusals are not remembered: nothing happened, so
// the same key may be tried again.

import { assert, toHex } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import { IDEMPOTENCY_RESULTS_MAX, IDEMPOTENCY_TTL_MS } from "../limits.ts";
import type { Command } from "./command.ts";
import { IDEMPOTENCY_PREFIX, idempotencyKey } from "./keys.ts";
import { renderMemo } from "./reply.ts";
import type { Reply } from "./reply.ts";
import { refuse } from "./refuse.ts";
import type { RowTable } from "./table.ts";
import type { Transaction } from "./transaction.ts";

/** Bytes of the body's SHA-256 that are kept: against mix-ups, not against attackers. */
const BODY_HASH_BYTES = 16;
/** Places at the head of the queue that are given back together. */
const QUEUE_SLACK = 4096;

interface Remembered {
  readonly atMs: number;
  /** Index of the entry; tells this use of the key from an older one. */
  readonly index: number;
  readonly type: string;
  /** Hex of the body's hash: the same key must mean the same request. */
  readonly bodyHash: string;
  readonly memo: JsonObject;
}

/**
 * The order in which first results expire. It follows from the rows (ascending index) and is kept
 * beside them, so that the oldest is found without a second row per result.
 */
export class ResultQueue {
  #places: { readonly row: string; readonly index: number }[] = [];
  #head = 0;

  /** The queue of a table that was filled with stored rows. */
  static of(table: RowTable): ResultQueue {
    const queue = new ResultQueue();
    for (const [row, value] of table.list(IDEMPOTENCY_PREFIX)) {
      queue.#places.push({ row, index: (value as unknown as Remembered).index });
    }
    queue.#places.sort((a, b) => a.index - b.index);
    return queue;
  }

  /** A result was stored under `row` by the entry at `index`, the newest so far. */
  push(row: string, index: number): void {
    this.#places.push({ row, index });
    if (this.#head < QUEUE_SLACK) return;
    this.#places = this.#places.slice(this.#head);
    this.#head = 0;
  }

  /**
   * Rows of results, oldest first, of those that neither the state nor the transaction has replaced
   * or removed. A place is given back only when the committed row says so: what a transaction wrote
   * may be dropped, and a queue that believed it would differ from one that was restored.
   */
  *oldest(tx: Transaction, table: RowTable): IterableIterator<readonly [string, Remembered]> {
    for (let at = this.#head; at < this.#places.length; at += 1) {
      const place = this.#places[at];
      assert(place !== undefined, "a place within the queue");
      const stored = table.get(place.row) as unknown as Remembered | undefined;
      if (stored?.index !== place.index) {
        if (at === this.#head) this.#head += 1;
        continue;
      }
      const seen = tx.row<Remembered>(place.row);
      if (seen?.index === place.index) yield [place.row, seen];
    }
  }
}

/** The row that a command's first result is kept in; undefined when it asked for none. */
export function resultRow(command: Command): string | undefined {
  const { actor, idempotencyKey: key } = command;
  return key === undefined ? undefined : idempotencyKey(actor.name, key);
}

/** The first result of the transaction's command, when it was applied before. */
export function recall(tx: Transaction, row: string): JsonValue | undefined {
  const { command } = tx;
  const found = tx.row<Remembered>(row);
  if (found === undefined || tx.nowMs - found.atMs >= IDEMPOTENCY_TTL_MS) return undefined;
  if (found.type !== command.type || found.bodyHash !== bodyHash(tx)) {
    refuse("Conflict", "this idempotency key was used for another request", {
      field: "idempotencyKey",
      value: command.idempotencyKey ?? "",
      help: "use a new key for a new request",
    });
  }
  return renderMemo(found.memo, tx);
}

/** Keeps the result of the transaction's command. */
export function remember(tx: Transaction, row: string, reply: Reply): void {
  const entry: Remembered = {
    atMs: tx.nowMs,
    index: tx.entry.index,
    type: tx.command.type,
    bodyHash: bodyHash(tx),
    memo: reply.memo,
  };
  tx.putRow(row, entry);
}

/** Forgets at most `count` results that are too old or too many. */
export function forget(
  tx: Transaction,
  results: { readonly table: RowTable; readonly queue: ResultQueue },
  count: number,
): void {
  let excess = results.table.countOf(IDEMPOTENCY_PREFIX) - IDEMPOTENCY_RESULTS_MAX;
  let forgotten = 0;
  for (const [row, found] of results.queue.oldest(tx, results.table)) {
    const old = tx.nowMs - found.atMs >= IDEMPOTENCY_TTL_MS;
    if ((!old && excess <= 0) || forgotten === count) return;
    excess -= 1;
    forgotten += 1;
    tx.deleteRow(row);
  }
}

function bodyHash(tx: Transaction): string {
  return toHex(tx.crypto.sha256(tx.command.body).subarray(0, BODY_HASH_BYTES));
}
