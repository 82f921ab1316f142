// An open data directory: the raft log, the applied objects, snapshots in and out, and the end of it
// all. Built by open-storage.ts.

import { KinglyError } from "@kingly/base";
import type { KeyValueStore } from "./disk.ts";
import type { GroupWriter } from "./group-writer.ts";
import type { HaltSwitch } from "./halt.ts";
import type { Identity } from "./identity.ts";
import type { MarkFile } from "./mark-file.ts";
import type { ObjectMeta } from "./meta.ts";
import type { ObjectStore } from "./object-store.ts";
import type { RaftLogStore } from "./raft-log-store.ts";
import type { SnapshotChunk } from "./snapshot-codec.ts";
import { beginExport } from "./snapshot-export.ts";
import type { SnapshotExport } from "./snapshot-export.ts";
import type { RowSource, SnapshotImporter } from "./snapshot-import.ts";

/** The parts an open storage is made of. */
export interface StorageParts {
  readonly identity: Identity;
  readonly store: KeyValueStore;
  readonly markFile: MarkFile;
  readonly halt: HaltSwitch;
  readonly writer: GroupWriter;
  readonly log: RaftLogStore;
  readonly objects: ObjectStore;
  readonly importer: SnapshotImporter;
  readonly repairs: readonly string[];
}

/** The durable storage of one server. */
export class Storage {
  readonly #parts: StorageParts;
  #closing: Promise<void> | undefined;

  constructor(parts: StorageParts) {
    this.#parts = parts;
  }

  get identity(): Identity {
    return this.#parts.identity;
  }

  /** The raft log: LogStorage for the core, `append` for the append thread. */
  get log(): RaftLogStore {
    return this.#parts.log;
  }

  /** The applied state. */
  get objects(): ObjectStore {
    return this.#parts.objects;
  }

  /** What opening found and repaired, one sentence each; empty when everything was in order. */
  get repairs(): readonly string[] {
    return this.#parts.repairs;
  }

  /** The failure that halted the store, or undefined while it works. */
  get failure(): KinglyError | undefined {
    return this.#parts.halt.cause;
  }

  /** A snapshot of everything committed so far, from one consistent view. */
  async exportSnapshot(): Promise<SnapshotExport> {
    const { objects, store, identity } = this.#parts;
    await objects.sync();
    return beginExport(store, objects.generation, identity.clusterId);
  }

  /**
   * Reads, verifies and stages a snapshot. It becomes current with the `log.append` that carries its
   * metadata. Throws Corrupted when the stream is damaged; nothing changes then.
   */
  importSnapshot(
    chunks: AsyncIterable<SnapshotChunk> | Iterable<SnapshotChunk>,
  ): Promise<ObjectMeta> {
    return this.#parts.importer.import(chunks);
  }

  /** Stages rows that are at hand (restore from a backup); see `importSnapshot`. */
  stageSnapshot(rows: RowSource, meta: ObjectMeta, chain: Uint8Array): Promise<void> {
    return this.#parts.importer.stage(rows, meta, chain);
  }

  /** Resolves when rows that a snapshot replaced are removed from the disk. */
  cleaned(): Promise<void> {
    return this.#parts.importer.cleaned();
  }

  /** Writes what is staged, then closes the files. Safe to call twice; a halted store just closes. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { writer, halt, objects, importer, markFile, store } = this.#parts;
    try {
      if (halt.cause === undefined) {
        await objects.sync();
        await writer.idle();
      }
      await importer.cleaned();
    } finally {
      halt.trip(new KinglyError("Unavailable", "the storage is closed"));
      await markFile.close();
      await store.close();
    }
  }
}
