// Reads the stored state into a state machine: at start, and when a snapshot replaced the rows.
import type { JsonValue } from "@kingly/base";
import { StateMachine } from "@kingly/decision";
import { nodeCrypto } from "@kingly/protocol";
import type { Storage } from "@kingly/storage";
import { stateMeta } from "./applier.ts";

/** The state machine that storage holds. Rejects with Corrupted when a row fails its check. */
export async function loadState(storage: Storage): Promise<StateMachine> {
  const rows: (readonly [string, JsonValue])[] = [];
  for await (const row of storage.objects.loadRows()) rows.push(row);
  return StateMachine.restore(
    { rows, meta: stateMeta(storage.objects.meta) },
    { crypto: nodeCrypto },
  );
}
