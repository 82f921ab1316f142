// Log writes of one simulated server, finished strictly in order. Appends overlap; a snapshot waits
// for everything before it and for the applier, and everything after it waits for the snapshot,
// because its entries continue a log that exists only once the snapshot is installed.

import type { Storage } from "@kingly/storage";
import type { Message } from "raft-ts";
import type { Applier } from "./applier.ts";
import type { SnapshotDesk } from "./snapshot-desk.ts";

/** What the writer works with. */
export interface LogWriterPorts {
  readonly storage: Storage;
  readonly applier: Applier;
  readonly snapshots: SnapshotDesk;
  /** Loads the machine from the rows that a snapshot brought. */
  readonly reload: () => Promise<void>;
}

/** Ordered writes; see the file comment. */
export class LogWriter {
  readonly #ports: LogWriterPorts;
  #last: Promise<void> = Promise.resolve();
  /** The newest installation of a snapshot, while it lasts. */
  #installing: Promise<void> | undefined;
  #compacting = false;

  constructor(ports: LogWriterPorts) {
    this.#ports = ports;
  }

  /** Carries out a MsgStorageAppend; resolves when it and all before it are durable. */
  append(message: Message): Promise<void> {
    const before = this.#last;
    const done = Promise.all([before, this.#write(message, before)]).then(() => {});
    this.#last = done;
    // Each caller handles its own rejection; the chain must not count as unhandled.
    done.catch(() => {});
    return done;
  }

  #write(message: Message, before: Promise<void>): Promise<void> {
    if (message.snapshot !== undefined) {
      const installing = this.#install(message, before);
      this.#installing = installing;
      const over = (): void => {
        if (this.#installing === installing) this.#installing = undefined;
      };
      installing.then(over, over);
      return installing;
    }
    // Entries behind a snapshot have no place in the log before the snapshot is there. They wait for
    // nothing else, so that none can be overtaken by one that comes when it is there.
    return this.#installing === undefined
      ? this.#toLog(message)
      : this.#installing.then(() => this.#toLog(message));
  }

  async #install(message: Message, before: Promise<void>): Promise<void> {
    this.#ports.snapshots.installing();
    await before;
    await this.#ports.applier.idle();
    await this.#toLog(message);
    await this.#ports.reload();
    this.#ports.snapshots.installed();
  }

  #toLog(message: Message): Promise<void> {
    const { term, vote, commit, entries, snapshot } = message;
    const hasHardState = term !== 0 || vote !== 0 || commit !== 0;
    return this.#ports.storage.log.append({
      entries,
      ...(hasHardState ? { hardState: { term, vote, commit } } : {}),
      ...(snapshot === undefined ? {} : { snapshot }),
    });
  }

  /** Forgets the log up to an applied index, less `keep` entries. */
  async compact(index: number, keep: number): Promise<void> {
    if (this.#compacting || this.#installing !== undefined) return;
    this.#compacting = true;
    await this.#ports.storage.objects.sync();
    await this.#ports.storage.log.compact(index, keep);
    this.#compacting = false;
  }
}
