// The compute threads. Each has its own shared buffers and holds at most one batch; a batch costs one
// message there and one back. The size changes hot: a new thread joins when it is warm, a surplus one
// leaves after its batch, so a change never loses a request. A thread that dies fails its batch and
// is replaced, WORKER_RESTARTS_MAX times.
import { Worker } from "node:worker_threads";
import { WORKER_RESTARTS_MAX, WORKER_YOUNG_GENERATION_MB } from "../limits.ts";
import { FEATURE_COUNT, writeFeatures } from "../model/features.ts";
import { createBatchBuffers, LABEL_COUNT } from "../model/network.ts";
import type { BatchBuffers } from "../model/network.ts";
import type { Network } from "../model/weights.ts";
import { entryUrl } from "../entry.ts";
import type { BatchExecutor } from "./dispatcher.ts";
import { WORKER_READY } from "./messages.ts";
import type { WorkerInput } from "./messages.ts";

/** One answer. */
export interface Classification {
  /** The class with the largest score, 0..15. */
  readonly label: number;
  /** All 16 scores. */
  readonly scores: Float32Array;
}

/** One request on its way through queue and worker; exactly one of the two functions is called. */
export interface Job {
  readonly text: string;
  resolve(result: Classification): void;
  reject(reason: Error): void;
}

/** A compute thread died with a batch in its hands. */
export class WorkerFailedError extends Error {
  override readonly name: string = "WorkerFailedError";
}

/** What the pool tells its owner. */
export interface PoolEvents {
  /** A worker can take a batch. */
  onIdle(): void;
  /** A batch has left for a worker. */
  onBatch(size: number): void;
  /** Too many workers died; the pool will not recover. */
  onBroken(reason: Error): void;
}

type SlotState = "starting" | "idle" | "busy" | "leaving";

interface Slot {
  readonly worker: Worker;
  readonly buffers: BatchBuffers;
  state: SlotState;
  batch: readonly Job[];
}

/** Between 1 and 4 compute threads. */
export class WorkerPool implements BatchExecutor<Job> {
  readonly #network: Network;
  readonly #events: PoolEvents;
  #slots: Slot[] = [];
  #size = 0;
  #restarts = 0;
  #closed = false;

  constructor(network: Network, events: PoolEvents) {
    this.#network = network;
    this.#events = events;
  }

  /** Threads that are warm and not leaving. */
  get readyCount(): number {
    return this.#slots.filter((slot) => slot.state === "idle" || slot.state === "busy").length;
  }

  /** True when a batch can be taken now. */
  hasIdle(): boolean {
    return this.#slots.some((slot) => slot.state === "idle");
  }

  /** Sets the wanted number of threads. Returns at once; threads start in the background. */
  resize(size: number): void {
    this.#size = size;
    setImmediate(() => this.#reconcile());
  }

  /** Computes a batch on an idle worker; a caller's error when there is none. */
  execute(batch: readonly Job[]): void {
    const slot = this.#slots.find((candidate) => candidate.state === "idle");
    if (slot === undefined) throw new Error("execute called while no worker is idle");
    slot.state = "busy";
    slot.batch = batch;
    for (const [index, job] of batch.entries()) {
      writeFeatures(job.text, slot.buffers.features, index * FEATURE_COUNT);
    }
    slot.worker.postMessage(batch.length);
    this.#events.onBatch(batch.length);
  }

  /** Stops every thread; batches under way fail. */
  async close(): Promise<void> {
    this.#closed = true;
    const slots = this.#slots;
    this.#slots = [];
    for (const slot of slots) this.#failBatch(slot, new WorkerFailedError("service stopped"));
    await Promise.all(slots.map(async (slot) => slot.worker.terminate()));
  }

  #reconcile(): void {
    if (this.#closed) return;
    const staying = this.#slots.filter((slot) => slot.state !== "leaving");
    for (let count = staying.length; count < this.#size; count++) this.#spawn();
    // Those still starting leave first, so that a warm thread is always left.
    const byWarmth = [
      ...staying.filter((slot) => slot.state !== "starting"),
      ...staying.filter((slot) => slot.state === "starting"),
    ];
    for (const slot of byWarmth.slice(this.#size)) {
      const busy = slot.state === "busy";
      slot.state = "leaving";
      if (!busy) this.#remove(slot);
    }
  }

  #spawn(): void {
    const buffers = createBatchBuffers();
    const input: WorkerInput = { network: this.#network, buffers };
    const worker = new Worker(entryUrl(import.meta.url, "./worker"), {
      workerData: input,
      resourceLimits: { maxYoungGenerationSizeMb: WORKER_YOUNG_GENERATION_MB },
    });
    const slot: Slot = { worker, buffers, state: "starting", batch: [] };
    this.#slots.push(slot);
    let cause: Error | undefined;
    worker.on("message", (count: number) => this.#onMessage(slot, count));
    worker.on("error", (error: Error) => {
      cause = error;
    });
    worker.on("exit", () => this.#onExit(slot, cause));
  }

  #onMessage(slot: Slot, count: number): void {
    if (count !== WORKER_READY) this.#settle(slot);
    if (slot.state === "leaving") {
      this.#remove(slot);
      return;
    }
    slot.state = "idle";
    this.#events.onIdle();
  }

  #settle(slot: Slot): void {
    const { batch, buffers } = slot;
    slot.batch = [];
    for (const [index, job] of batch.entries()) {
      const from = index * LABEL_COUNT;
      job.resolve({
        label: buffers.labels[index] ?? 0,
        scores: Float32Array.from(buffers.scores.subarray(from, from + LABEL_COUNT)),
      });
    }
  }

  #remove(slot: Slot): void {
    this.#slots = this.#slots.filter((other) => other !== slot);
    void slot.worker.terminate();
  }

  #onExit(slot: Slot, cause: Error | undefined): void {
    if (!this.#slots.includes(slot)) return; // Asked to leave.
    this.#slots = this.#slots.filter((other) => other !== slot);
    const failure = new WorkerFailedError("a compute thread stopped", { cause });
    this.#failBatch(slot, failure);
    this.#restarts++;
    if (this.#restarts > WORKER_RESTARTS_MAX) this.#events.onBroken(failure);
    else this.#reconcile();
  }

  #failBatch(slot: Slot, reason: Error): void {
    const batch = slot.batch;
    slot.batch = [];
    for (const job of batch) job.reject(reason);
  }
}
