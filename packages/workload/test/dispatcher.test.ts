// The batching rule on a clock that only the test turns.
import { beforeEach, describe, expect, it } from "vitest";
import { QUEUE_LENGTH_MAX } from "../src/limits.ts";
import { Dispatcher } from "../src/serve/dispatcher.ts";
import { FakeClock } from "./support.ts";

let clock: FakeClock;
let batches: (readonly number[])[];
let idle: number;

const executor = {
  hasIdle: () => idle > 0,
  execute(batch: readonly number[]): void {
    idle--;
    batches.push(batch);
  },
};

function create(batchWindowMs: number, maxBatchSize = 4): Dispatcher<number> {
  return new Dispatcher(clock, executor, { batchWindowMs, maxBatchSize });
}

beforeEach(() => {
  clock = new FakeClock();
  batches = [];
  idle = 1;
});

describe("without a window", () => {
  it("hands out one request per call, in order, as workers become idle", () => {
    const dispatcher = create(0);
    for (const job of [1, 2, 3]) dispatcher.enqueue(job);
    expect(batches).toEqual([[1]]);
    idle = 2;
    dispatcher.pump();
    expect(batches).toEqual([[1], [2], [3]]);
    expect(clock.timerCount).toBe(0);
  });
});

describe("with a window", () => {
  it("sends a full batch at once", () => {
    const dispatcher = create(10);
    for (const job of [1, 2, 3]) dispatcher.enqueue(job);
    expect(batches).toEqual([]);
    dispatcher.enqueue(4);
    expect(batches).toEqual([[1, 2, 3, 4]]);
    expect(clock.timerCount).toBe(0);
  });

  it("sends what there is when the oldest has waited the window, to the nearest tick", () => {
    const dispatcher = create(10);
    dispatcher.enqueue(1);
    clock.advance(6);
    dispatcher.enqueue(2);
    clock.advance(3.4);
    expect(batches).toEqual([]);
    clock.advance(0.2);
    expect(batches).toEqual([[1, 2]]);
  });

  it("starts a new wait for the requests that came after a batch", () => {
    const dispatcher = create(10, 2);
    idle = 9;
    for (const job of [1, 2, 3]) dispatcher.enqueue(job);
    expect(batches).toEqual([[1, 2]]);
    clock.advance(10);
    expect(batches).toEqual([[1, 2], [3]]);
  });

  it("keeps requests while every worker is busy and sends an overdue batch at once after", () => {
    const dispatcher = create(10);
    idle = 0;
    for (const job of [1, 2]) dispatcher.enqueue(job);
    clock.advance(50);
    expect(batches).toEqual([]);
    idle = 1;
    dispatcher.pump();
    expect(batches).toEqual([[1, 2]]);
  });

  it("never puts more than maxBatchSize requests into a batch", () => {
    const dispatcher = create(10, 3);
    idle = 0;
    for (let job = 0; job < 8; job++) dispatcher.enqueue(job);
    idle = 8;
    dispatcher.pump();
    clock.advance(10);
    expect(batches.map((batch) => batch.length)).toEqual([3, 3, 2]);
    expect(batches.flat()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });
});

describe("a change of settings", () => {
  it("from a long window to none releases what waits, each alone", () => {
    const dispatcher = create(50);
    idle = 5;
    for (const job of [1, 2, 3]) dispatcher.enqueue(job);
    dispatcher.configure({ batchWindowMs: 0, maxBatchSize: 4 });
    expect(batches).toEqual([[1], [2], [3]]);
  });

  it("to a smaller batch releases a batch that is full now", () => {
    const dispatcher = create(50, 8);
    for (const job of [1, 2]) dispatcher.enqueue(job);
    dispatcher.configure({ batchWindowMs: 50, maxBatchSize: 2 });
    expect(batches).toEqual([[1, 2]]);
  });
});

it("refuses a request when the queue is full, and takes one again after a batch left", () => {
  const dispatcher = create(0);
  idle = 0;
  for (let job = 0; job < QUEUE_LENGTH_MAX; job++) expect(dispatcher.enqueue(job)).toBe(true);
  expect(dispatcher.enqueue(-1)).toBe(false);
  expect(dispatcher.length).toBe(QUEUE_LENGTH_MAX);
  idle = 1;
  dispatcher.pump();
  expect(dispatcher.enqueue(-2)).toBe(true);
});

it("drains in order and forgets its timer", () => {
  const dispatcher = create(10);
  for (const job of [1, 2]) dispatcher.enqueue(job);
  expect(dispatcher.drain()).toEqual([1, 2]);
  expect(dispatcher.length).toBe(0);
  expect(clock.timerCount).toBe(0);
});
