// Damage on the simulated disk: batches lost from the end or the middle of the store's log, flipped
// bits in values, in the mark and in the identity. The storage may refuse, or say that it is
// recovering, or be exactly right. It must never be silently older.
import { KinglyError, createPrng } from "@kingly/base";
import type { Prng } from "@kingly/base";
import { describe, expect, test } from "vitest";
import { MemoryDisk, faultyDisk, markPath, storePath } from "../src/index.ts";
import type { FaultPlan, Storage } from "../src/index.ts";
import {
  MARK_COPY_BYTES,
  MARK_RECORD_BYTES,
  MARK_SLOT_BYTES,
  decodeSlot,
  encodeSlot,
} from "../src/mark-file.ts";
import type { LogIndex } from "../src/raft.ts";
import { IDENTITY, commitOf, entries, entry, hard, initAt, openAt } from "./helpers.ts";
import { Ledger, readLog, sameLog } from "./model.ts";
import { ownerTag } from "../src/identity.ts";

const DIR = "/data";

async function freshDisk(): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  await initAt(DIR, disk);
  return disk;
}

async function runAndClose(disk: MemoryDisk, seed: string, steps = 40): Promise<Ledger> {
  const ledger = new Ledger();
  const prng = createPrng(seed);
  const storage = await openAt(DIR, disk);
  for (let step = 0; step < steps; step += 1) await ledger.step(storage, prng);
  await ledger.settle();
  await storage.close();
  return ledger;
}

/** Opens a damaged directory; undefined when it was refused, as it should be. */
async function openDamaged(disk: MemoryDisk): Promise<Storage | undefined> {
  try {
    return await openAt(DIR, disk);
  } catch (error) {
    expect(error).toBeInstanceOf(KinglyError);
    expect((error as KinglyError).message).toMatch(/\/data\/(store|mark|identity\.json): /);
    expect((error as KinglyError).details.help).toMatch(/never copy another member/);
    return undefined;
  }
}

/** Never silently older: term and vote hold, and a log that is not recovering holds everything. */
async function checkHonest(storage: Storage, ledger: Ledger): Promise<void> {
  const newest = ledger.states.at(-1);
  const found = readLog(storage);
  expect(newest).toBeDefined();
  expect([found.term, found.vote]).toEqual([newest?.term, newest?.vote]);
  const { appliedIndex } = storage.objects.meta;
  for await (const [key] of storage.objects.loadRows()) {
    expect(ledger.model.rowsAt.get(appliedIndex)).toHaveProperty([key]);
  }
  if (!storage.log.recovering) {
    const all = ledger.model.entries.filter((e) => e.index >= found.first);
    // A lost compaction leaves older entries in place, which is no loss.
    const from = Math.max(found.first, ledger.model.first);
    const [want, have] = [all, found.entries].map((list) => list.filter((e) => e.index >= from));
    expect(sameLog({ ...found, entries: want ?? [] }, { ...found, entries: have ?? [] })).toBe(
      true,
    );
    return;
  }
  const { recovery } = storage.log;
  expect(recovery?.reason).not.toBe("");
  expect(recovery?.markIndex).toBe(ledger.model.last);
  expect(storage.log.recoveryMark?.index).toBe(ledger.model.last);
}

type Outcome = "refused" | "recovering" | "exact";

async function outcomeOf(disk: MemoryDisk, ledger: Ledger): Promise<Outcome> {
  const storage = await openDamaged(disk);
  if (storage === undefined) return "refused";
  await checkHonest(storage, ledger);
  const outcome = storage.log.recovering ? "recovering" : "exact";
  await storage.close();
  return outcome;
}

test("batches lost from the end of the store's log are noticed", async () => {
  const seen = new Set<Outcome>();
  for (let lost = 1; lost <= 20; lost += 1) {
    const disk = await freshDisk();
    const ledger = await runAndClose(disk, "tail");
    const state = disk.storeState(storePath(DIR));
    state.dropBatches(state.journalLength - lost, lost);
    seen.add(await outcomeOf(disk, ledger));
  }
  expect(seen).toContain("recovering");
});

