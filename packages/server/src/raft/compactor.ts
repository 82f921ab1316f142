// Compacts the log behind the applied state: rarely and in one go, keeping enough entries that a
// server which was away for a moment needs no snapshot.
import type { Logger } from "@kingly/base";
import type { Storage } from "@kingly/storage";
import type { CompactionConfig } from "../config.ts";

/** Decides when the log is compacted. */
export class Compactor {
  readonly #storage: Storage;
  readonly #config: CompactionConfig;
  readonly #logger: Logger;
  #running: Promise<void> | undefined;

  constructor(storage: Storage, config: CompactionConfig, logger: Logger) {
    this.#storage = storage;
    this.#config = config;
    this.#logger = logger;
  }

  /** Looks whether there is enough to compact. Rejects when the disk fails. */
  applied(index: number): Promise<void> {
    const { everyEntries, keepEntries } = this.#config;
    if (this.#running !== undefined) return Promise.resolve();
    if (index - this.#storage.log.firstIndex() < everyEntries + keepEntries) {
      return Promise.resolve();
    }
    this.#running = this.#compact(index, keepEntries).finally(() => (this.#running = undefined));
    return this.#running;
  }

  async #compact(index: number, keep: number): Promise<void> {
    await this.#storage.objects.sync();
    await this.#storage.log.compact(index, keep);
    this.#logger.debug("compacted the log", { firstIndex: this.#storage.log.firstIndex() });
  }
}
