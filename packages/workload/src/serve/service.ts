// The inference service without HTTP: cache, then queue and batches, then threads; one place where
// tunables become active. Changing them is a few assignments in one turn of the event loop, so no
// request ever sees half of a change.
import type { Clock } from "../clock.ts";
import { QUEUE_LENGTH_MAX } from "../limits.ts";
import type { Tunables } from "../tunables.ts";
import { LruCache } from "./cache.ts";
import { Dispatcher } from "./dispatcher.ts";
import type { BatchExecutor } from "./dispatcher.ts";
import type { Classification, Job } from "./pool.ts";

/** The queue is full; the caller should try later. */
export class QueueFullError extends Error {
  override readonly name: string = "QueueFullError";

  constructor() {
    super(`queue is full: ${QUEUE_LENGTH_MAX} requests wait, the limit is ${QUEUE_LENGTH_MAX}`);
  }
}

/** The service is stopping or broken and answers nobody any more. */
export class StoppedError extends Error {
  override readonly name: string = "StoppedError";
}

/** warming: not measured yet; ready; broken: compute threads keep dying; stopped: closed. */
export type ServiceState = "warming" | "ready" | "broken" | "stopped";

/** Computes for the service. WorkerPool is the real one. */
export interface Executor extends BatchExecutor<Job> {
  resize(size: number): void;
  close(): Promise<void>;
}

/** What the service counts elsewhere. */
export interface ServiceEvents {
  onCache(hit: boolean): void;
}

/** Answers texts with labels. */
export class InferenceService {
  readonly #executor: Executor;
  readonly #dispatcher: Dispatcher<Job>;
  readonly #cache: LruCache<Classification>;
  readonly #events: ServiceEvents;
  #wanted: Tunables;
  #active: Tunables;
  #state: ServiceState = "warming";

  constructor(clock: Clock, executor: Executor, tunables: Tunables, events: ServiceEvents) {
    this.#executor = executor;
    this.#events = events;
    this.#wanted = tunables;
    this.#active = tunables;
    this.#dispatcher = new Dispatcher(clock, executor, tunables);
    this.#cache = new LruCache(tunables.cacheEntries);
    executor.resize(tunables.workers);
  }

  get state(): ServiceState {
    return this.#state;
  }

  /** The tunables asked for: active now, or as soon as the warm-up ends. */
  get tunables(): Tunables {
    return this.#wanted;
  }

  /** Requests waiting for a worker. */
  get queueLength(): number {
    return this.#dispatcher.length;
  }

  /** Answers kept in the cache. */
  get cacheSize(): number {
    return this.#cache.size;
  }

  /** Makes valid tunables active; during the warm-up they wait for its end. */
  configure(tunables: Tunables): void {
    this.#wanted = tunables;
    if (this.#state === "ready") this.#activate(tunables);
  }

  /** Only for the warm-up: what is active until `finishWarmUp`. */
  configureForWarmUp(tunables: Tunables): void {
    if (this.#state === "warming") this.#activate(tunables);
  }

  /** Ends the warm-up with an empty cache and the wanted tunables. */
  finishWarmUp(): void {
    if (this.#state !== "warming") return;
    this.#state = "ready";
    this.#cache.clear();
    this.#activate(this.#wanted);
  }

  /** Classifies a text. Rejects with QueueFullError, WorkerFailedError or StoppedError. */
  async infer(text: string): Promise<Classification> {
    if (this.#state === "broken" || this.#state === "stopped") {
      throw new StoppedError(`service is ${this.#state}`);
    }
    const caching = this.#active.cacheEntries > 0;
    if (caching) {
      const known = this.#cache.get(text);
      this.#events.onCache(known !== undefined);
      if (known !== undefined) return known;
    }
    const result = await new Promise<Classification>((resolve, reject) => {
      if (!this.#dispatcher.enqueue({ text, resolve, reject })) reject(new QueueFullError());
    });
    this.#cache.set(text, result);
    return result;
  }

  /** A worker can take a batch. */
  onIdle(): void {
    this.#dispatcher.pump();
  }

  /** Refuses what waits and everything to come. */
  fail(state: "broken" | "stopped", reason: string): void {
    this.#state = state;
    for (const job of this.#dispatcher.drain()) job.reject(new StoppedError(reason));
  }

  /** Stops the threads. */
  async close(): Promise<void> {
    if (this.#state !== "broken") this.fail("stopped", "service is stopped");
    await this.#executor.close();
  }

  #activate(tunables: Tunables): void {
    if (tunables.workers !== this.#active.workers) this.#executor.resize(tunables.workers);
    this.#active = tunables;
    this.#cache.resize(tunables.cacheEntries);
    this.#dispatcher.configure(tunables);
  }
}
