// Expiry as part of apply: every successful entry removes a few rows whose time has passed, so that
// nothing grows without bound and no entry pays for a whole day at once.

import { EVENTS_MAX, EVENT_TTL_MS, HOUSEKEEPING_ROWS_MAX } from "../limits.ts";
import { forget } from "../core/idempotency.ts";
import type { ResultQueue } from "../core/idempotency.ts";
import { EVENT_QUEUE_PREFIX } from "../core/keys.ts";
import type { RowTable } from "../core/table.ts";
import type { Transaction } from "../core/transaction.ts";
import type { EventObject } from "../core/event-object.ts";
import type { QueuedEvent } from "./events.ts";

/** Removes expired first results and Events, a bounded number of each. */
export function keepHouse(
  tx: Transaction,
  rows: { readonly table: RowTable; readonly queue: ResultQueue },
): void {
  const { table } = rows;
  forget(tx, rows, HOUSEKEEPING_ROWS_MAX);
  let excess = table.countOf(EVENT_QUEUE_PREFIX) - EVENTS_MAX;
  for (const queued of table.firstKeys(EVENT_QUEUE_PREFIX, HOUSEKEEPING_ROWS_MAX)) {
    const row = tx.row<QueuedEvent>(queued);
    if (row === undefined) continue;
    if (tx.nowMs - row.atMs < EVENT_TTL_MS && excess <= 0) return;
    excess -= 1;
    tx.deleteRow(queued);
    const event = tx.get(row.key) as unknown as EventObject | undefined;
    if (event !== undefined) tx.remove(event);
  }
}
