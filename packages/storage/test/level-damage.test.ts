// Real LevelDB files of a real directory, damaged in every way we know: bits flipped in every file,
// files cut short or deleted. LevelDB itself often opens and says nothing; the storage must refuse,
// or recover with the right term and vote, or be exactly right.
import { cp, mkdir, readFile, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { Level } from "level";
import { KinglyError, createPrng } from "@kingly/base";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Storage } from "../src/index.ts";
import {
  commitOf,
  entries,
  hard,
  initAt,
  logOf,
  openAt,
  rowsOf,
  temporaryDirectory,
} from "./helpers.ts";

interface Golden {
  readonly dir: string;
  readonly log: ReturnType<typeof logOf>;
  readonly rows: Record<string, unknown>;
}

let root: { dir: string; done: () => Promise<void> };
/** A directory whose data is only in LevelDB's log, and one that also has tables. */
const golden: Record<string, Golden> = {};
let copies = 0;

beforeAll(async () => {
  root = await temporaryDirectory();
  await mkdir(root.dir);
  golden["fresh"] = await build("fresh", 1);
  golden["compacted"] = await build("compacted", 3);
});
afterAll(() => root.done());

async function build(name: string, lives: number): Promise<Golden> {
  const dir = `${root.dir}/${name}`;
  await initAt(dir);
  let index = 1;
  for (let life = 1; life <= lives; life += 1) {
    if (life === 2) await toTables(`${dir}/store`);
    const storage = await openAt(dir);
    for (let group = 0; group < 12; group += 1) {
      const term = 20 * life + group;
      const more = entries(index + 1, index + 8, term).map((e) => ({
        ...e,
        data: new Uint8Array(300).fill(group),
      }));
      await storage.log.append({ hardState: hard(term, 1 + (group % 3), index), entries: more });
      for (let applied = index + 1; applied <= index + 8; applied += 1) {
        await storage.objects.commit(commitOf(applied, term));
      }
      index += 8;
    }
    // Not reopened at the end: the newest data is to be in LevelDB's log, not in a table.
    const found = { dir, log: logOf(storage), rows: await rowsOf(storage) };
    await storage.close();
    if (life === lives) return found;
  }
  throw new Error("no life");
}

/** Moves everything from LevelDB's log into table files. */
async function toTables(store: string): Promise<void> {
  const level = new Level<string, string>(store);
  await level.open();
  // level's own type does not know this method of its LevelDB flavour.
  const { compactRange } = level as unknown as {
    compactRange: (a: string, b: string) => Promise<void>;
  };
  await compactRange.call(level, "\x00", "\xff\xff");
  await level.close();
}

async function copyOf(from: string): Promise<string> {
  copies += 1;
  const dir = `${root.dir}/copy-${copies}`;
  await cp(from, dir, { recursive: true });
  return dir;
}

type Outcome = "refused" | "recovering" | "exact";

/** Opens a damaged copy and holds the result against the undamaged original. */
async function outcomeOf(dir: string, original: Golden): Promise<Outcome> {
  let storage: Storage;
  try {
    storage = await openAt(dir);
  } catch (error) {
    expect(error).toBeInstanceOf(KinglyError);
    const { message, code } = error as KinglyError;
    expect(["Corrupted", "IdentityMismatch"], message).toContain(code);
    expect(message).toContain(dir);
    expect(message).toContain("replacing a member is not available in this release");
    return "refused";
  }
  try {
    const was = original.log as { last: number; hard: { term: number; vote: number } };
    expect(storage.log.initialState().hardState).toMatchObject({
      term: was.hard.term,
      vote: was.hard.vote,
    });
    if (storage.log.recovering) {
      expect(storage.log.recoveryMark?.index).toBe(was.last);
      expect(storage.log.lastIndex()).toBeLessThan(was.last);
      expect(storage.objects.meta.appliedIndex).toBeLessThanOrEqual(storage.log.lastIndex());
      return "recovering";
    }
    const found = logOf(storage) as { last: number; first: number };
    expect(found.last).toBe(was.last);
    if (found.first === (was as unknown as { first: number }).first) {
      expect(logOf(storage)).toMatchObject({
        entries: (original.log as { entries: unknown }).entries,
      });
    }
    const rows = await rowsOf(storage);
    // The newest rows may come again from the log; those that are there belong to one applied index.
    if (storage.objects.meta.appliedIndex === was.last) expect(rows).toEqual(original.rows);
    return "exact";
  } finally {
    await storage.close();
  }
}