test("batches lost from the middle of the store's log are noticed", async () => {
  const seen = new Map<Outcome, number>();
  for (let seed = 0; seed < 200; seed += 1) {
    const prng = createPrng(seed);
    const disk = await freshDisk();
    const ledger = await runAndClose(disk, `hole ${seed}`);
    const state = disk.storeState(storePath(DIR));
    const from = prng.below(state.journalLength - 1);
    state.dropBatches(from, 1 + prng.below(Math.min(4, state.journalLength - from - 1)));
    const outcome = await outcomeOf(disk, ledger);
    seen.set(outcome, 1 + (seen.get(outcome) ?? 0));
  }
  expect(seen.get("refused")).toBeGreaterThan(10);
});

test("a flipped bit in any stored value is noticed", async () => {
  const seen = new Map<Outcome, number>();
  for (let seed = 0; seed < 300; seed += 1) {
    const disk = await freshDisk();
    const ledger = await runAndClose(disk, `rot ${seed % 5}`);
    disk.storeState(storePath(DIR)).flipBit(createPrng(seed));
    const outcome = await outcomeOf(disk, ledger);
    seen.set(outcome, 1 + (seen.get(outcome) ?? 0));
  }
  expect(seen.get("refused")).toBeGreaterThan(50);
  expect(seen.get("recovering")).toBeGreaterThan(5);
});

