// What every Disk must do, as a suite made by a factory: run for the real disk with level and for the
// simulated one, bare and through the fault layer.
import { createPrng, toHex } from "@kingly/base";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Disk, KeyValueStore } from "../src/index.ts";
import type { LogIndex } from "../src/raft.ts";
import {
  collect,
  commitOf,
  entries,
  entry,
  hard,
  initAt,
  logOf,
  openAt,
  rowsOf,
} from "./helpers.ts";
import { Ledger } from "./model.ts";

export interface DiskUnderTest {
  readonly disk: Disk;
  readonly root: string;
  readonly done: () => Promise<void>;
}

const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);
const ALL = { gte: bytes(), lt: bytes(255, 255) };

async function content(store: KeyValueStore, range = ALL): Promise<[number[], number[]][]> {
  const rows = await collect(store.iterate(range));
  return rows.map(([key, value]) => [[...key], [...value]]);
}

export function diskConformance(name: string, make: () => Promise<DiskUnderTest>): void {
  describe(`${name}: a disk`, () => {
    let under: DiskUnderTest;
    beforeEach(async () => {
      under = await make();
    });
    afterEach(() => under.done());

    test("keeps durable files, lists and removes them", async () => {
      const { disk, root } = under;
      const dir = `${root}/a/b`;
      expect(await disk.list(dir)).toBeUndefined();
      await disk.makeDirectory(dir);
      expect(await disk.list(dir)).toEqual([]);
      expect(await disk.readFile(`${dir}/x`)).toBeUndefined();
      await disk.writeFileDurably(`${dir}/x`, bytes(1, 2, 3));
      await disk.writeFileDurably(`${dir}/x`, bytes(4, 5));
      expect([...((await disk.readFile(`${dir}/x`)) ?? [])]).toEqual([4, 5]);
      expect(await disk.list(dir)).toEqual(["x"]);
      await disk.remove(`${dir}/x`);
      await disk.remove(`${dir}/x`);
      expect(await disk.list(dir)).toEqual([]);
    });

    test("writes in place into an open file", async () => {
      const { disk, root } = under;
      await disk.makeDirectory(root);
      const path = `${root}/slots`;
      await expect(disk.openFile(path)).rejects.toMatchObject({ code: "ENOENT" });
      await disk.writeFileDurably(path, new Uint8Array(10));
      const file = await disk.openFile(path);
      await file.write(bytes(7, 8), 4);
      await file.datasync();
      expect([...(await file.read(6))]).toEqual([0, 0, 0, 0, 7, 8]);
      expect((await file.read(100)).length).toBe(10);
      await file.close();
    });

    test("never creates a store that was expected, and opens each store only once", async () => {
      const { disk, root } = under;
      await disk.makeDirectory(root);
      const path = `${root}/kv`;
      await expect(disk.openKeyValue(path, { createIfMissing: false })).rejects.toThrow(/exist/);
      const store = await disk.openKeyValue(path, { createIfMissing: true });
      const second = disk.openKeyValue(path, { createIfMissing: true });
      await expect(second).rejects.toMatchObject({ code: "LEVEL_LOCKED" });
      await store.close();
      await (await disk.openKeyValue(path, { createIfMissing: false })).close();
    });

    test("has a store with atomic batches, byte order and views of one moment", async () => {
      const { disk, root } = under;
      await disk.makeDirectory(root);
      const store = await disk.openKeyValue(`${root}/kv`, { createIfMissing: true });
      await store.batch(
        [
          { key: bytes(2), value: bytes(20) },
          { key: bytes(1, 0), value: bytes(10) },
          { key: bytes(1), value: bytes(1) },
          { key: bytes(200), value: bytes(99) },
          { key: bytes(2), value: bytes(21) },
        ],
        { sync: true },
      );
      const before = store.iterate(ALL);
      await store.batch([{ key: bytes(1), value: undefined }], { sync: false });
      expect((await collect(before)).map(([key]) => [...key])).toEqual([[1], [1, 0], [2], [200]]);
      expect(await content(store, { gte: bytes(1), lt: bytes(2) })).toEqual([[[1, 0], [10]]]);
      expect([...(store.getSync(bytes(2)) ?? [])]).toEqual([21]);
      expect(await store.get(bytes(1))).toBeUndefined();
      await store.close();
      const again = await disk.openKeyValue(`${root}/kv`, { createIfMissing: false });
      expect(await content(again)).toEqual([
        [[1, 0], [10]],
        [[2], [21]],
        [[200], [99]],
      ]);
      await again.close();
    });

    test("carries a storage through random work and reopenings like the model", async () => {
      const dir = `${under.root}/data`;
      await initAt(dir, under.disk);
      const prng = createPrng(`conformance`);
      const ledger = new Ledger();
      for (let life = 0; life < 6; life += 1) {
        const window = { bytesMax: 300, entriesMax: 5 };
        const storage = await openAt(dir, under.disk, { window });
        expect(storage.repairs).toEqual([]);
        expect(await ledger.check(storage)).toBe(ledger.states.length - 1);
        for (let step = 0; step < 30; step += 1) await ledger.step(storage, prng);
        await ledger.settle();
        expect(ledger.failure).toBeUndefined();
        await storage.close();
        ledger.syncedApplied = ledger.model.applied;
      }
    });

    test("compacts the log and still answers for the position before it", async () => {
      const dir = `${under.root}/data`;
      await initAt(dir, under.disk);
      let storage = await openAt(dir, under.disk);
      await storage.log.append({ hardState: hard(3, 1, 1), entries: entries(2, 5_000, 3) });
      await storage.objects.commit(commitOf(4_000, 3));
      const chain = storage.log.chainHash(3_900);
      await storage.log.compact(5_000, 100);
      expect(storage.log.firstIndex()).toBe(3_901);
      await storage.log.compact(4_000);
      expect(storage.log.firstIndex()).toBe(3_901);
      expect(() => storage.log.term(3_899 as LogIndex)).toThrow(/compaction/);
      expect(() => storage.log.term(5_001 as LogIndex)).toThrow(/unavailable/);
      expect(() => storage.log.entries(3_900 as LogIndex, 3_902 as LogIndex, 1)).toThrow(
        /compaction/,
      );
      await storage.close();
      storage = await openAt(dir, under.disk);
      expect(storage.repairs).toEqual([]);
      expect(storage.log.term(3_900 as LogIndex)).toBe(3);
      expect(toHex(storage.log.chainHash(3_900))).toBe(toHex(chain));
      expect(storage.log.entries(4_000 as LogIndex, 4_100 as LogIndex, 100).length).toBeGreaterThan(
        1,
      );
      expect(storage.log.entries(4_000 as LogIndex, 4_100 as LogIndex, 0)).toHaveLength(1);
      await storage.close();
    });

    test("moves a whole state by snapshot and leaves nothing of the old one", async () => {
      const [a, b] = [`${under.root}/a`, `${under.root}/b`];
      await initAt(a, under.disk);
      await initAt(b, under.disk);
      const source = await openAt(a, under.disk);
      const target = await openAt(b, under.disk);
      await source.log.append({ hardState: hard(2, 1, 1), entries: entries(2, 40, 2) });
      for (let i = 2; i <= 40; i += 1) await source.objects.commit(commitOf(i, 2));
      await target.log.append({ hardState: hard(1, 1, 1), entries: entries(2, 60, 1) });
      for (let i = 2; i <= 9; i += 1) await target.objects.commit(commitOf(i, 1));
      const { chunks } = await source.exportSnapshot();
      await target.importSnapshot(chunks);
      const snapshot = source.log.snapshot();
      await target.log.append({ hardState: hard(2, 0, 40), snapshot, entries: [entry(41, 2)] });
      await target.cleaned();
      expect(await rowsOf(target)).toEqual(await rowsOf(source));
      expect(toHex(target.log.chainHash(40))).toBe(toHex(source.log.chainHash(40)));
      await expect(collect(target.objects.historySince(39))).rejects.toMatchObject({
        code: "Expired",
      });
      const before = logOf(target);
      await target.close();
      const again = await openAt(b, under.disk);
      expect(again.repairs).toEqual([]);
      expect(again.log.recovering).toBe(false);
      expect(logOf(again)).toEqual(before);
      expect(await rowsOf(again)).toEqual(await rowsOf(source));
      await again.close();
      await source.close();
    });
  });
}
