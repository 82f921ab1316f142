// Snapshots: the stream, its damage, and installation with a crash at every point.
import { toHex } from "@kingly/base";
import { expect, test } from "vitest";
import { MemoryDisk, SNAPSHOT_CHUNK_BYTES, faultyDisk, initDirectory } from "../src/index.ts";
import type { SnapshotChunk, Storage } from "../src/index.ts";
import {
  IDENTITY,
  collect,
  commitOf,
  entries,
  entry,
  hard,
  initAt,
  openAt,
  rowsOf,
} from "./helpers.ts";

async function source(disk: MemoryDisk, rows = 30): Promise<Storage> {
  await initAt("/a", disk);
  const storage = await openAt("/a", disk);
  await storage.log.append({ hardState: hard(3, 1, 1), entries: entries(2, 50, 3) });
  for (let index = 2; index <= 40; index += 1) await storage.objects.commit(commitOf(index, 3));
  const big = Array.from({ length: rows }, (_, at) => ({
    key: `big/${at}`,
    value: "y".repeat(100_000),
  }));
  await storage.objects.commit({ ...commitOf(40, 3), rows: big, history: [] });
  return storage;
}

async function chunksOf(storage: Storage): Promise<SnapshotChunk[]> {
  return collect((await storage.exportSnapshot()).chunks);
}

test("the stream comes in bounded chunks and is the same twice", async () => {
  const storage = await source(new MemoryDisk());
  const chunks = await chunksOf(storage);
  expect(chunks.length).toBe(3);
  let offset = 0;
  for (const chunk of chunks) {
    expect(chunk.bytes.length).toBeLessThanOrEqual(SNAPSHOT_CHUNK_BYTES);
    expect(chunk.offset).toBe(offset);
    offset += chunk.bytes.length;
    expect(chunk.last).toBe(chunk === chunks.at(-1));
  }
  const digests = (list: SnapshotChunk[]): string[] => list.map((chunk) => toHex(chunk.digest));
  expect(digests(await chunksOf(storage))).toEqual(digests(chunks));
  await storage.close();
});

test("the view is the one of the call, whatever is committed meanwhile", async () => {
  const storage = await source(new MemoryDisk());
  const before = await rowsOf(storage);
  const snapshot = await storage.exportSnapshot();
  await storage.objects.commit(commitOf(45, 3));
  await storage.objects.sync();
  const disk = new MemoryDisk();
  await initAt("/b", disk);
  const target = await openAt("/b", disk);
  expect((await target.importSnapshot(snapshot.chunks)).appliedIndex).toBe(40);
  expect(snapshot.meta.appliedIndex).toBe(40);
  const metadata = { ...storage.log.snapshot().metadata, index: entry(40, 3).index };
  await target.log.append({
    hardState: hard(3, 0, 40),
    snapshot: { data: new Uint8Array(), metadata },
  });
  expect(await rowsOf(target)).toEqual(before);
  await storage.close();
  await target.close();
});

test("a damaged, cut, reordered or foreign stream is refused and changes nothing", async () => {
  const disk = new MemoryDisk();
  const storage = await source(disk, 12);
  const chunks = await chunksOf(storage);
  await initAt("/b", disk);
  const target = await openAt("/b", disk);
  const whole = Buffer.concat(chunks.map((chunk) => chunk.bytes));
  const asOne = (bytes: Uint8Array, last = true): SnapshotChunk[] => [
    { offset: 0, bytes, digest: new Uint8Array(), last },
  ];
  const flipped = (at: number): Uint8Array => {
    const copy = new Uint8Array(whole);
    copy[at] = (copy[at] ?? 0) ^ 16;
    return copy;
  };
  const broken: [string, SnapshotChunk[]][] = [
    ["no chunk", []],
    ["without its first chunk", chunks.slice(1)],
    ["without its last chunk", chunks.slice(0, -1)],
    ["in another order", [...chunks].reverse()],
    [
      "with a bad chunk hash",
      chunks.map((c, at) => (at === 1 ? { ...c, digest: new Uint8Array(32) } : c)),
    ],
    ["cut by a byte", asOne(whole.subarray(0, -1))],
    ["with a byte too much", asOne(Buffer.concat([whole, Buffer.from([0])]))],
  ];
  for (const at of [0, 5, 9, 200, 5_000, whole.length - 60, whole.length - 40, whole.length - 1]) {
    broken.push([`with byte ${at} changed`, asOne(flipped(at))]);
  }
  for (const [name, stream] of broken) {
    await expect(target.importSnapshot(stream), name).rejects.toMatchObject({
      code: expect.stringMatching(/^(Corrupted|MalformedJson|IdentityMismatch)$/),
    });
    const snapshot = storage.log.snapshot();
    await expect(target.log.append({ snapshot }), name).rejects.toMatchObject({ code: "NotFound" });
  }
  expect(target.objects.rowCount).toBe(0);
  expect((await target.importSnapshot(asOne(whole))).appliedIndex).toBe(40);
  await target.close();
  await initDirectory({ ...IDENTITY, clusterId: "cluster-b", dir: "/c", disk });
  const foreign = await openAt("/c", disk, { expect: { ...IDENTITY, clusterId: "cluster-b" } });
  await expect(foreign.importSnapshot(chunks)).rejects.toMatchObject({ code: "IdentityMismatch" });
  await foreign.close();
  await storage.close();
});