describe("a mark slot", () => {
  test.each([0, 1])(
    "%i with any single bit flipped does not bring back older state",
    async (slot) => {
      for (let byte = 0; byte < MARK_RECORD_BYTES; byte += 1) {
        const disk = await freshDisk();
        const ledger = await runAndClose(disk, "mark", 12);
        disk.flipBit(markPath(DIR), slot * MARK_SLOT_BYTES + byte, byte % 8);
        expect(await outcomeOf(disk, ledger)).toBe("exact");
      }
    },
  );

  test("torn at every byte leaves the other one in use", async () => {
    const lengths = [...Array(MARK_RECORD_BYTES + 1).keys()];
    lengths.push(...lengths.map((length) => MARK_COPY_BYTES + length), 1000);
    for (const bytes of lengths) {
      const disk = await freshDisk();
      const ledger = await runAndClose(disk, "torn", 12);
      const before = ledger.model.term;
      let tearing = false;
      const plan: FaultPlan = (operation) =>
        tearing && operation.path === markPath(DIR)
          ? { error: new Error("power loss"), effect: { bytes } }
          : undefined;
      const storage = await openAt(DIR, faultyDisk(disk, plan));
      tearing = true;
      const voted = storage.log.append({ hardState: hard(before + 1, 3, 1) });
      await expect(voted).rejects.toMatchObject({ code: "StorageFailure" });
      await disk.writeFileDurably(
        markPath(DIR),
        (await disk.readFile(markPath(DIR))) as Uint8Array,
      );
      disk.crash();
      const again = await openAt(DIR, disk);
      expect(again.log.initialState().hardState).toMatchObject({ term: before + 1, vote: 3 });
      expect(again.log.recovering).toBe(false);
      expect(again.log.lastIndex()).toBe(ledger.model.last);
      await again.close();
    }
  });

  test("destroyed while it was being lowered for a cut leaves the other one in use", async () => {
    const disk = await freshDisk();
    let isBroken = false;
    const plan: FaultPlan = (operation) =>
      isBroken && operation.kind === "write" ? { error: new Error("power loss") } : undefined;
    const storage = await openAt(DIR, faultyDisk(disk, plan));
    await storage.log.append({ hardState: hard(1, 1, 1), entries: entries(2, 6, 1) });
    await storage.log.append({ entries: entries(7, 10, 1) });
    isBroken = true;
    const cut = storage.log.append({ hardState: hard(2, 2, 1), entries: [entry(4, 2)] });
    await expect(cut).rejects.toMatchObject({ code: "StorageFailure" });
    // The write ended in the worst way: neither the old nor the new content of the slot is left.
    const bytes = ((await disk.readFile(markPath(DIR))) ?? new Uint8Array()).slice();
    const owner = ownerTag(IDENTITY);
    const sequences = [0, MARK_SLOT_BYTES].map(
      (at) => decodeSlot(bytes.subarray(at, at + MARK_SLOT_BYTES), owner)?.sequence ?? -1,
    );
    const older = (sequences[0] ?? 0) < (sequences[1] ?? 0) ? 0 : MARK_SLOT_BYTES;
    bytes.fill(0xff, older, older + MARK_SLOT_BYTES);
    await disk.writeFileDurably(markPath(DIR), bytes);
    disk.crash();
    const again = await openAt(DIR, disk);
    expect(again.log.recovering).toBe(false);
    expect(again.log.lastIndex()).toBe(10);
    await again.close();
  });

  test("destroyed at rest is made up for by the log, or means refusal", async () => {
    const outcomes: Outcome[] = [];
    for (const slot of [0, 1]) {
      const disk = await freshDisk();
      const ledger = await runAndClose(disk, "rest", 12);
      for (const copy of [0, MARK_COPY_BYTES]) {
        disk.flipBit(markPath(DIR), slot * MARK_SLOT_BYTES + copy + 50, 1);
      }
      outcomes.push(await outcomeOf(disk, ledger));
    }
    expect(outcomes.sort()).toEqual(["exact", "refused"]);
  });

  test("damaged together with a lost end of the log means refusal, not older state", async () => {
    for (const slot of [0, 1]) {
      for (let lost = 1; lost <= 6; lost += 1) {
        const disk = await freshDisk();
        const ledger = await runAndClose(disk, "double", 20);
        const state = disk.storeState(storePath(DIR));
        state.dropBatches(state.journalLength - lost, lost);
        disk.flipBit(markPath(DIR), slot * MARK_SLOT_BYTES + 50, 1);
        disk.flipBit(markPath(DIR), slot * MARK_SLOT_BYTES + MARK_COPY_BYTES + 60, 1);
        expect(["refused", "recovering"]).toContain(await outcomeOf(disk, ledger));
      }
    }
  });

  test("both damaged means refusal: term and vote are unknown", async () => {
    const disk = await freshDisk();
    await runAndClose(disk, "both");
    for (const at of [0, MARK_COPY_BYTES, MARK_SLOT_BYTES, MARK_SLOT_BYTES + MARK_COPY_BYTES]) {
      disk.flipBit(markPath(DIR), at + 30, 0);
    }
    await expect(openAt(DIR, disk)).rejects.toMatchObject({
      code: "Corrupted",
      message: expect.stringMatching(/\/data\/mark.*term and vote of this member are unknown/),
    });
  });

  test("file that is missing, empty or from an older copy means refusal", async () => {
    const disk = await freshDisk();
    const old = (await disk.readFile(markPath(DIR))) ?? new Uint8Array();
    await runAndClose(disk, "older");
    const good = (await disk.readFile(markPath(DIR))) ?? new Uint8Array();
    for (const content of [undefined, new Uint8Array(), old, new Uint8Array(good.length)]) {
      if (content === undefined) await disk.remove(markPath(DIR));
      else await disk.writeFileDurably(markPath(DIR), content);
      await expect(openAt(DIR, disk)).rejects.toMatchObject({ code: "Corrupted" });
    }
    await disk.writeFileDurably(markPath(DIR), good);
    await (await openAt(DIR, disk)).close();
  });

  test("of another directory is not believed", async () => {
    const disk = await freshDisk();
    const other = ownerTag({ ...IDENTITY, memberId: "server-2" });
    const mark = {
      sequence: 9,
      term: 9,
      vote: 2,
      tail: { term: 9, index: 99, chain: new Uint8Array(32) },
    };
    const foreign = new Uint8Array(2 * MARK_SLOT_BYTES);
    foreign.set(encodeSlot({ ...mark, recovering: false }, other), 0);
    foreign.set(encodeSlot({ ...mark, recovering: false }, other), MARK_SLOT_BYTES);
    await disk.writeFileDurably(markPath(DIR), foreign);
    await expect(openAt(DIR, disk)).rejects.toMatchObject({ code: "Corrupted" });
  });
});

test("a vote whose log batch was lost is known from the mark, in its own and in a newer term", async () => {
  for (const [before, after] of [
    [hard(5, 0, 1), hard(5, 2, 1)],
    [hard(5, 0, 1), hard(6, 3, 1)],
  ] as const) {
    const disk = await freshDisk();
    const storage = await openAt(DIR, disk);
    await storage.log.append({ hardState: before });
    await storage.log.append({ hardState: after });
    disk.crash();
    const state = disk.storeState(storePath(DIR));
    state.dropBatches(state.journalLength - 1, 1);
    const again = await openAt(DIR, disk);
    expect(again.log.initialState().hardState).toMatchObject({
      term: after.term,
      vote: after.vote,
    });
    await again.close();
  }
});

