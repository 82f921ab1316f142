// Rows, history and metadata: one atomic commit, bounded history, checks at reading.
import { JSON_DEPTH_MAX, createPrng } from "@kingly/base";
import type { JsonValue } from "@kingly/base";
import { expect, test } from "vitest";
import { MemoryDisk, faultyDisk, storePath } from "../src/index.ts";
import type { Commit, HistoryEntry, Storage } from "../src/index.ts";
import { HISTORY_BLOCK_CHARS, STAGED_COMMITS_MAX } from "../src/limits.ts";
import { historyKey, rowKey } from "../src/keys.ts";
import { VOTERS, collect, commitOf, entries, hard, initAt, openAt, rowsOf } from "./helpers.ts";

const DIR = "/data";

async function opened(last: number, more = {}): Promise<{ disk: MemoryDisk; storage: Storage }> {
  const disk = new MemoryDisk();
  await initAt(DIR, disk);
  const storage = await openAt(DIR, disk, more);
  await storage.log.append({ hardState: hard(2, 1, 1), entries: entries(2, last, 2) });
  return { disk, storage };
}

function change(revision: number, key: string): HistoryEntry {
  return { revision, type: "MODIFIED", key, value: { revision } };
}

function metaAt(index: number, revision: number, timeMs = 0): Commit["meta"] {
  return { appliedIndex: index, appliedTerm: 2, revision, timeMs, confState: VOTERS, state: {} };
}

test("a crash keeps commits whole: rows, history and applied index belong together", async () => {
  for (let seed = 0; seed < 60; seed += 1) {
    const prng = createPrng(seed);
    const { disk, storage } = await opened(50);
    const rowsAt = new Map<number, unknown>([[1, {}]]);
    for (let index = 2; index <= 50; index += 1) {
      await storage.objects.commit(commitOf(index, 2));
      if (prng.chance(0.2)) rowsAt.set(index, await rowsOf(storage));
      else rowsAt.set(index, undefined);
    }
    disk.crash({ prng });
    const again = await openAt(DIR, disk);
    const { appliedIndex } = again.objects.meta;
    expect(rowsAt.get(appliedIndex)).toEqual(await rowsOf(again));
    const history = await collect(again.objects.historySince(1));
    expect(history.map((entry) => entry.revision)).toEqual(
      Array.from({ length: appliedIndex - 1 }, (_, at) => at + 2),
    );
    await again.close();
  }
});

test("commits ride along with the next log batch and cost no sync of their own", async () => {
  const disk = new MemoryDisk();
  await initAt(DIR, disk);
  let batches = 0;
  const counted = faultyDisk(disk, (operation) => {
    if (operation.kind === "batch") batches += 1;
    return undefined;
  });
  const storage = await openAt(DIR, counted);
  await storage.log.append({ hardState: hard(2, 1, 1), entries: entries(2, 100, 2) });
  batches = 0;
  for (let index = 2; index <= 60; index += 1) await storage.objects.commit(commitOf(index, 2));
  expect(batches).toBe(0);
  await storage.log.append({ entries: entries(101, 101, 2) });
  expect(batches).toBe(1);
  disk.crash();
  const again = await openAt(DIR, disk);
  expect(again.objects.meta.appliedIndex).toBe(60);
  await again.close();
});

test("a bounded number of commits waits before a batch of their own is written", async () => {
  const { disk, storage } = await opened(STAGED_COMMITS_MAX + 10);
  for (let index = 2; index <= STAGED_COMMITS_MAX + 1; index += 1) {
    await storage.objects.commit(commitOf(index, 2));
  }
  await storage.objects.sync();
  await storage.objects.commit(commitOf(STAGED_COMMITS_MAX + 2, 2));
  disk.crash();
  const again = await openAt(DIR, disk);
  expect(again.objects.meta.appliedIndex).toBe(STAGED_COMMITS_MAX + 1);
  await again.close();
});

test("history is bounded by count and by age, and tells where it begins", async () => {
  const { disk, storage } = await opened(200, { history: { revisionsMax: 20, ageMs: 5_000 } });
  for (let index = 2; index <= 100; index += 1) {
    await storage.objects.commit({
      rows: [],
      history: [change(index, "a"), change(index, "b")],
      meta: metaAt(index, index, 10 * index),
    });
  }
  expect(storage.objects.compactedRevision).toBe(80);
  await expect(collect(storage.objects.historySince(79))).rejects.toMatchObject({
    code: "Expired",
    details: { limit: 80, value: 79 },
  });
  expect(await collect(storage.objects.historySince(80))).toHaveLength(40);
  await storage.objects.commit({
    rows: [],
    history: [change(101, "c")],
    meta: metaAt(101, 101, 5_950),
  });
  expect(storage.objects.compactedRevision).toBe(94);
  await storage.close();
  const again = await openAt(DIR, disk, { history: { revisionsMax: 20, ageMs: 5_000 } });
  expect(again.repairs).toEqual([]);
  expect(again.objects.compactedRevision).toBe(94);
  expect((await collect(again.objects.historySince(94)))[0]).toEqual(change(95, "a"));
  await again.close();
});

