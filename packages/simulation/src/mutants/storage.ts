// Mutants of durability: syncs, marks, recovery, damage.

import { change, changes } from "./mutant.ts";
import type { Mutant } from "./mutant.ts";

const RECOVERY = "@kingly/storage/log-recovery.js";
const WRITER = "@kingly/storage/group-writer.js";

/** See the file comment. */
export const STORAGE_MUTANTS: readonly Mutant[] = [
  {
    name: "ack-before-durable",
    breaks: "answers leave before the write that they wait for is durable",
    seedsMax: 20,
    modules: change(
      "@kingly/simulation/cluster/process.js",
      "const write = recorder.handed(id, message);",
      "const write = recorder.handed(id, message); const early = message.responses; message = { ...message, responses: [] }; this.#ports.host.after(0, () => this.#deliver(parts, early));",
    ),
  },
  {
    name: "batch-not-synced",
    breaks: "log batches are written without a sync",
    seedsMax: 40,
    modules: change(
      WRITER,
      "if (operations.length > 0)\n            await this.#ports.store.batch(operations, { sync: true });",
      "if (operations.length > 0)\n            await this.#ports.store.batch(operations, { sync: false });",
    ),
  },
  {
    name: "mark-not-synced",
    breaks: "the disk acknowledges syncs of the mark that it does not perform",
    seedsMax: 40,
    modules: change(
      "@kingly/simulation/cluster/disk.js",
      "this.#disk.perform(() => this.#state.sync(count));",
      "this.#disk.perform(() => undefined);",
    ),
  },
  {
    name: "mark-ignored",
    breaks: "at a restart nobody compares the log with its mark",
    seedsMax: 100,
    modules: change(
      RECOVERY,
      "const wanted = mark.tail;",
      "return undefined; const wanted = mark.tail;",
    ),
  },
  {
    name: "mark-before-batch",
    breaks: "an append is acknowledged by its mark before its log batch is durable",
    seedsMax: 100,
    modules: change(
      WRITER,
      "if (operations.length > 0)\n            await this.#ports.store.batch(operations, { sync: true });",
      "if (mark !== undefined) this.#finishBatch(group, mark); if (operations.length > 0)\n            await this.#ports.store.batch(operations, { sync: true }); if (mark !== undefined) { for (const { work } of group) work.written?.(); return; }",
    ),
  },
  {
    name: "mark-not-lowered",
    breaks: "the log is cut while the mark still names what is cut off",
    seedsMax: 200,
    modules: change(
      WRITER,
      "if (cutTo !== undefined)\n            await this.#lowerMark(cutTo);",
      "",
    ),
  },
  {
    name: "recovering-campaigns",
    breaks: "a server that lost acknowledged entries stands for election",
    seedsMax: 1000,
    modules: change("raft-ts/raft.js", "this.recoveryMark === undefined);", "true);"),
  },
  {
    name: "recovering-votes-by-log",
    breaks: "a server that lost acknowledged entries judges candidates by what is left",
    seedsMax: 1000,
    modules: change("raft-ts/raft.js", "if (behind)", "if (false)"),
  },
  {
    name: "disk-error-ignored",
    breaks: "a failed write counts as done and the server goes on",
    seedsMax: 100,
    modules: changes(
      change(
        WRITER,
        "if (operations.length > 0)\n            await this.#ports.store.batch(operations, { sync: true });",
        "if (operations.length > 0)\n            await this.#ports.store.batch(operations, { sync: true }).catch(() => {});",
      ),
    ),
  },
  {
    name: "checksums-ignored",
    breaks: "entries and rows are read back without a check of their sums",
    seedsMax: 600,
    modules: changes(
      change("@kingly/storage/codec.js", "return stored === print ?", "return true ?"),
      change("@kingly/storage/codec.js", "!== crc32(record.subarray(CHAIN_AT))", "=== -1"),
      change(RECOVERY, "if (!followsChain(record, decoded.chain, tail.chain))", "if (false)"),
      change(
        "@kingly/storage/object-store.js",
        "if (rows.count !== meta.rowCount || rows.sum !== meta.rowSum)",
        "if (false)",
      ),
    ),
  },
  {
    name: "rows-without-index",
    breaks: "the applied index is stored without the rows that belong to it",
    seedsMax: 60,
    modules: changes(
      change("@kingly/storage/object-store.js", "this.#stage(row.operation);", ""),
      change(
        "@kingly/storage/object-store.js",
        "if (rows.count !== meta.rowCount || rows.sum !== meta.rowSum)",
        "if (false)",
      ),
    ),
  },
];