describe("a recovering member", () => {
  /** Log 2..20 of term 2, of which the batches with 11..20 are lost. */
  async function recovering(prng: Prng): Promise<{ disk: MemoryDisk; storage: Storage }> {
    const disk = await freshDisk();
    const storage = await openAt(DIR, disk);
    await storage.log.append({ hardState: hard(2, 1, 1), entries: entries(2, 10, 2) });
    await storage.objects.commit(commitOf(5, 2));
    await storage.log.append({ entries: entries(11, 16 + prng.below(3), 2) });
    await storage.log.append({
      hardState: hard(4, 3, 9),
      entries: entries(storage.log.lastIndex() + 1, 20, 2),
    });
    const state = disk.storeState(storePath(DIR));
    state.dropBatches(state.journalLength - 2, 2);
    disk.crash();
    return { disk, storage: await openAt(DIR, disk) };
  }

  test("keeps term and vote of the mark and tells what is missing", async () => {
    const { storage } = await recovering(createPrng(1));
    expect(storage.log.recovering).toBe(true);
    expect(storage.log.initialState().hardState).toMatchObject({ term: 4, vote: 3 });
    expect(storage.log.initialState().hardState.commit).toBeLessThanOrEqual(10);
    expect(storage.log.recovery).toMatchObject({
      markTerm: 2,
      markIndex: 20,
      logTerm: 2,
      logIndex: 10,
    });
    expect(storage.log.recoveryMark).toEqual({ term: 2, index: 20 });
    expect(storage.repairs.join()).toContain("recovering");
    await storage.close();
  });

  test("stays so over restarts until the log reaches the mark with the same entries", async () => {
    const lost = await recovering(createPrng(2));
    const { disk } = lost;
    let { storage } = lost;
    for (let index = 11; index <= 20; index += 1) {
      expect(storage.log.recovering).toBe(true);
      await storage.log.append({ entries: [entry(index, 2)] });
      if (index % 3 === 0) {
        disk.crash();
        storage = await openAt(DIR, disk);
        expect(storage.log.lastIndex()).toBe(index);
        expect(storage.log.recoveryMark?.index).toBe(20);
      }
    }
    expect(storage.log.recovering).toBe(false);
    expect(storage.log.recoveryMark).toBeUndefined();
    await storage.close();
    storage = await openAt(DIR, disk);
    expect(storage.repairs).toEqual([]);
    await storage.close();
  });

  test("is healed by entries of a higher term that replace its tail", async () => {
    const lost = await recovering(createPrng(3));
    const { disk } = lost;
    let { storage } = lost;
    await storage.log.append({ hardState: hard(5, 0, 9), entries: [entry(8, 5)] });
    expect(storage.log.recovering).toBe(false);
    disk.crash();
    storage = await openAt(DIR, disk);
    expect(storage.log.recovering).toBe(false);
    expect(storage.log.lastIndex()).toBe(8);
    await storage.close();
  });

  test("never lowers its mark when its tail is cut within the term", async () => {
    const lost = await recovering(createPrng(4));
    const { disk } = lost;
    let { storage } = lost;
    await storage.log.append({ entries: [entry(9, 1)] });
    expect(storage.log.recoveryMark).toEqual({ term: 2, index: 20 });
    disk.crash();
    storage = await openAt(DIR, disk);
    expect(storage.log.recovering).toBe(true);
    expect(storage.log.recoveryMark).toEqual({ term: 2, index: 20 });
    await storage.close();
  });

  test("refuses a log that reaches the mark with other entries of the same term", async () => {
    const { storage } = await recovering(createPrng(5));
    const other = entries(11, 20, 2).map((e) => ({ ...e, data: new Uint8Array([1, 2, 3]) }));
    await expect(storage.log.append({ entries: other })).rejects.toMatchObject({
      message: expect.stringContaining("log entry 20"),
    });
    await storage.close();
  });

  test("continues after an explicit acceptance of the loss", async () => {
    const lost = await recovering(createPrng(6));
    const { disk } = lost;
    let { storage } = lost;
    expect(await storage.log.acceptLoss()).toMatchObject({ markIndex: 20, logIndex: 10 });
    expect(storage.log.recovering).toBe(false);
    disk.crash();
    storage = await openAt(DIR, disk);
    expect(storage.repairs).toEqual([]);
    expect(storage.log.initialState().hardState).toMatchObject({ term: 4, vote: 3 });
    await storage.close();
  });
});

