// Group commit and the order of durability: log batch, mark, acknowledgement.
import { expect, test } from "vitest";
import { MemoryDisk, faultyDisk } from "../src/index.ts";
import type { DiskOperation, FaultPlan, Storage } from "../src/index.ts";
import { MARK_LAG_MAX } from "../src/limits.ts";
import type { LogIndex } from "../src/raft.ts";
import { entries, entry, hard, initAt, openAt } from "./helpers.ts";

const DIR = "/data";

/** A disk whose operations wait until they are let go, one by one. */
function gated(): {
  plan: FaultPlan;
  waiting: { operation: DiskOperation; go: () => void }[];
  hold: () => void;
} {
  const waiting: { operation: DiskOperation; go: () => void }[] = [];
  let isHolding = false;
  return {
    waiting,
    hold: () => {
      isHolding = true;
    },
    plan: (operation) => {
      if (!isHolding || operation.kind === "write") return undefined;
      return new Promise((resolve) => waiting.push({ operation, go: () => resolve(undefined) }));
    },
  };
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
}

async function opened(plan: FaultPlan): Promise<{ disk: MemoryDisk; storage: Storage }> {
  const disk = new MemoryDisk();
  await initAt(DIR, disk);
  return { disk, storage: await openAt(DIR, faultyDisk(disk, plan)) };
}

test("appends that arrive while the disk is busy become one batch and one mark", async () => {
  const kinds: string[] = [];
  const { storage } = await opened((operation) => {
    kinds.push(operation.kind);
    return undefined;
  });
  kinds.length = 0;
  const all: Promise<void>[] = [];
  for (let index = 2; index <= 65; index += 1) {
    all.push(storage.log.append({ hardState: hard(1, 0, index - 1), entries: [entry(index, 1)] }));
  }
  await Promise.all(all);
  expect(kinds.filter((kind) => kind === "batch")).toHaveLength(2);
  expect(kinds.filter((kind) => kind === "datasync")).toHaveLength(2);
  await storage.close();
});

test("an append resolves only after its batch and then its mark are durable", async () => {
  const gate = gated();
  const { storage } = await opened(gate.plan);
  gate.hold();
  const done: number[] = [];
  const one = storage.log.append({ entries: entries(2, 3, 1) }).then(() => done.push(1));
  const two = storage.log.append({ entries: entries(4, 5, 1) }).then(() => done.push(2));
  await turns();
  expect(gate.waiting.map((each) => each.operation.kind)).toEqual(["batch"]);
  gate.waiting.shift()?.go();
  await turns();
  // The mark of the first and the batch of the second are under way together.
  expect(gate.waiting.map((each) => each.operation.kind).sort()).toEqual(["batch", "datasync"]);
  expect(done).toEqual([]);
  // The second batch finishes first; its mark still has to wait for the first one's.
  gate.waiting
    .splice(
      gate.waiting.findIndex((each) => each.operation.kind === "batch"),
      1,
    )[0]
    ?.go();
  await turns();
  expect(done).toEqual([]);
  expect(gate.waiting.map((each) => each.operation.kind)).toEqual(["datasync"]);
  gate.waiting.shift()?.go();
  await turns();
  expect(done).toEqual([1]);
  expect(storage.log.durable.index).toBe(3);
  gate.waiting.shift()?.go();
  await Promise.all([one, two]);
  expect(done).toEqual([1, 2]);
  expect(storage.log.durable.index).toBe(5);
});

test("no more than two batches are ever ahead of the durable mark", async () => {
  const gate = gated();
  const { storage } = await opened(gate.plan);
  gate.hold();
  const all: Promise<void>[] = [];
  let batches = 0;
  for (let index = 2; index <= 9; index += 1) {
    all.push(storage.log.append({ entries: [entry(index, 1)] }));
    await turns();
    // Let batches through and hold every mark.
    const at = gate.waiting.findIndex((each) => each.operation.kind === "batch");
    if (at >= 0) {
      batches += 1;
      gate.waiting.splice(at, 1)[0]?.go();
    }
    await turns();
  }
  expect(batches).toBe(MARK_LAG_MAX);
  expect(gate.waiting.map((each) => each.operation.kind)).toEqual(["datasync"]);
  for (; gate.waiting.length > 0; await turns()) gate.waiting.shift()?.go();
  await Promise.all(all);
});

test("an update of the commit index alone is not written but keeps its place", async () => {
  const kinds: string[] = [];
  const { disk, storage } = await opened((operation) => {
    kinds.push(operation.kind);
    return undefined;
  });
  await storage.log.append({ hardState: hard(1, 0, 1), entries: entries(2, 9, 1) });
  kinds.length = 0;
  await storage.log.append({ hardState: hard(1, 0, 9) });
  expect(kinds).toEqual([]);
  const order: string[] = [];
  const first = storage.log.append({ entries: [entry(10, 1)] }).then(() => order.push("entries"));
  const second = storage.log.append({ hardState: hard(1, 0, 10) }).then(() => order.push("commit"));
  await Promise.all([first, second]);
  expect(order).toEqual(["entries", "commit"]);
  expect(storage.log.initialState().hardState.commit).toBe(10);
  disk.crash();
  const again = await openAt(DIR, disk);
  expect(again.log.initialState().hardState.commit).toBeGreaterThanOrEqual(9);
  await again.close();
});

test("a vote is durable before its append resolves", async () => {
  const { disk, storage } = await opened(() => undefined);
  await storage.log.append({ hardState: hard(5, 2, 1) });
  disk.crash();
  const again = await openAt(DIR, disk);
  expect(again.log.initialState().hardState).toMatchObject({ term: 5, vote: 2 });
  await again.close();
});

test("a contract that the caller breaks stops it: terms, votes and gaps", async () => {
  const { storage } = await opened(() => undefined);
  await storage.log.append({ hardState: hard(5, 2, 1), entries: entries(2, 5, 5) });
  await expect(storage.log.append({ hardState: hard(4, 0, 1) })).rejects.toThrow(/term goes back/);
  await expect(storage.log.append({ hardState: hard(5, 3, 1) })).rejects.toThrow(/vote in term 5/);
  await expect(storage.log.append({ entries: [entry(7, 5)] })).rejects.toThrow(/a gap/);
  await storage.close();
});

test("entries that left memory are read back from the store and verified", async () => {
  const disk = new MemoryDisk();
  await initAt(DIR, disk);
  const storage = await openAt(DIR, disk, { window: { bytesMax: 1_000_000, entriesMax: 10 } });
  await storage.log.append({ hardState: hard(1, 0, 1), entries: entries(2, 100, 1) });
  await storage.log.append({ entries: entries(101, 110, 1) });
  const [read] = storage.log.entries(5 as LogIndex, 6 as LogIndex, 0);
  expect(new TextDecoder().decode(read?.data)).toBe("e5t1");
  expect(storage.log.heldBytes).toBeLessThan(100);
  const { logKey } = await import("../src/keys.ts");
  const state = disk.storeState(`${DIR}/store`);
  const value = new Uint8Array(state.current.get(Buffer.from(logKey(7)).toString("latin1")) ?? []);
  value[56] = (value[56] ?? 0) ^ 1;
  state.write([{ key: logKey(7), value }], true);
  expect(() => storage.log.entries(7 as LogIndex, 8 as LogIndex, 0)).toThrow(
    /log entry 7: fails its checksum/,
  );
  await storage.close();
});
