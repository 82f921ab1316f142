// Snapshots between servers. When raft wants to send one, its message is taken out of the normal way:
// the applied state is exported at that moment, the message's metadata is set to what was really
// exported, and both go as chunks on the bulk lane. The receiver stages the rows in storage while
// they arrive; raft hears of the snapshot only when all of it is there and verified.
import { KinglyError } from "@kingly/base";
import type { Logger } from "@kingly/base";
import type { Storage } from "@kingly/storage";
import type { SnapshotChunk } from "@kingly/storage";
import type { LogIndex, Message, Term } from "raft-ts";
import { SNAPSHOT_TRANSFER_MS_MAX } from "../limits.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { IncomingSnapshot, Transport } from "../transport/types.ts";
import type { RaftDriver } from "./driver.ts";

/** What sending needs. */
export interface SnapshotSenderPorts {
  readonly storage: Storage;
  readonly transport: Transport;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Sends snapshots for the driver. */
export class SnapshotSender {
  readonly #ports: SnapshotSenderPorts;

  constructor(ports: SnapshotSenderPorts) {
    this.#ports = ports;
  }

  /** Takes snapshot messages out and sends them on their own; returns the others. */
  divert(messages: readonly Message[], driver: RaftDriver): readonly Message[] {
    if (!messages.some((message) => message.type === "MsgSnap")) return messages;
    for (const message of messages) {
      if (message.type === "MsgSnap") void this.#send(message, driver);
    }
    return messages.filter((message) => message.type !== "MsgSnap");
  }

  async #send(message: Message, driver: RaftDriver): Promise<void> {
    const { storage, transport, logger, metrics } = this.#ports;
    try {
      const exported = await storage.exportSnapshot();
      const { appliedIndex, appliedTerm, confState } = exported.meta;
      const metadata = {
        index: appliedIndex as LogIndex,
        term: appliedTerm as Term,
        confState,
      };
      logger.info("sending a snapshot", { to: message.to, index: appliedIndex });
      await transport.sendSnapshot({
        message: { ...message, snapshot: { data: new Uint8Array(0), metadata } },
        chunks: bytesOf(exported.chunks),
      });
      metrics.snapshotsSent.inc({ result: "finish" });
      driver.reportSnapshot(message.to, "finish");
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      logger.warn("a snapshot transfer failed", { to: message.to, reason });
      metrics.snapshotsSent.inc({ result: "failure" });
      driver.reportSnapshot(message.to, "failure");
    }
  }
}

async function* bytesOf(chunks: AsyncIterable<SnapshotChunk>): AsyncIterable<Uint8Array> {
  const startedAt = performance.now();
  for await (const chunk of chunks) {
    if (performance.now() - startedAt > SNAPSHOT_TRANSFER_MS_MAX) {
      throw new KinglyError("DeadlineExceeded", "the transfer takes too long", {
        limit: SNAPSHOT_TRANSFER_MS_MAX,
      });
    }
    yield chunk.bytes;
  }
}

/** Stages an arriving snapshot in storage. */
export class SnapshotSink implements IncomingSnapshot {
  readonly #deliver: (message: Message) => void;
  readonly #imported: Promise<{ readonly appliedIndex: number; readonly appliedTerm: number }>;
  #offset = 0;
  #next: SnapshotChunk | undefined;
  #ended: "finished" | "aborted" | undefined;
  #wakeReader: (() => void) | undefined;
  #wakeWriter: (() => void) | undefined;

  /** `deliver` hands the message to raft when everything is staged. */
  constructor(storage: Storage, deliver: (message: Message) => void) {
    this.#deliver = deliver;
    this.#imported = storage.importSnapshot(this.#chunks());
    // Observed by write and finish; an aborted import must not count as unhandled.
    this.#imported.catch(() => this.#wakeWriter?.());
  }

  async *#chunks(): AsyncIterable<SnapshotChunk> {
    for (;;) {
      while (this.#next === undefined && this.#ended === undefined) {
        await new Promise<void>((resolve) => (this.#wakeReader = resolve));
      }
      const chunk = this.#next;
      if (this.#ended === "aborted") {
        throw new KinglyError("Unavailable", "the snapshot transfer broke off");
      }
      if (chunk === undefined) return;
      this.#next = undefined;
      this.#wakeWriter?.();
      yield chunk;
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    const offset = this.#offset;
    this.#offset += bytes.length;
    this.#next = { offset, bytes, digest: new Uint8Array(0), last: false };
    this.#wakeReader?.();
    const taken = new Promise<void>((resolve) => (this.#wakeWriter = resolve));
    await Promise.race([taken, this.#imported]);
  }

  async finish(message: Message): Promise<void> {
    this.#ended = "finished";
    this.#wakeReader?.();
    const meta = await this.#imported;
    const metadata = message.snapshot?.metadata;
    if (metadata?.index !== meta.appliedIndex || metadata.term !== meta.appliedTerm) {
      throw new KinglyError("Corrupted", "the snapshot is not the one its message describes", {
        field: "snapshot.index",
        limit: meta.appliedIndex,
        value: metadata?.index ?? 0,
      });
    }
    this.#deliver(message);
  }

  abort(): void {
    if (this.#ended !== undefined) return;
    this.#ended = "aborted";
    this.#wakeReader?.();
  }
}

/** What taking snapshots in needs. */
export interface SnapshotIntakePorts {
  readonly storage: Storage;
  /** Hands a message to raft. */
  readonly deliver: (message: Message) => void;
  /** Resolves when raft's reaction to what was delivered is written. */
  readonly settled: () => Promise<void>;
}

/** One snapshot at a time: storage stages one, and it must be installed before the next replaces it. */
export class SnapshotIntake {
  readonly #ports: SnapshotIntakePorts;
  #current: SnapshotSink | undefined;

  constructor(ports: SnapshotIntakePorts) {
    this.#ports = ports;
  }

  /** A place for an arriving snapshot; undefined while another one is under way. */
  open(): IncomingSnapshot | undefined {
    if (this.#current !== undefined) return undefined;
    const { storage, deliver, settled } = this.#ports;
    const sink = new SnapshotSink(storage, (message) => deliver(message));
    this.#current = sink;
    const free = (): void => {
      if (this.#current === sink) this.#current = undefined;
    };
    return {
      write: (bytes) => sink.write(bytes),
      finish: async (message) => {
        try {
          await sink.finish(message);
          await settled();
        } finally {
          free();
        }
      },
      abort: () => {
        sink.abort();
        free();
      },
    };
  }
}
