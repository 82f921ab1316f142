// The marker of an opening: what the next start says when the last one ended in the middle, as when
// LevelDB ends the process on damage that it meets by itself.
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import type { Logger } from "@kingly/base";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openStorage } from "../src/index.ts";
import { nodeDisk } from "../src/node-disk.ts";
import { IDENTITY, initAt, temporaryDirectory } from "./helpers.ts";

let root: { dir: string; done: () => Promise<void> };
let marker = "";

beforeAll(async () => {
  root = await temporaryDirectory();
  await initAt(root.dir);
  marker = `${root.dir}/opening`;
});
afterAll(() => root.done());

function recorder(): { readonly logger: Logger; readonly warned: string[] } {
  const warned: string[] = [];
  const ignore = (): void => undefined;
  const warn = (message: string, fields?: object): void => {
    warned.push(`${message} ${JSON.stringify(fields)}`);
  };
  return { warned, logger: { debug: ignore, info: ignore, warn, error: ignore } };
}

test("an opening leaves no marker, whether it succeeds or is refused in words", async () => {
  const { logger, warned } = recorder();
  const storage = await openStorage({ dir: root.dir, expect: IDENTITY, logger });
  expect(existsSync(marker)).toBe(false);
  await expect(openStorage({ dir: root.dir, expect: IDENTITY, logger })).rejects.toThrow(
    /already open/,
  );
  expect(existsSync(marker)).toBe(false);
  await storage.close();
  expect(warned).toEqual([]);
});

test("the marker is on disk before the store is touched", async () => {
  const seen: boolean[] = [];
  const real = nodeDisk();
  const disk: typeof real = Object.assign(Object.create(real) as typeof real, {
    openKeyValue: (...parameters: Parameters<typeof real.openKeyValue>) => {
      seen.push(existsSync(marker));
      return real.openKeyValue(...parameters);
    },
  });
  const storage = await openStorage({ dir: root.dir, expect: IDENTITY, disk });
  await storage.close();
  expect(seen).toEqual([true]);
});

test("the start after one that ended in the middle says so, names the directory and what to do", async () => {
  await writeFile(marker, "left by a process that is gone\n");
  const { logger, warned } = recorder();
  const storage = await openStorage({ dir: root.dir, expect: IDENTITY, logger });
  await storage.close();
  expect(warned).toHaveLength(1);
  expect(warned[0]).toMatch(/^the last start ended while it was opening the store/);
  expect(warned[0]).toContain(root.dir);
  expect(warned[0]).toContain("replacing a member is not available in this release");
  expect(existsSync(marker)).toBe(false);
});
