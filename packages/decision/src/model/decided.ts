// What the fleet decided, in a Config's object: which version, and whether the intent agrees with it.

import { changedTopLevelKeys } from "@kingly/base";
import type { JsonObject } from "@kingly/base";
import type { Config } from "@kingly/resources";
import type { Transaction } from "../core/transaction.ts";
import { contentOf } from "./content.ts";
import { setSynced } from "./queue.ts";

/** Points the Config at a decided version; its intent follows when `data` is given. */
export function moveConfig(
  tx: Transaction,
  config: Config,
  to: { readonly version: number; readonly contentHash: string; readonly data?: JsonObject },
): Config {
  const { name, namespace = "" } = config.metadata;
  const current = tx.object("Config", namespace, name) ?? config;
  const status = current.status ?? {
    version: 0,
    contentHash: "",
    conditions: [],
    observedGeneration: 0,
  };
  const data = to.data ?? current.spec.data;
  const moves = changedTopLevelKeys(current.spec.data, data).length > 0;
  const generation = current.metadata.generation + (moves ? 1 : 0);
  const moved = tx.put({
    ...current,
    metadata: { ...current.metadata, generation },
    spec: { ...current.spec, data },
    status: { ...status, version: to.version, contentHash: to.contentHash },
  });
  const inSync = changedTopLevelKeys(contentOf(tx, to.contentHash), moved.spec.data).length === 0;
  const message = inSync
    ? `version ${to.version} is the fleet's decision`
    : `the intent differs from version ${to.version}`;
  const reason = inSync ? "Committed" : "IntentDiffers";
  return setSynced(tx, moved, inSync ? "True" : "False", { reason, message });
}
