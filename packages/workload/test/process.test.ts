// The built command as a real process with real threads: dist must be built (npm run build).
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { METRIC_NAMES } from "../src/serve/metrics.ts";
import { textNumber } from "../src/load/schedule.ts";
import { classify } from "./support.ts";

const MAIN = new URL("../dist/main.js", import.meta.url).pathname;
let folder: string;
let children: ChildProcess[] = [];

interface Running {
  readonly child: ChildProcess;
  readonly base: string;
}

function start(args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ["pipe", "pipe", "pipe"] });
  children.push(child);
  return child;
}

async function ready(args: readonly string[]): Promise<Running> {
  const child = start(args);
  if (child.stdout === null) throw new Error("no output");
  for await (const line of createInterface({ input: child.stdout })) {
    const { listening } = JSON.parse(line) as { readonly listening: number };
    return { child, base: `http://127.0.0.1:${listening}` };
  }
  throw new Error("stopped before it was ready");
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.exitCode;
}

async function put(base: string, tunables: object): Promise<number> {
  const body = JSON.stringify(tunables);
  const response = await fetch(`${base}/config`, { method: "PUT", body });
  await response.arrayBuffer();
  return response.status;
}

async function label(base: string, text: string): Promise<number> {
  const response = await fetch(`${base}/infer`, { method: "POST", body: JSON.stringify({ text }) });
  if (response.status !== 200) throw new Error(`status ${response.status}`);
  return ((await response.json()) as { readonly label: number }).label;
}

async function metric(base: string, name: string): Promise<number> {
  const text = await (await fetch(`${base}/metrics`)).text();
  const line = text.split("\n").find((one) => one.startsWith(`${name} `));
  return Number(line?.split(" ")[1] ?? NaN);
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve));
}

beforeAll(async () => {
  if (!existsSync(MAIN)) throw new Error("dist/main.js is missing: run `npm run build` first");
  folder = await mkdtemp(join(tmpdir(), "workload-"));
});

afterEach(async () => {
  for (const child of children) {
    child.kill("SIGKILL");
    await exitOf(child);
  }
  children = [];
});

afterAll(async () => rm(folder, { recursive: true }));

describe("kingly-workload", () => {
  it("gives the same labels batched and single, through every hot change, and loses none", async () => {
    const { child, base } = await ready([]);
    expect((await fetch(`${base}/healthz`)).status).toBe(200);
    const texts = Array.from({ length: 60 }, (_, index) => textNumber(3, index));
    const expected = texts.map((text) => classify([text])[0]?.label);
    const changes = [
      { batchWindowMs: 0 },
      { batchWindowMs: 5, maxBatchSize: 16 },
      { batchWindowMs: 50, maxBatchSize: 64, workers: 3 },
      { batchWindowMs: 1, maxBatchSize: 3, workers: 2, cacheEntries: 20 },
      { workers: 1, cacheEntries: 1_000 },
    ];
    for (const tunables of changes) {
      const answers = texts.map(async (text) => label(base, text));
      expect(await put(base, tunables)).toBe(200);
      expect(await Promise.all(answers)).toEqual(expected);
    }
    child.kill("SIGTERM");
    expect(await exitOf(child)).toBe(0);
  });

  it("adds and removes compute threads while it answers", async () => {
    const { base } = await ready([]);
    await put(base, { workers: 4 });
    await until(async () => (await metric(base, METRIC_NAMES.workers)) === 4);
    const answers = Array.from({ length: 40 }, async (_, index) => label(base, `text ${index}`));
    await put(base, { workers: 1 });
    expect((await Promise.all(answers)).length).toBe(40);
    await until(async () => (await metric(base, METRIC_NAMES.workers)) === 1);
    expect(await label(base, "after")).toBe(classify(["after"])[0]?.label);
  });

  it("loads itself with real requests, counts them, and stops when its input ends", async () => {
    const { child, base } = await ready(["--profile", "dense", "--exit-with-parent"]);
    await until(async () => (await metric(base, METRIC_NAMES.loadAnswered)) > 50);
    expect(await metric(base, `${METRIC_NAMES.requestSeconds}_count`)).toBeGreaterThan(50);
    expect(await metric(base, METRIC_NAMES.loadLatencySeconds)).toBeGreaterThan(0);
    expect(await metric(base, METRIC_NAMES.loadFailed)).toBe(0);
    child.stdin?.end();
    expect(await exitOf(child)).toBe(0);
  });

  it("sends its load elsewhere when told to", async () => {
    const target = await ready([]);
    const source = await ready(["--profile", "dense", "--target", target.base]);
    await until(
      async () => (await metric(target.base, `${METRIC_NAMES.requestSeconds}_count`)) > 20,
    );
    expect(await metric(source.base, `${METRIC_NAMES.requestSeconds}_count`)).toBe(0);
  });

  it("reads its tunables from the file at start and on reload", async () => {
    const file = join(folder, "tunables.json");
    await writeFile(file, '{"batchWindowMs":3}');
    const { base } = await ready(["--config", file]);
    const active = async (): Promise<unknown> => (await fetch(`${base}/config`)).json();
    expect(await active()).toMatchObject({ batchWindowMs: 3 });
    await writeFile(file, '{"batchWindowMs":4}');
    expect((await fetch(`${base}/reload`, { method: "POST" })).status).toBe(200);
    expect(await active()).toMatchObject({ batchWindowMs: 4 });
  });

  it.each([
    [["--port", "70000"], "--port must be an integer from 0 to 65535, found 70000"],
    [["--profile", "heavy"], "--profile must be one of dense"],
    [["--target", "ftp://x", "--profile", "dense"], "--target must be an http URL"],
    [["--target", "http://x"], "--target needs a --profile"],
    [["--nonsense"], "--nonsense"],
    [["--config", "/nonexistent/file"], "must be a readable file"],
  ])("refuses %j with exit code 2 and the reason", async (args, message) => {
    const child = start(args);
    let text = "";
    child.stderr?.on("data", (chunk: Buffer) => (text += chunk.toString()));
    await once(child, "close");
    expect(child.exitCode).toBe(2);
    expect(text).toContain(message);
  });
});