test("a crash at any point of an installation leaves the old or the new state", async () => {
  const chunks = await chunksOf(await source(new MemoryDisk(), 12));
  const fresh = await source(new MemoryDisk(), 12);
  const snapshot = fresh.log.snapshot();
  const newRows = await rowsOf(fresh);
  const run = async (
    stop: number,
    effect: "none" | "all",
  ): Promise<{ disk: MemoryDisk; writes: number }> => {
    const disk = new MemoryDisk();
    await initAt("/b", disk);
    let writes = 0;
    let counting = false;
    const error = new Error("power loss");
    const target = await openAt(
      "/b",
      faultyDisk(disk, (operation) => {
        if (!counting || !["batch", "write", "datasync"].includes(operation.kind)) return undefined;
        writes += 1;
        if (writes < stop) return undefined;
        return writes === stop && effect === "all" ? { error, effect } : { error };
      }),
    );
    await target.log.append({ hardState: hard(2, 2, 1), entries: entries(2, 60, 2) });
    await target.objects.commit(commitOf(20, 2));
    await target.objects.sync();
    counting = true;
    try {
      await target.importSnapshot(chunks);
      await target.log.append({ hardState: hard(3, 0, 40), snapshot, entries: [entry(41, 3)] });
      await target.cleaned();
      await target.close();
    } catch {
      await target.cleaned();
    }
    disk.crash();
    return { disk, writes };
  };
  const total = (await run(Infinity, "none")).writes;
  expect(total).toBeGreaterThan(4);
  const outcomes = new Set<string>();
  for (let stop = 1; stop <= total; stop += 1) {
    for (const effect of ["none", "all"] as const) {
      const { disk } = await run(stop, effect);
      const again = await openAt("/b", disk);
      expect(again.log.recovering).toBe(false);
      const rows = await rowsOf(again);
      if (again.objects.meta.appliedIndex === 20) {
        outcomes.add("old");
        expect(Object.keys(rows)).toEqual(["configs/ns/c6", "~row/20"]);
        expect([again.log.firstIndex(), again.log.lastIndex()]).toEqual([2, 60]);
      } else {
        outcomes.add("new");
        expect(rows).toEqual(newRows);
        expect([again.log.firstIndex(), again.log.lastIndex()]).toEqual([41, 41]);
        expect(again.log.initialState().hardState).toMatchObject({ term: 3 });
      }
      await again.close();
    }
  }
  expect([...outcomes].sort()).toEqual(["new", "old"]);
});

test("rows at hand can be staged and installed, as a restore does", async () => {
  const disk = new MemoryDisk();
  await initAt("/b", disk);
  const storage = await openAt("/b", disk);
  const { meta } = commitOf(99, 4);
  await storage.stageSnapshot(
    [
      ["a", 1],
      ["b", { c: 2 }],
    ],
    meta,
    new Uint8Array(32).fill(7),
  );
  const metadata = {
    index: entry(99, 4).index,
    term: entry(99, 4).term,
    confState: meta.confState,
  };
  await storage.log.append({
    hardState: hard(4, 0, 99),
    snapshot: { data: new Uint8Array(), metadata },
  });
  expect(await rowsOf(storage)).toEqual({ a: 1, b: { c: 2 } });
  expect(storage.log.firstIndex()).toBe(100);
  expect(storage.objects.compactedRevision).toBe(99);
  await storage.close();
  const again = await openAt("/b", disk);
  expect(again.repairs).toEqual([]);
  expect(await rowsOf(again)).toEqual({ a: 1, b: { c: 2 } });
  await again.close();
});
