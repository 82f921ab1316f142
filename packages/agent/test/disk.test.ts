import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadKeys } from "../src/disk/keys.ts";
import { loadState, StateStore } from "../src/disk/state-store.ts";
import { until } from "./support/servers.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "kingly-disk-"));
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

async function written(...records: string[]): Promise<number[]> {
  const seqs: number[] = [];
  const store = new StateStore(folder, {
    onWritten: (seq) => seqs.push(seq),
    onError: (error) => {
      throw error;
    },
  });
  for (const [i, record] of records.entries()) {
    store.write(i + 1, record);
    await store.drained();
  }
  return seqs;
}

describe("the state on disk", () => {
  it("is empty at first, then the last record written", async () => {
    expect(await loadState(join(folder, "new"))).toEqual({ record: null, problems: [] });
    expect(await written("one", "two")).toEqual([1, 2]);
    expect(await loadState(folder)).toEqual({ record: "two", problems: [] });
  });

  it("keeps only the newest of records that wait, and reports the last one written", async () => {
    const seqs: number[] = [];
    const store = new StateStore(folder, { onWritten: (seq) => seqs.push(seq), onError: () => {} });
    for (let seq = 1; seq <= 50; seq += 1) store.write(seq, `r${seq}`);
    await store.drained();
    expect(seqs.at(-1)).toBe(50);
    expect(seqs.length).toBeLessThan(50);
    expect((await loadState(folder)).record).toBe("r50");
  });

  it("notices every damaged byte and falls back to the record before", async () => {
    await written("first", "second");
    const path = join(folder, "state");
    const good = await readFile(path);
    for (let at = 0; at < good.length; at += 7) {
      const bad = Buffer.from(good);
      bad[at] = (bad[at] ?? 0) ^ 1;
      await writeFile(path, bad);
      const loaded = await loadState(folder);
      expect(loaded.record).toBe("first");
      expect(loaded.problems).toHaveLength(1);
    }
    await writeFile(path, good.subarray(0, good.length - 3));
    expect((await loadState(folder)).record).toBe("first");
    await rm(path);
    expect(await loadState(folder)).toEqual({ record: "first", problems: [] });
  });

  it("writes again what the disk refused once", async () => {
    const missing = join(folder, "later");
    const errors: unknown[] = [];
    const seqs: number[] = [];
    const store = new StateStore(missing, {
      onWritten: (seq) => seqs.push(seq),
      onError: (error) => errors.push(error),
    });
    store.write(1, "kept");
    await until(() => errors.length > 0, "the refusal");
    expect(seqs).toEqual([]);
    await loadState(missing);
    await until(() => seqs.includes(1), "the second attempt");
    expect((await loadState(missing)).record).toBe("kept");
  });
});

describe("the node's keys", () => {
  it("are made once, stay the same, and are readable by their owner only", async () => {
    const first = await loadKeys(folder);
    const second = await loadKeys(folder);
    expect(second).toEqual(first);
    expect(first.signingPublicKey).toHaveLength(32);
    for (const name of ["signing.key", "tls.key"]) {
      const { mode } = await stat(join(folder, "keys", name));
      expect(mode & 0o777).toBe(0o600);
    }
  });

  it("are refused when they are no keys", async () => {
    await loadKeys(folder);
    await writeFile(join(folder, "keys", "signing.key"), "short");
    await expect(loadKeys(folder)).rejects.toThrow(/not a key of 64 hex digits/);
  });
});
