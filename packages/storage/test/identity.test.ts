// Whose directory it is: every way in which it can be the wrong one is refused by name.
import { expect, test } from "vitest";
import { MemoryDisk, initDirectory, readIdentity } from "../src/index.ts";
import { IDENTITY, initAt, openAt } from "./helpers.ts";

const DIR = "/data";
const FILE = `${DIR}/identity.json`;

async function freshDisk(): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  await initAt(DIR, disk);
  return disk;
}

test.each([
  ["clusterId", { clusterId: "cluster-b" }],
  ["memberId", { memberId: "server-9" }],
  ["incarnation", { incarnation: "inc-0" }],
  ["raftId", { raftId: 7 }],
])(
  "a directory with another %s is refused with both values and the way back",
  async (field, change) => {
    const disk = await freshDisk();
    const expect_ = { ...IDENTITY, ...change };
    const opening = openAt(DIR, disk, { expect: expect_ });
    await expect(opening).rejects.toMatchObject({
      code: "IdentityMismatch",
      message: expect.stringMatching(/identity\.json: .* expected .*never copy another member/),
      details: { field, value: String(IDENTITY[field as keyof typeof IDENTITY]) },
    });
  },
);

test.each([
  ["does not exist", async () => new MemoryDisk(), /does not exist/],
  [
    "is empty",
    async () => {
      const disk = new MemoryDisk();
      await disk.makeDirectory(DIR);
      return disk;
    },
    /is empty/,
  ],
  [
    "has lost its identity file",
    async () => {
      const disk = await freshDisk();
      await disk.remove(FILE);
      return disk;
    },
    /holds mark, store but no identity/,
  ],
])("a directory that %s is refused and stays as it is", async (_name, make, message) => {
  const disk = await make();
  const before = await disk.list(DIR);
  await expect(openAt(DIR, disk)).rejects.toMatchObject({
    code: "IdentityMismatch",
    message: expect.stringMatching(message),
  });
  expect(await disk.list(DIR)).toEqual(before);
});

test("any flipped bit of the identity file is found", async () => {
  const size = (await (await freshDisk()).readFile(FILE))?.length ?? 0;
  expect(size).toBeGreaterThan(100);
  const text = new TextDecoder().decode(await (await freshDisk()).readFile(FILE));
  for (let byte = 0; byte < size; byte += 1) {
    const disk = await freshDisk();
    disk.flipBit(FILE, byte, byte % 8);
    const changed = (await disk.readFile(FILE)) as Uint8Array;
    // White space between tokens carries no meaning; a flip may turn one kind into another.
    let isSame = false;
    try {
      isSame =
        JSON.stringify(JSON.parse(new TextDecoder().decode(changed))) ===
        JSON.stringify(JSON.parse(text));
    } catch {
      isSame = false;
    }
    if (isSame) continue;
    await expect(openAt(DIR, disk)).rejects.toMatchObject({ code: "Corrupted" });
  }
});

test("a store that was copied from another member is refused", async () => {
  const disk = new MemoryDisk();
  await initAt(DIR, disk);
  await initDirectory({ ...IDENTITY, dir: "/other", memberId: "server-2", disk });
  const identity = (await disk.readFile("/other/identity.json")) as Uint8Array;
  await disk.writeFileDurably(FILE, identity);
  await expect(
    openAt(DIR, disk, { expect: { ...IDENTITY, memberId: "server-2" } }),
  ).rejects.toMatchObject({
    code: "IdentityMismatch",
    message: expect.stringContaining("/data/store"),
  });
});

test("an occupied directory is never initialised", async () => {
  const disk = await freshDisk();
  await expect(initAt(DIR, disk)).rejects.toMatchObject({ code: "AlreadyExists" });
  await disk.remove(FILE);
  await expect(initAt(DIR, disk)).rejects.toMatchObject({ code: "IdentityMismatch" });
  const other = new MemoryDisk();
  await other.makeDirectory(DIR);
  await other.writeFileDurably(`${DIR}/notes.txt`, new Uint8Array(1));
  await expect(initAt(DIR, other)).rejects.toMatchObject({
    code: "IdentityMismatch",
    message: expect.stringContaining("notes.txt"),
  });
});

test("offline tools can read the identity without expecting one", async () => {
  expect(await readIdentity(await freshDisk(), DIR, undefined)).toEqual(IDENTITY);
});

test("a joining member starts with an empty log and no members", async () => {
  const disk = new MemoryDisk();
  await initDirectory({ ...IDENTITY, dir: DIR, disk });
  const storage = await openAt(DIR, disk);
  expect([storage.log.firstIndex(), storage.log.lastIndex()]).toEqual([1, 0]);
  expect(storage.log.initialState()).toMatchObject({
    hardState: { term: 0, vote: 0, commit: 0 },
    confState: { voters: [] },
  });
  await storage.close();
});