async function storeFiles(dir: string): Promise<string[]> {
  return (await readdir(`${dir}/store`)).sort();
}

function kindOf(file: string): string {
  if (file.startsWith("MANIFEST")) return "MANIFEST";
  return file.includes(".") ? `*.${file.split(".")[1]}` : file;
}

const HARMLESS = new Set(["LOG", "LOG.old", "*.old", "LOCK"]);

describe.each(["fresh", "compacted"])("a %s directory", (name) => {
  test("never comes back older after a flipped bit in any file", async () => {
    const original = golden[name] as Golden;
    const prng = createPrng(`bits ${name}`);
    const seen = new Map<string, Set<Outcome>>();
    for (const file of await storeFiles(original.dir)) {
      const size = (await readFile(`${original.dir}/store/${file}`)).length;
      if (size === 0) continue;
      for (let sample = 0; sample < 25; sample += 1) {
        const dir = await copyOf(original.dir);
        const path = `${dir}/store/${file}`;
        const bytes = await readFile(path);
        // Every third sample near the end, where silent loss is easiest.
        const at = sample % 3 === 0 ? size - 1 - prng.below(Math.min(size, 64)) : prng.below(size);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << prng.below(8));
        await writeFile(path, bytes);
        const outcome = await outcomeOf(dir, original);
        const outcomes = seen.get(kindOf(file)) ?? new Set();
        seen.set(kindOf(file), outcomes.add(outcome));
        await rm(dir, { recursive: true });
      }
    }
    for (const [kind, outcomes] of seen) {
      if (HARMLESS.has(kind)) expect([...outcomes], kind).toEqual(["exact"]);
    }
    expect([...(seen.get("*.log") ?? seen.get("*.ldb") ?? [])]).toContain("refused");
  });

  test("never comes back older after any file was cut short or deleted", async () => {
    const original = golden[name] as Golden;
    for (const file of await storeFiles(original.dir)) {
      const size = (await readFile(`${original.dir}/store/${file}`)).length;
      const cuts = new Set([0, 1, Math.floor(size / 3), Math.floor(size / 2), size - 40, size - 1]);
      for (const cut of [...cuts].filter((at) => at >= 0 && at < size)) {
        const dir = await copyOf(original.dir);
        await truncate(`${dir}/store/${file}`, cut);
        const outcome = await outcomeOf(dir, original);
        if (HARMLESS.has(kindOf(file))) expect(outcome, file).toBe("exact");
        await rm(dir, { recursive: true });
      }
      const dir = await copyOf(original.dir);
      await rm(`${dir}/store/${file}`);
      const outcome = await outcomeOf(dir, original);
      if (/^(CURRENT|MANIFEST)/.test(file)) expect(outcome, file).toBe("refused");
      await rm(dir, { recursive: true });
    }
  });
});

test("a log file of LevelDB that is deleted or cut is noticed", async () => {
  const original = golden["fresh"] as Golden;
  const storage = await openAt(original.dir);
  const was = storage.log.initialState().hardState;
  const last = storage.log.lastIndex();
  await storage.log.append({
    hardState: hard(was.term + 1, 2, last),
    entries: entries(last + 1, last + 3, was.term + 1),
  });
  await storage.close();
  for (const action of ["delete", "cut"]) {
    const dir = await copyOf(original.dir);
    const [file] = (await storeFiles(dir)).filter((each) => each.endsWith(".log"));
    const path = `${dir}/store/${file}`;
    const size = (await readFile(path)).length;
    expect(size).toBeGreaterThan(100);
    if (action === "delete") await rm(path);
    else await truncate(path, size - 10);
    let outcome: string;
    try {
      const again = await openAt(dir);
      outcome = again.log.recovering ? "recovering" : "exact";
      expect(again.log.initialState().hardState).toMatchObject({ term: was.term + 1, vote: 2 });
      await again.close();
    } catch (error) {
      expect(error).toMatchObject({ code: "Corrupted" });
      outcome = "refused";
    }
    expect(["recovering", "refused"]).toContain(outcome);
    if (action === "cut") expect(outcome).toBe("recovering");
  }
});
