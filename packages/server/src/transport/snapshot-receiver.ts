// Receives one snapshot at a time from one stream: chunks must come in order, their hash must be
// right at the end, and a new transfer replaces a broken one. Bytes go straight to storage.
import { createHash } from "node:crypto";
import type { Hash } from "node:crypto";
import { KinglyError, equalBytes } from "@kingly/base";
import { decodeRaftMessage, safeUint } from "@kingly/protocol";
import type { RaftSnapshotChunk } from "@kingly/protocol";
import type { IncomingSnapshot } from "./types.ts";

interface Transfer {
  readonly index: number;
  readonly term: number;
  readonly hash: Hash;
  readonly sink: IncomingSnapshot;
  next: number;
}

function malformed(field: string, message: string): KinglyError {
  return new KinglyError("MalformedFrame", message, { field });
}

/** Checks and hands on the chunks of one stream. */
export class SnapshotReceiver {
  readonly #open: (index: number, term: number) => IncomingSnapshot | undefined;
  #transfer: Transfer | undefined;

  constructor(open: (index: number, term: number) => IncomingSnapshot | undefined) {
    this.#open = open;
  }

  /** Takes one chunk. Rejects with MalformedFrame or Corrupted; the transfer is then over. */
  async chunk(chunk: RaftSnapshotChunk): Promise<void> {
    const transfer = this.#accept(chunk);
    if (transfer === undefined) return; // not wanted, or the rest of a broken transfer
    try {
      transfer.next += 1;
      if (chunk.data.length > 0) {
        const data = new Uint8Array(chunk.data);
        transfer.hash.update(data);
        await transfer.sink.write(data);
      }
      if (chunk.last) await this.#finish(transfer, chunk);
    } catch (error) {
      this.abort();
      throw error;
    }
  }

  #accept(chunk: RaftSnapshotChunk): Transfer | undefined {
    const index = safeUint(chunk.index, "snapshot.index");
    const term = safeUint(chunk.term, "snapshot.term");
    if (chunk.number === 0) {
      this.abort();
      const sink = this.#open(index, term);
      if (sink === undefined) return undefined;
      this.#transfer = { index, term, hash: createHash("sha256"), sink, next: 0 };
      return this.#transfer;
    }
    const transfer = this.#transfer;
    if (transfer === undefined) return undefined;
    if (transfer.index !== index || transfer.term !== term || transfer.next !== chunk.number) {
      this.abort();
      throw malformed("snapshot.number", `chunk ${chunk.number} is out of order`);
    }
    return transfer;
  }

  async #finish(transfer: Transfer, chunk: RaftSnapshotChunk): Promise<void> {
    if (!equalBytes(new Uint8Array(transfer.hash.digest()), new Uint8Array(chunk.sha256))) {
      throw new KinglyError("Corrupted", "the snapshot's hash does not match its bytes", {
        field: "snapshot.sha256",
      });
    }
    if (chunk.message === null)
      throw malformed("snapshot.message", "the last chunk has no message");
    const message = decodeRaftMessage(chunk.message);
    const metadata = message.snapshot?.metadata;
    if (
      message.type !== "MsgSnap" ||
      metadata?.index !== transfer.index ||
      metadata.term !== transfer.term
    ) {
      throw malformed("snapshot.message", "the message does not belong to the snapshot");
    }
    this.#transfer = undefined;
    await transfer.sink.finish(message);
  }

  /** Gives the transfer up. */
  abort(): void {
    this.#transfer?.sink.abort();
    this.#transfer = undefined;
  }
}
