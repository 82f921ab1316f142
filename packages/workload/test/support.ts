// Shared by the tests: hands of a clock that only the test turns, and compute threads that are none:
// the real classifier on the test's own thread, answering when the test says so (or at once).
import type { Clock } from "../src/clock.ts";
import { BATCH_SIZE_MAX } from "../src/limits.ts";
import { FEATURE_COUNT, writeFeatures } from "../src/model/features.ts";
import {
  Classifier,
  createBatchBuffers,
  createNetwork,
  LABEL_COUNT,
} from "../src/model/network.ts";
import { NETWORK_SEED } from "../src/app.ts";
import type { Classification, Job } from "../src/serve/pool.ts";
import type { Executor } from "../src/serve/service.ts";

export class FakeClock implements Clock {
  #now = 1_000;
  #timers: { readonly at: number; readonly action: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  after(delayMs: number, action: () => void): () => void {
    const timer = { at: this.#now + delayMs, action };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  get timerCount(): number {
    return this.#timers.length;
  }

  /** Moves time without looking at timers, as a blocked thread would. */
  stall(milliseconds: number): void {
    this.#now += milliseconds;
  }

  /** Moves time and runs what becomes due, in order. */
  advance(milliseconds: number): void {
    const until = this.#now + milliseconds;
    for (;;) {
      const due = this.#timers.filter((timer) => timer.at <= until);
      const next = due.sort((left, right) => left.at - right.at)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.#now = Math.max(this.#now, next.at);
      next.action();
    }
    this.#now = until;
  }
}

const BUFFERS = createBatchBuffers();
const CLASSIFIER = new Classifier(createNetwork(NETWORK_SEED));

/** Classifies texts together on this thread. */
export function classify(texts: readonly string[]): readonly Classification[] {
  const buffers = BUFFERS;
  for (const [index, text] of texts.entries()) {
    writeFeatures(text, buffers.features, index * FEATURE_COUNT);
  }
  CLASSIFIER.run(buffers, texts.length);
  return texts.map((_, index) => ({
    label: buffers.labels[index] ?? -1,
    scores: buffers.scores.slice(index * LABEL_COUNT, (index + 1) * LABEL_COUNT),
  }));
}

/** An executor with one "thread". `manual`: answers only on `finish()`. */
export class InlineExecutor implements Executor {
  readonly batches: (readonly string[])[] = [];
  readonly sizes: number[] = [];
  onIdle: () => void = () => undefined;
  readonly #manual: boolean;
  #current: readonly Job[] | undefined;

  constructor(manual: boolean) {
    this.#manual = manual;
  }

  hasIdle(): boolean {
    return this.#current === undefined;
  }

  execute(batch: readonly Job[]): void {
    if (this.#current !== undefined) throw new Error("busy");
    if (batch.length === 0 || batch.length > BATCH_SIZE_MAX) throw new Error("bad batch size");
    this.#current = batch;
    this.batches.push(batch.map((job) => job.text));
    if (!this.#manual) queueMicrotask(() => this.finish());
  }

  /** Answers the batch under way. */
  finish(): void {
    const batch = this.#current;
    if (batch === undefined) throw new Error("nothing under way");
    this.#current = undefined;
    const results = classify(batch.map((job) => job.text));
    for (const [index, job] of batch.entries()) {
      const result = results[index];
      if (result !== undefined) job.resolve(result);
    }
    this.onIdle();
  }

  resize(size: number): void {
    this.sizes.push(size);
  }

  async close(): Promise<void> {
    return Promise.resolve();
  }
}
