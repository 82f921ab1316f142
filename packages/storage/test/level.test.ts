// The happy path on the real disk and level.
import { toHex } from "@kingly/base";
import { afterEach, expect, test } from "vitest";
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
  temporaryDirectory,
} from "./helpers.ts";

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const done of cleanups.splice(0)) await done();
});

async function directory(): Promise<string> {
  const { dir, done } = await temporaryDirectory();
  cleanups.push(done);
  return dir;
}

test("what was appended and committed is there after a reopening", async () => {
  const dir = await directory();
  await initAt(dir);
  let s = await openAt(dir);
  expect(s.repairs).toEqual([]);
  expect(s.log.firstIndex()).toBe(2);
  const order: number[] = [];
  const first = s.log.append({ hardState: hard(2, 1, 1), entries: entries(2, 11, 2) });
  const second = s.log.append({ entries: entries(12, 20, 2) });
  const third = s.log.append({ entries: [entry(15, 3)], hardState: hard(3, 1, 14) });
  void first.then(() => order.push(1));
  void second.then(() => order.push(2));
  await third.then(() => order.push(3));
  expect(order).toEqual([1, 2, 3]);
  expect(s.log.lastIndex()).toBe(15);
  for (let i = 2; i <= 12; i++) await s.objects.commit(commitOf(i, 2));
  const before = logOf(s);
  const rows = await rowsOf(s);
  const chain = s.log.chainHash(15);
  await s.close();
  s = await openAt(dir);
  expect(s.repairs).toEqual([]);
  expect(s.log.recovering).toBe(false);
  expect(logOf(s)).toEqual(before);
  expect(toHex(s.log.chainHash(15))).toBe(toHex(chain));
  expect(await rowsOf(s)).toEqual(rows);
  expect(s.objects.meta).toEqual(commitOf(12, 2).meta);
  expect((await collect(s.objects.historySince(5))).map((h) => h.revision)).toEqual([
    6, 7, 8, 9, 10, 11, 12,
  ]);
  await s.log.compact(12, 3);
  expect(s.log.firstIndex()).toBe(10);
  await s.close();
  s = await openAt(dir);
  expect(s.repairs).toEqual([]);
  expect(s.log.firstIndex()).toBe(10);
  expect(s.log.term(9 as LogIndex)).toBe(2);
  await s.close();
});
