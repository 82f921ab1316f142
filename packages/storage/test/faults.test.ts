// Failing operations, on the real disk and on the simulated one: the store halts with the first
// cause, names file and operation, and never tries again.
import { afterEach, describe, expect, test } from "vitest";
import { MemoryDisk, faultyDisk, nodeDisk } from "../src/index.ts";
import type { Disk, DiskOperation, Fault } from "../src/index.ts";
import { collect, commitOf, entries, hard, initAt, openAt, temporaryDirectory } from "./helpers.ts";

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const done of cleanups.splice(0)) await done();
});

async function place(kind: string): Promise<{ disk: Disk; dir: string }> {
  if (kind === "memory") return { disk: new MemoryDisk(), dir: "/data" };
  const { dir, done } = await temporaryDirectory();
  cleanups.push(done);
  return { disk: nodeDisk(), dir };
}

const noSpace = Object.assign(new Error("ENOSPC: no space left on device, write"), {
  code: "ENOSPC",
});

describe.each(["memory", "level"])("on %s", (kind) => {
  test("any number of openings may break off before their mark is written", async () => {
    const { disk, dir } = await place(kind);
    await initAt(dir, disk);
    const storage = await openAt(dir, disk);
    await storage.log.append({ hardState: hard(2, 1, 1), entries: entries(2, 4, 2) });
    await storage.close();
    const error = new Error("EIO: i/o error");
    const faulty = faultyDisk(disk, (op) => (op.kind === "write" ? { error } : undefined));
    for (let round = 0; round < 6; round += 1) {
      await expect(openAt(dir, faulty)).rejects.toMatchObject({ code: "StorageFailure" });
    }
    const again = await openAt(dir, disk);
    expect(again.log.recovering).toBe(false);
    expect(again.log.lastIndex()).toBe(4);
    expect(again.log.initialState().hardState).toMatchObject({ term: 2, vote: 1 });
    await again.close();
  });

  test.each<[string, DiskOperation["kind"], Fault, RegExp]>([
    [
      "sync of the mark",
      "datasync",
      { error: new Error("EIO: i/o error") },
      /fdatasync of .*\/mark failed: EIO/,
    ],
    [
      "sync of a batch",
      "batch",
      { error: new Error("EIO"), effect: "unsynced" },
      /batch of .*\/store failed: EIO/,
    ],
    [
      "full disk at a batch",
      "batch",
      { error: noSpace },
      /store failed: ENOSPC.*the disk is full: free space/,
    ],
    [
      "full disk at the mark",
      "write",
      { error: noSpace },
      /mark failed: ENOSPC.*the disk is full: free space/,
    ],
  ])("a failed %s halts the store for good", async (_name, operation, fault, message) => {
    const { disk, dir } = await place(kind);
    await initAt(dir, disk);
    let isBroken = false;
    const after: DiskOperation[] = [];
    let failed = false;
    const faulty = faultyDisk(disk, (op) => {
      if (failed) after.push(op);
      if (!isBroken || op.kind !== operation) return undefined;
      // Only the first attempt fails: a second one would succeed, and must not be made.
      isBroken = false;
      failed = true;
      return fault;
    });
    const storage = await openAt(dir, faulty);
    await storage.log.append({ hardState: hard(2, 1, 1), entries: entries(2, 4, 2) });
    isBroken = true;
    const wanted = { code: "StorageFailure", message: expect.stringMatching(message) };
    const first = storage.log.append({ entries: entries(5, 6, 2) });
    const second = storage.log.append({ entries: entries(7, 8, 2) });
    const third = storage.log.append({ hardState: hard(2, 1, 4) });
    await expect(first).rejects.toMatchObject(wanted);
    await expect(second).rejects.toMatchObject(wanted);
    await expect(third).rejects.toMatchObject(wanted);
    expect(storage.failure).toMatchObject(wanted);
    await expect(storage.log.append({ entries: entries(9, 9, 2) })).rejects.toMatchObject(wanted);
    await expect(storage.objects.commit(commitOf(3, 2))).rejects.toMatchObject(wanted);
    await expect(storage.objects.sync()).rejects.toMatchObject(wanted);
    await expect(storage.log.compact(3)).rejects.toMatchObject(wanted);
    await expect(storage.exportSnapshot()).rejects.toMatchObject(wanted);
    await expect(collect(storage.objects.loadRows())).rejects.toMatchObject(wanted);
    await storage.close();
    // One batch may have been under way beside the mark; nothing is begun afterwards.
    const later = after.filter((op) => op.kind === "batch" || op.kind === "datasync");
    expect(later.length).toBeLessThanOrEqual(operation === "write" ? 1 : 0);
    expect(later.filter((op) => op.path.endsWith("/mark"))).toEqual([]);
    const again = await openAt(dir, disk);
    expect(again.log.recovering).toBe(false);
    expect(again.log.lastIndex()).toBeGreaterThanOrEqual(4);
    await again.close();
  });

  test("a second opening is refused and names the directory", async () => {
    const { disk, dir } = await place(kind);
    await initAt(dir, disk);
    const storage = await openAt(dir, disk);
    await expect(openAt(dir, disk)).rejects.toMatchObject({
      code: "StorageFailure",
      message: expect.stringMatching(/\/store is already open.*stop the other process/),
    });
    await storage.close();
    await (await openAt(dir, disk)).close();
  });

  test("everything after close is refused, and closing twice is fine", async () => {
    const { disk, dir } = await place(kind);
    await initAt(dir, disk);
    const storage = await openAt(dir, disk);
    await storage.log.append({ hardState: hard(2, 1, 1), entries: entries(2, 4, 2) });
    await storage.objects.commit(commitOf(3, 2));
    await Promise.all([storage.close(), storage.close()]);
    await expect(storage.log.append({})).rejects.toMatchObject({ code: "Unavailable" });
    const again = await openAt(dir, disk);
    expect(again.objects.meta.appliedIndex).toBe(3);
    await again.close();
  });
});

test("a failed batch of snapshot rows halts the store and keeps the old state", async () => {
  const disk = new MemoryDisk();
  await initAt("/a", disk);
  await initAt("/b", disk);
  const source = await openAt("/a", disk);
  await source.log.append({ hardState: hard(2, 1, 1), entries: entries(2, 9, 2) });
  await source.objects.commit(commitOf(9, 2));
  const { chunks } = await source.exportSnapshot();
  let isFull = false;
  const target = await openAt(
    "/b",
    faultyDisk(disk, (op) => (isFull && op.kind === "batch" ? { error: noSpace } : undefined)),
  );
  isFull = true;
  await expect(target.importSnapshot(chunks)).rejects.toMatchObject({ code: "StorageFailure" });
  await target.close();
  const again = await openAt("/b", disk);
  expect(again.objects.meta.appliedIndex).toBe(1);
  expect(again.objects.rowCount).toBe(0);
  await again.close();
  await source.close();
});