test("events of one revision are kept in order and together", async () => {
  const { storage } = await opened(10);
  const history = [change(5, "x"), change(5, "y"), change(5, "z"), change(7, "x")];
  await storage.objects.commit({ rows: [], history, meta: metaAt(3, 7) });
  expect(await collect(storage.objects.historySince(0))).toEqual(history);
  expect(await collect(storage.objects.historySince(5))).toEqual([change(7, "x")]);
  await storage.close();
});

test("a resumed watch may begin in the middle of a commit, and large commits are cut", async () => {
  const { disk, storage } = await opened(10);
  const large = "x".repeat(HISTORY_BLOCK_CHARS / 2);
  const history = Array.from({ length: 7 }, (_, at) => ({
    ...change(3 + at, "big"),
    value: { large },
  }));
  await storage.objects.commit({ rows: [], history, meta: metaAt(3, 9) });
  await storage.objects.commit({ rows: [], history: [change(10, "n")], meta: metaAt(4, 10) });
  await storage.close();
  const again = await openAt(DIR, disk);
  expect(again.repairs).toEqual([]);
  for (let revision = 2; revision <= 10; revision += 1) {
    const found = await collect(again.objects.historySince(revision));
    expect(found).toEqual([...history, change(10, "n")].slice(revision - 2));
  }
  await again.close();
});

test("the history of a value as deep as documents may be is read back", async () => {
  const { disk, storage } = await opened(10);
  const depth = JSON_DEPTH_MAX;
  const value = JSON.parse("[".repeat(depth) + "]".repeat(depth)) as JsonValue;
  const deep = { ...change(3, "deep"), value };
  await storage.objects.commit({ rows: [], history: [deep], meta: metaAt(3, 3) });
  await storage.close();
  const again = await openAt(DIR, disk);
  expect(await collect(again.objects.historySince(2))).toEqual([deep]);
  await again.close();
});

test.each([
  ["first entry lost", 3, "delete", 3],
  ["entry in the middle lost", 6, "delete", 6],
  ["entry in the middle damaged", 6, "damage", 6],
  ["newest entry lost", 10, "delete", 10],
] as const)(
  "history with its %s counts as compacted up to there",
  async (_name, revision, how, to) => {
    const { disk, storage } = await opened(20);
    for (let index = 3; index <= 10; index += 1) await storage.objects.commit(commitOf(index, 2));
    await storage.close();
    const store = await disk.openKeyValue(storePath(DIR), { createIfMissing: false });
    const key = historyKey(1, revision);
    const value = new Uint8Array((await store.get(key)) ?? []);
    value[12] = (value[12] ?? 0) ^ 4;
    await store.batch([{ key, value: how === "delete" ? undefined : value }], { sync: true });
    await store.close();
    for (let life = 0; life < 2; life += 1) {
      const again = await openAt(DIR, disk);
      expect(again.objects.compactedRevision).toBe(to);
      const revisions = (await collect(again.objects.historySince(to))).map(
        (each) => each.revision,
      );
      expect(revisions).toEqual(Array.from({ length: 10 - to }, (_, at) => to + 1 + at));
      await again.close();
    }
  },
);

test("a row that is damaged while the server runs is found when it is read", async () => {
  const { disk, storage } = await opened(20);
  await storage.objects.commit(commitOf(8, 2));
  await storage.objects.sync();
  const state = disk.storeState(storePath(DIR));
  const key = rowKey(1, "~row/8");
  const value = new Uint8Array(state.current.get(Buffer.from(key).toString("latin1")) ?? []);
  expect(value.length).toBeGreaterThan(8);
  value[8] = (value[8] ?? 0) ^ 1;
  state.write([{ key, value }], true);
  await expect(rowsOf(storage)).rejects.toMatchObject({
    code: "Corrupted",
    message: expect.stringContaining("/data/store: row ~row/8"),
  });
  const { chunks } = await storage.exportSnapshot();
  await expect(collect(chunks)).rejects.toMatchObject({ code: "Corrupted" });
  await storage.close();
});

test("a refused row leaves nothing of its commit behind", async () => {
  const { storage } = await opened(20);
  const huge = "x".repeat(5 * 1024 * 1024);
  const rows = [
    { key: "a", value: 1 },
    { key: "b", value: huge },
  ];
  const refused = storage.objects.commit({ rows, history: [], meta: metaAt(3, 3) });
  await expect(refused).rejects.toMatchObject({
    code: "DocumentTooLarge",
    details: { field: "b" },
  });
  expect(storage.objects.rowCount).toBe(0);
  await storage.objects.commit({ rows: [{ key: "a", value: 2 }], history: [], meta: metaAt(3, 3) });
  expect(await rowsOf(storage)).toEqual({ a: 2 });
  await storage.close();
});

test("the log is never compacted past what is applied", async () => {
  const { disk, storage } = await opened(100);
  await storage.objects.commit(commitOf(40, 2));
  await storage.log.compact(90, 0);
  expect(storage.log.firstIndex()).toBe(41);
  disk.crash();
  const again = await openAt(DIR, disk);
  expect(again.objects.meta.appliedIndex).toBe(40);
  expect(again.log.firstIndex()).toBe(41);
  await again.close();
});
