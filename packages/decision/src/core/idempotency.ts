// One mechanism for "applied once": (principal, idempotency key) -> first result, kept 24 h of
// replicated time and bounded, oldest out first. Refusals are not remembered: nothing happened, so
// the same key may be tried again.

import { toHex } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import { IDEMPOTENCY_RESULTS_MAX, IDEMPOTENCY_TTL_MS } from "../limits.ts";
import type { Command } from "./command.ts";
import { IDEMPOTENCY_QUEUE_PREFIX, idempotencyKey, idempotencyQueueKey } from "./keys.ts";
import { renderMemo } from "./reply.ts";
import type { Reply } from "./reply.ts";
import { refuse } from "./refuse.ts";
import type { RowTable } from "./table.ts";
import type { Transaction } from "./transaction.ts";

interface Remembered {
  readonly atMs: number;
  /** Index of the entry; tells its place in the queue from that of an older use of the key. */
  readonly index: number;
  readonly type: string;
  /** Hex sha256 of the body: the same key must mean the same request. */
  readonly bodyHash: string;
  readonly memo: JsonObject;
}

/** The first result of this command, when it was applied before. */
export function recall(tx: Transaction, command: Command): JsonValue | undefined {
  if (command.idempotencyKey === undefined) return undefined;
  const found = tx.row<Remembered>(idempotencyKey(command.actor.name, command.idempotencyKey));
  if (found === undefined || tx.nowMs - found.atMs >= IDEMPOTENCY_TTL_MS) return undefined;
  if (found.type !== command.type || found.bodyHash !== bodyHash(tx)) {
    refuse("Conflict", "this idempotency key was used for another request", {
      field: "idempotencyKey",
      value: command.idempotencyKey,
      help: "use a new key for a new request",
    });
  }
  return renderMemo(found.memo, tx);
}

/** Keeps the result of the transaction's command. */
export function remember(tx: Transaction, reply: Reply): void {
  const { actor, idempotencyKey: key, type } = tx.command;
  if (key === undefined) return;
  const row = idempotencyKey(actor.name, key);
  const entry: Remembered = {
    atMs: tx.nowMs,
    index: tx.entry.index,
    type,
    bodyHash: bodyHash(tx),
    memo: reply.memo,
  };
  tx.putRow(row, entry);
  tx.putRow(idempotencyQueueKey(tx.entry.index), row);
}

/** Forgets at most `count` results that are too old or too many. */
export function forget(tx: Transaction, table: RowTable, count: number): void {
  let excess = table.countOf(IDEMPOTENCY_QUEUE_PREFIX) - IDEMPOTENCY_RESULTS_MAX;
  if (table.countOf(IDEMPOTENCY_QUEUE_PREFIX) === 0) return;
  for (const queued of table.firstKeys(IDEMPOTENCY_QUEUE_PREFIX, count)) {
    const row = tx.row<string>(queued) as string;
    const found = tx.row<Remembered>(row);
    const current = found !== undefined && idempotencyQueueKey(found.index) === queued;
    const old = !current || tx.nowMs - found.atMs >= IDEMPOTENCY_TTL_MS;
    if (!old && excess <= 0) return;
    excess -= 1;
    tx.deleteRow(queued);
    if (current) tx.deleteRow(row);
  }
}

function bodyHash(tx: Transaction): string {
  return toHex(tx.crypto.sha256(tx.command.body));
}
