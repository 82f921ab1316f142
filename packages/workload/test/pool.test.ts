// Real compute threads (from dist) that die: what they held fails, the next ones take over, and after
// too many deaths the pool says so. A batch larger than the shared buffers makes a thread throw.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NETWORK_SEED } from "../src/app.ts";
import { BATCH_SIZE_MAX, WORKER_RESTARTS_MAX } from "../src/limits.ts";
import { createNetwork } from "../src/model/network.ts";
import { WorkerFailedError, WorkerPool } from "../src/serve/pool.ts";
import type { Classification } from "../src/serve/pool.ts";
import { classify } from "./support.ts";

let pool: WorkerPool;
let broken: Error | undefined;
let wake: () => void;

beforeEach(() => {
  broken = undefined;
  wake = () => undefined;
  pool = new WorkerPool(createNetwork(NETWORK_SEED), {
    onIdle: () => wake(),
    onBatch: () => undefined,
    onBroken: (reason) => {
      broken = reason;
      wake();
    },
  });
});

afterEach(async () => pool.close());

async function idleOrBroken(): Promise<void> {
  while (!pool.hasIdle() && broken === undefined) {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
}

async function run(texts: readonly string[]): Promise<PromiseSettledResult<Classification>[]> {
  const results: Promise<Classification>[] = [];
  const jobs = texts.map((text) => {
    let settle!: { resolve(result: Classification): void; reject(reason: Error): void };
    results.push(
      new Promise<Classification>((resolve, reject) => {
        settle = { resolve, reject };
      }),
    );
    return { text, ...settle };
  });
  pool.execute(jobs);
  return Promise.allSettled(results);
}

const TOO_MANY = Array.from({ length: BATCH_SIZE_MAX + 1 }, (_, index) => `text ${index}`);

describe("a compute thread that dies", () => {
  it("fails its batch and is replaced by one that computes the same", async () => {
    pool.resize(1);
    await idleOrBroken();
    for (const result of await run(TOO_MANY)) {
      expect(result.status === "rejected" && result.reason).toBeInstanceOf(WorkerFailedError);
    }
    await idleOrBroken();
    expect(await run(["late parcel"])).toEqual([
      { status: "fulfilled", value: classify(["late parcel"])[0] },
    ]);
  });

  it("leaves the pool broken, with the cause, after too many deaths", async () => {
    pool.resize(1);
    for (let death = 0; death <= WORKER_RESTARTS_MAX; death++) {
      expect(broken).toBeUndefined();
      await idleOrBroken();
      await run(TOO_MANY);
    }
    await idleOrBroken();
    expect(String(broken?.cause)).toContain(`found ${BATCH_SIZE_MAX + 1}`);
    expect(pool.readyCount).toBe(0);
  });
});

it("fails what is under way when it is closed", async () => {
  pool.resize(2);
  await idleOrBroken();
  const results = run(["a", "b"]);
  await pool.close();
  expect((await results).map((result) => result.status)).toEqual(["rejected", "rejected"]);
});