test("log entries that are damaged below the applied index do not stop the member", async () => {
  const disk = await freshDisk();
  let storage = await openAt(DIR, disk);
  await storage.log.append({ hardState: hard(2, 1, 1), entries: entries(2, 30, 2) });
  for (let i = 2; i <= 25; i += 1) await storage.objects.commit(commitOf(i, 2));
  await storage.close();
  const handle = await disk.openKeyValue(storePath(DIR), { createIfMissing: false });
  const { logKey } = await import("../src/keys.ts");
  await handle.batch([{ key: logKey(10), value: undefined }], { sync: true });
  await handle.close();
  storage = await openAt(DIR, disk);
  expect(storage.repairs.join()).toContain("begins at the applied index 25");
  expect(storage.log.recovering).toBe(false);
  expect([storage.log.firstIndex(), storage.log.lastIndex()]).toEqual([26, 30]);
  expect(storage.log.term(25 as LogIndex)).toBe(2);
  await storage.close();
});

test("damaged rows can be dropped so that a leader's snapshot heals the member", async () => {
  const other = new MemoryDisk();
  await initAt(DIR, other);
  const leader = await openAt(DIR, other);
  await leader.log.append({ hardState: hard(2, 1, 1), entries: entries(2, 30, 2) });
  for (let i = 2; i <= 30; i += 1) await leader.objects.commit(commitOf(i, 2));
  const disk = await freshDisk();
  let storage = await openAt(DIR, disk);
  await storage.log.append({ hardState: hard(2, 1, 1), entries: entries(2, 30, 2) });
  await storage.objects.commit(commitOf(5, 2));
  await storage.close();
  const { rowKey } = await import("../src/keys.ts");
  const handle = await disk.openKeyValue(storePath(DIR), { createIfMissing: false });
  await handle.batch([{ key: rowKey(1, "~row/5"), value: undefined }], { sync: true });
  await handle.close();
  await expect(openAt(DIR, disk)).rejects.toMatchObject({ code: "Corrupted" });
  for (let life = 0; life < 2; life += 1) {
    disk.crash();
    storage = await openAt(DIR, disk, { onDamagedRows: "refetch" });
    expect(storage.log.recovering).toBe(true);
    expect(storage.log.recoveryMark).toEqual({ term: 2, index: 30 });
    expect(storage.log.lastIndex()).toBe(0);
    expect(storage.log.initialState().hardState).toEqual({ term: 2, vote: 1, commit: 0 });
    expect(storage.objects.rowCount).toBe(0);
  }
  await storage.importSnapshot((await leader.exportSnapshot()).chunks);
  await storage.log.append({ hardState: hard(2, 1, 30), snapshot: leader.log.snapshot() });
  expect(storage.log.recovering).toBe(false);
  expect(storage.objects.meta).toEqual(leader.objects.meta);
  await storage.close();
  storage = await openAt(DIR, disk);
  expect(storage.repairs).toEqual([]);
  await storage.close();
  await leader.close();
});

test("entries behind a hole are dropped for good and reported once", async () => {
  const disk = await freshDisk();
  let storage = await openAt(DIR, disk);
  await storage.log.append({ hardState: hard(2, 1, 1), entries: entries(2, 20, 2) });
  await storage.close();
  const { logKey } = await import("../src/keys.ts");
  const handle = await disk.openKeyValue(storePath(DIR), { createIfMissing: false });
  await handle.batch([{ key: logKey(12), value: undefined }], { sync: true });
  await handle.close();
  storage = await openAt(DIR, disk);
  expect(storage.log.recovery).toMatchObject({ markIndex: 20, logIndex: 11, droppedEntries: 8 });
  await storage.log.append({ hardState: hard(3, 0, 1), entries: [entry(12, 3)] });
  await storage.close();
  storage = await openAt(DIR, disk);
  expect(storage.repairs).toEqual([]);
  expect(storage.log.lastIndex()).toBe(12);
  await storage.close();
});
