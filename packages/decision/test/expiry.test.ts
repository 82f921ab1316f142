// What is kept for a while: first results of idempotency keys, and Events.

import { describe, expect, it } from "vitest";
import { forget, recall, remember, ResultQueue, resultRow } from "../src/core/idempotency.ts";
import { IDEMPOTENCY_PREFIX } from "../src/core/keys.ts";
import { replyOf } from "../src/core/reply.ts";
import { RowTable } from "../src/core/table.ts";
import { Transaction } from "../src/core/transaction.ts";
import type { Command, StateMeta } from "../src/index.ts";
import { testCrypto } from "./support/crypto.ts";
import { Fleet, NS, nodes } from "./support/fleet.ts";
import { refused } from "./support/refused.ts";

const META: StateMeta = {
  appliedIndex: 0,
  appliedTerm: 1,
  timeMs: 0,
  revision: 0,
  clusterId: "test",
  featureLevel: 1,
};

const KEEP_MS = 86_400_000;

/** One replica's share in first results: its rows and the queue beside them. */
class Replica {
  readonly table = new RowTable();
  queue = new ResultQueue();

  /** A replica that continues from the rows of another. */
  static restored(from: Replica): Replica {
    const replica = new Replica();
    for (const [key, value] of from.table.list("")) replica.table.set(key, value);
    replica.queue = ResultQueue.of(replica.table);
    return replica;
  }

  rows(): string[] {
    return this.table.keys(IDEMPOTENCY_PREFIX);
  }

  /** Applies a command as the machine does; one that fails does so after everything, at the end. */
  apply(index: number, timeMs: number, key: string, fails = false): void {
    const command: Command = {
      type: "propose",
      body: new Uint8Array(),
      actor: { name: "alice", method: "token", server: "s1" },
      timeMs,
      readSet: [],
      requestId: "r",
      idempotencyKey: key,
    };
    const meta = { ...META, appliedIndex: index, timeMs };
    const entry = { index, term: 1, data: new Uint8Array(), chainHash: new Uint8Array(32) };
    const tx = new Transaction({ table: this.table, meta, entry, command, crypto: testCrypto });
    const row = resultRow(command) ?? "";
    expect(recall(tx, row)).toBeUndefined();
    remember(tx, row, replyOf({}));
    forget(tx, this, 1);
    if (fails) return;
    tx.commit();
    this.queue.push(row, index);
  }
}

describe("first results expire alike on every replica", () => {
  it("also when a command fails that would have replaced or removed some of them", () => {
    for (const failing of ["first", "second", "new"]) {
      const old = new Replica();
      for (const [at, key] of ["first", "second", "third"].entries()) old.apply(at + 1, at, key);
      old.apply(4, KEEP_MS, "before");
      // One replica is restored where the other has just dropped a transaction.
      old.apply(5, KEEP_MS + 2, failing, true);
      const restored = Replica.restored(old);
      expect(restored.rows()).toEqual(old.rows());
      for (let index = 6; index < 9; index += 1) {
        for (const replica of [old, restored]) {
          replica.apply(index, KEEP_MS + index, `after-${index}`);
        }
        expect(old.rows()).toEqual(restored.rows());
      }
      expect(old.rows()).toHaveLength(4);
    }
  });
});

describe("idempotency", () => {
  it("gives the first result for the same key and principal, and refuses another request", () => {
    const fleet = Fleet.settled({ nodes: nodes(2) });
    const first = fleet.propose({ batch: 9 }, "once", { idempotencyKey: "k" });
    expect(first.outcome.ok).toBe(true);
    const before = fleet.machine.stateHash();
    const second = fleet.propose({ batch: 9 }, "once", { idempotencyKey: "k" });
    expect(second.outcome).toEqual(first.outcome);
    expect(second.changes).toEqual([]);
    expect(fleet.machine.stateHash()).toBe(before);
    refused(fleet, "Conflict", () => fleet.propose({ batch: 10 }, "two", { idempotencyKey: "k" }));
    const other = { idempotencyKey: "k", actor: "bob" };
    expect(fleet.propose({ batch: 11 }, "bobs", other).outcome.ok).toBe(true);
  });

  it("forgets after a day, a few per entry", () => {
    const fleet = Fleet.settled({ nodes: nodes(2) });
    for (let i = 0; i < 40; i += 1) {
      const spec = { signal: `s${i}`, direction: "lower", role: "guardrail" };
      const body = {
        op: "create",
        kind: "Objective",
        namespace: NS,
        name: `o${i}`,
        object: { spec },
      };
      expect(fleet.submit("write", body, { idempotencyKey: `k${i}` }).outcome.ok).toBe(true);
    }
    const count = (prefix: string): number => [...fleet.machine.list(prefix)].length;
    expect(count("~idem/")).toBe(40);
    fleet.nowMs += 86_400_000;
    for (let i = 0; i < 3; i += 1) {
      fleet.create("Objective", `later-${i}`, {
        signal: "x",
        direction: "lower",
        role: "guardrail",
      });
    }
    expect(count("~idem/")).toBe(0);
  });

  it("forgets Events after an hour", () => {
    const fleet = Fleet.settled({ nodes: nodes(2) });
    expect(fleet.machine.objects("Event").length).toBeGreaterThan(0);
    fleet.nowMs += 3_600_000;
    for (let i = 0; i < 10; i += 1) {
      fleet.create("Objective", `later-${i}`, {
        signal: "x",
        direction: "lower",
        role: "guardrail",
      });
    }
    expect(fleet.machine.objects("Event")).toEqual([]);
  });
});
