// The main thread's handle on the load thread.
import { Worker } from "node:worker_threads";
import { entryUrl } from "../entry.ts";
import { WORKER_YOUNG_GENERATION_MB } from "../limits.ts";
import type { LoadInput, LoadOrder, LoadReply } from "./messages.ts";

/** One load thread. If it fails, the process fails: a service without its load would mislead. */
export class LoadThread {
  readonly #worker: Worker;

  constructor(input: LoadInput) {
    this.#worker = new Worker(entryUrl(import.meta.url, "./worker"), {
      workerData: input,
      resourceLimits: { maxYoungGenerationSizeMb: WORKER_YOUNG_GENERATION_MB },
    });
  }

  /** Sends bursts of these sizes to `target`, one after the other; returns how many requests failed. */
  async warm(
    target: string,
    headers: Readonly<Record<string, string>>,
    sizes: readonly number[],
  ): Promise<number> {
    const reply = new Promise<LoadReply>((resolve) => this.#worker.once("message", resolve));
    this.#order({ kind: "warm", target, headers, sizes });
    return (await reply).failures;
  }

  /** Starts the scheduled load. */
  start(): void {
    this.#order({ kind: "start" });
  }

  /** Stops at once; answers under way are lost. */
  async stop(): Promise<void> {
    await this.#worker.terminate();
  }

  #order(order: LoadOrder): void {
    this.#worker.postMessage(order);
  }
}
