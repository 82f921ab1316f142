// Service and HTTP face together, on loopback, with the real classifier on this thread.
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { Server } from "node:http";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../src/clock.ts";
import { readTunablesFile } from "../src/config-file.ts";
import { CONFIG_BYTES_MAX, INFER_BODY_BYTES_MAX, QUEUE_LENGTH_MAX } from "../src/limits.ts";
import { createHttpServer } from "../src/serve/http.ts";
import { latencyBuckets, METRIC_NAMES, Metrics } from "../src/serve/metrics.ts";
import { InferenceService, QueueFullError } from "../src/serve/service.ts";
import { LoadStats } from "../src/load/stats.ts";
import { DEFAULT_TUNABLES } from "../src/tunables.ts";
import { classify, InlineExecutor } from "./support.ts";

let executor: InlineExecutor;
let service: InferenceService;
let metrics: Metrics;
let server: Server;
let base: string;
let folder: string;
let file: string;

async function setUp(manual = false, ready = true): Promise<void> {
  executor = new InlineExecutor(manual);
  metrics = new Metrics({
    queueLength: () => service.queueLength,
    workers: () => 1,
    load: new LoadStats(),
  });
  service = new InferenceService(systemClock, executor, DEFAULT_TUNABLES, {
    onCache: (hit) => metrics.observeCache(hit),
  });
  executor.onIdle = () => service.onIdle();
  if (ready) service.finishWarmUp();
  const reload = async () => readTunablesFile(file);
  server = createHttpServer({ service, metrics, reload, warmUpToken: "secret" });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "workload-"));
  file = join(folder, "tunables.json");
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await service.close();
  await rm(folder, { recursive: true });
});

interface Reply {
  readonly status: number;
  readonly body: { label?: number; scores?: number[]; error?: { field: string; message: string } };
}

async function call(method: string, path: string, body?: string | Buffer): Promise<Reply> {
  const response = await fetch(base + path, body === undefined ? { method } : { method, body });
  return { status: response.status, body: (await response.json()) as Reply["body"] };
}

