// Writes of the raft core to the log, finished strictly in order. Appends overlap (storage groups
// them); a snapshot waits for everything before it and for the applier, replaces log and rows in one
// batch, and is finished only when the state was loaded anew.
import type { Storage } from "@kingly/storage";
import type { LogWrite } from "./driver.ts";

/** What the writer needs. */
export interface LogWriterPorts {
  readonly storage: Storage;
  /** Resolves when nothing is being applied. */
  applierIdle(): Promise<void>;
  /** The rows were replaced: load the state from storage. */
  reload(): Promise<void>;
  /** Seconds that one write took. */
  observe(seconds: number): void;
}

/** Ordered log writes. */
export class LogWriter {
  readonly #ports: LogWriterPorts;
  #last: Promise<void> = Promise.resolve();
  /** The newest snapshot installation, while it lasts. */
  #installing: Promise<void> | undefined;
  /** Start times of the writes under way, oldest first. */
  readonly #started: number[] = [];

  constructor(ports: LogWriterPorts) {
    this.#ports = ports;
  }

  /** Resolves when the write is durable and all writes before it are. */
  append(write: LogWrite): Promise<void> {
    const startedAt = performance.now();
    const before = this.#last;
    const written = this.#write(write, before);
    this.#started.push(startedAt);
    const done = Promise.all([before, written]).then(() => {
      this.#started.shift();
      this.#ports.observe((performance.now() - startedAt) / 1000);
    });
    this.#last = done;
    return done;
  }

  #write(write: LogWrite, before: Promise<void>): Promise<void> {
    if (write.snapshot !== undefined) {
      const installing = this.#install(write, before);
      this.#installing = installing;
      const over = (): void => {
        if (this.#installing === installing) this.#installing = undefined;
      };
      installing.then(over, over);
      return installing;
    }
    const { log } = this.#ports.storage;
    // Entries that follow a snapshot have no place in the log before the snapshot is there.
    return this.#installing === undefined
      ? log.append(write)
      : this.#installing.then(() => log.append(write));
  }

  /** Milliseconds that the oldest unfinished write has taken so far; 0 when none is under way. */
  stalledMs(): number {
    const oldest = this.#started[0];
    return oldest === undefined ? 0 : performance.now() - oldest;
  }

  async #install(write: LogWrite, before: Promise<void>): Promise<void> {
    await before;
    await this.#ports.applierIdle();
    await this.#ports.storage.log.append(write);
    await this.#ports.reload();
  }

  /** Resolves when the driver's reaction to what it was just handed is written. */
  async settled(): Promise<void> {
    // The driver reacts in its next turn of the loop; only then is there a write to wait for.
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    await this.idle();
  }

  /** Resolves when nothing is being written, however it ended. */
  async idle(): Promise<void> {
    await this.#last.catch(() => {});
  }
}