const infer = async (text: string): Promise<Reply> =>
  call("POST", "/infer", JSON.stringify({ text }));

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${base}/metrics`)).text();
  const line = text.split("\n").find((one) => one.startsWith(`${name} `));
  return Number(line?.split(" ")[1] ?? NaN);
}

describe("POST /infer", () => {
  it("answers with the label, and with the scores when asked", async () => {
    await setUp();
    const [expected] = classify(["late parcel"]);
    expect(await infer("late parcel")).toEqual({ status: 200, body: { label: expected?.label } });
    const full = await call("POST", "/infer", '{"text":"late parcel","scores":true}');
    expect(full.body.scores).toEqual(Array.from(expected?.scores ?? []));
  });

  it("gives batched requests the labels they get alone", async () => {
    await setUp(true);
    service.configure({ ...DEFAULT_TUNABLES, batchWindowMs: 50, maxBatchSize: 6 });
    const texts = ["a b", "c d e", "late parcel", "refund please", "noisy room", "x"];
    const answers = Promise.all(texts.map(async (text) => service.infer(text)));
    expect(executor.batches).toEqual([texts]);
    executor.finish();
    const labels = (await answers).map((answer) => answer.label);
    expect(labels).toEqual(texts.map((text) => classify([text])[0]?.label));
  });

  it.each([
    ["bad JSON", "{", "document must be valid JSON"],
    ["an empty body", "", "document must be valid JSON"],
    ["an array", "[]", "document must be a JSON object"],
    ["null", "null", "document must be a JSON object"],
    ["a missing text", "{}", "text must be a string"],
    ["a number for text", '{"text":1}', "text must be a string, found 1"],
    ["an empty text", '{"text":""}', "text must have 1 to 2000 characters, found 0"],
    ["a long text", JSON.stringify({ text: "x".repeat(2_001) }), "found 2001"],
    ["a wrong flag", '{"text":"a","scores":1}', "scores must be true or false, found 1"],
    ["an unknown field", '{"text":"a","mode":1}', "mode must be one of text, scores"],
    ["__proto__", '{"__proto__":{"text":"a"}}', "__proto__ must be one of text, scores"],
  ])("refuses %s with the reason", async (_, body, message) => {
    await setUp();
    const reply = await call("POST", "/infer", body);
    expect(reply.status).toBe(400);
    expect(reply.body.error?.message).toContain(message);
    expect(executor.batches).toEqual([]);
  });

  it("refuses bytes that are not UTF-8", async () => {
    await setUp();
    const reply = await call("POST", "/infer", Buffer.from([0x7b, 0xff, 0xfe]));
    expect(reply).toMatchObject({ status: 400, body: { error: { message: /UTF-8/ } } });
  });

  it("refuses a declared body above the limit without reading it", async () => {
    await setUp();
    const { port } = server.address() as AddressInfo;
    const socket = connect(port, "127.0.0.1");
    socket.write(
      `POST /infer HTTP/1.1\r\nhost: x\r\ncontent-length: ${INFER_BODY_BYTES_MAX + 1}\r\n\r\n`,
    );
    let text = "";
    socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
    await once(socket, "close");
    expect(text).toContain("413");
    expect(text).toContain(`at most ${INFER_BODY_BYTES_MAX} bytes`);
  });

  it("stops reading an undeclared body at the limit", async () => {
    await setUp();
    const { port } = server.address() as AddressInfo;
    const socket = connect(port, "127.0.0.1");
    socket.write("POST /infer HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
    const half = (INFER_BODY_BYTES_MAX / 2 + 1).toString(16);
    const chunk = `${half}\r\n${"x".repeat(INFER_BODY_BYTES_MAX / 2 + 1)}\r\n`;
    socket.write(chunk + chunk);
    let text = "";
    socket.on("data", (data: Buffer) => (text += data.toString()));
    socket.on("error", () => undefined);
    await once(socket, "close");
    expect(text).toContain("413");
  });

  it("answers 503 naming the limit when the queue is full, and counts it", async () => {
    await setUp(true);
    const waiting: Promise<unknown>[] = [];
    for (let index = 0; index <= QUEUE_LENGTH_MAX; index++) {
      waiting.push(service.infer(`text ${index}`));
    }
    await expect(service.infer("one more")).rejects.toBeInstanceOf(QueueFullError);
    const reply = await infer("one more");
    expect(reply.status).toBe(503);
    expect(reply.body.error?.message).toContain(`the limit is ${QUEUE_LENGTH_MAX}`);
    expect(await metric(`${METRIC_NAMES.dropped}{reason="queue_full"}`)).toBe(1);
    expect(await metric(METRIC_NAMES.queueLength)).toBe(QUEUE_LENGTH_MAX);
    service.configure({ ...DEFAULT_TUNABLES, batchWindowMs: 1, maxBatchSize: 64 });
    for (let batch = 0; batch <= QUEUE_LENGTH_MAX / 64; batch++) executor.finish();
    expect((await Promise.all(waiting)).length).toBe(QUEUE_LENGTH_MAX + 1);
  });

  it("answers a repeated text from the cache, the same, without computing", async () => {
    await setUp();
    service.configure({ ...DEFAULT_TUNABLES, cacheEntries: 2 });
    const first = await infer("a");
    expect(await infer("a")).toEqual(first);
    expect(executor.batches).toEqual([["a"]]);
    expect(await metric(METRIC_NAMES.cacheHits)).toBe(1);
    await infer("b");
    await infer("c");
    await infer("a");
    expect(executor.batches).toEqual([["a"], ["b"], ["c"], ["a"]]);
    service.configure(DEFAULT_TUNABLES);
    expect(service.cacheSize).toBe(0);
  });
});

describe("readiness", () => {
  it("is 503 while warming, when only the warm-up may ask, and 200 after", async () => {
    await setUp(false, false);
    expect((await call("GET", "/healthz")).status).toBe(503);
    expect((await infer("a")).status).toBe(503);
    const headers = { "x-warm-up": "secret" };
    const warm = await fetch(`${base}/infer`, { method: "POST", headers, body: '{"text":"a"}' });
    expect(warm.status).toBe(200);
    service.finishWarmUp();
    expect((await call("GET", "/healthz")).status).toBe(200);
    expect((await infer("a")).status).toBe(200);
  });

  it("keeps a change that comes during the warm-up for its end", async () => {
    await setUp(false, false);
    service.configureForWarmUp({ ...DEFAULT_TUNABLES, cacheEntries: 5 });
    expect((await call("PUT", "/config", '{"workers":3}')).status).toBe(200);
    expect(executor.sizes).toEqual([1]);
    service.finishWarmUp();
    expect(executor.sizes).toEqual([1, 3]);
    expect((await call("GET", "/config")).body).toEqual({ ...DEFAULT_TUNABLES, workers: 3 });
  });

  it("is 503 when the compute threads are broken, and what waits is refused", async () => {
    await setUp(true);
    const first = service.infer("under way");
    const waiting = service.infer("waiting");
    service.fail("broken", "threads keep stopping");
    await expect(waiting).rejects.toThrow("threads keep stopping");
    expect(await call("GET", "/healthz")).toMatchObject({
      status: 503,
      body: { status: "broken" },
    });
    expect((await infer("a")).status).toBe(503);
    executor.finish();
    await first;
  });
});

describe("tunables over HTTP", () => {
  it("are replaced as a whole and read back", async () => {
    await setUp();
    const wanted = { maxBatchSize: 16, batchWindowMs: 2, cacheEntries: 100, workers: 2 };
    expect(await call("PUT", "/config", JSON.stringify(wanted))).toEqual({
      status: 200,
      body: wanted,
    });
    expect((await call("GET", "/config")).body).toEqual(wanted);
    expect((await call("PUT", "/config", "{}")).body).toEqual(DEFAULT_TUNABLES);
  });

  it("stay as they are when the new ones are wrong, and the error names field and limit", async () => {
    await setUp();
    const reply = await call("PUT", "/config", '{"workers":2,"batchWindowMs":51}');
    expect(reply.status).toBe(400);
    expect(reply.body.error?.field).toBe("batchWindowMs");
    expect(reply.body.error?.message).toContain("from 0 to 50 (ms), found 51");
    expect((await call("GET", "/config")).body).toEqual(DEFAULT_TUNABLES);
    expect((await call("PUT", "/config", " ".repeat(CONFIG_BYTES_MAX + 1))).status).toBe(413);
  });

  it("come from the file on reload; a bad file is 422 and changes nothing", async () => {
    await setUp();
    await writeFile(file, '{"batchWindowMs":7}');
    expect((await call("POST", "/reload")).status).toBe(200);
    const active = { ...DEFAULT_TUNABLES, batchWindowMs: 7 };
    for (const bad of ['{"batchWindowMs":"7"}', "{", " ".repeat(CONFIG_BYTES_MAX + 1)]) {
      await writeFile(file, bad);
      const reply = await call("POST", "/reload");
      expect(reply.status).toBe(422);
      expect(reply.body.error?.message).not.toBe("");
      expect((await call("GET", "/config")).body).toEqual(active);
    }
    await rm(file);
    expect((await call("POST", "/reload")).status).toBe(422);
  });

  it("change under way without losing a waiting request", async () => {
    await setUp(true);
    service.configure({ ...DEFAULT_TUNABLES, batchWindowMs: 50 });
    const answers = ["a", "b", "c"].map(async (text) => service.infer(text));
    service.configure({ ...DEFAULT_TUNABLES, batchWindowMs: 0, cacheEntries: 10, workers: 4 });
    for (let count = 0; count < 3; count++) executor.finish();
    expect((await Promise.all(answers)).map((answer) => answer.label)).toEqual(
      classify(["a", "b", "c"]).map((answer) => answer.label),
    );
  });
});

describe("metrics", () => {
  it("shows every series as 0 before the first request, also after the warm-up's reset", async () => {
    await setUp();
    metrics.reset();
    for (const name of [
      `${METRIC_NAMES.requestSeconds}_count`,
      `${METRIC_NAMES.requestSeconds}_sum`,
      `${METRIC_NAMES.requests}{code="200"}`,
      `${METRIC_NAMES.dropped}{reason="queue_full"}`,
      METRIC_NAMES.batches,
      METRIC_NAMES.cacheHits,
    ]) {
      expect([name, await metric(name)]).toEqual([name, 0]);
    }
  });

  it("has 4 % latency buckets whose counts, sum and codes follow the requests", async () => {
    await setUp();
    await infer("a");
    await infer("b");
    await infer("");
    const text = await (await fetch(`${base}/metrics`)).text();
    for (const name of Object.values(METRIC_NAMES)) expect(text).toContain(`# TYPE ${name} `);
    expect(text).toContain(`${METRIC_NAMES.requests}{code="200"} 2`);
    expect(text).toContain(`${METRIC_NAMES.requests}{code="400"} 1`);
    expect(await metric(`${METRIC_NAMES.requestSeconds}_count`)).toBe(2);
    expect(await metric(`${METRIC_NAMES.requestSeconds}_sum`)).toBeGreaterThan(0);
    expect(await metric(`${METRIC_NAMES.requestSeconds}_bucket{le="+Inf"}`)).toBe(2);
    expect(await metric(METRIC_NAMES.cpuSeconds)).toBeGreaterThan(0);
    const bounds = latencyBuckets();
    bounds.slice(1).forEach((bound, index) => {
      expect(bound / (bounds[index] ?? 0)).toBeLessThan(1.045);
      expect(bound).toBeGreaterThan(bounds[index] ?? Infinity);
    });
  });
});

it("answers an unknown endpoint with 404 and survives a broken request", async () => {
  await setUp();
  expect((await call("GET", "/nothing")).status).toBe(404);
  expect((await call("GET", "/infer")).status).toBe(404);
  const { port } = server.address() as AddressInfo;
  const socket = connect(port, "127.0.0.1");
  socket.end("NONSENSE\r\n\r\n");
  socket.resume();
  await once(socket, "close");
  expect((await infer("still here")).status).toBe(200);
});
