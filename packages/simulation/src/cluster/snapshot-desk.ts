// Snapshots between simulated servers. The message is taken out of the normal way, the applied state
// exported, and both travel as one large parcel. The receiver stages the rows first; raft hears of the
// snapshot when all of it is verified. One import at a time, until raft has installed or refused it.

import { KinglyError } from "@kingly/base";
import type { SnapshotChunk, Storage } from "@kingly/storage";
import type { LogIndex, Message, NodeId, RawNode, Term } from "raft-ts";
import type { Host } from "./host.ts";

/** Microseconds without an answer after which a transfer has failed. */
const TRANSFER_US_MAX = 2_000_000;

/** What the desk works with. */
export interface SnapshotDeskPorts {
  readonly storage: Storage;
  readonly node: RawNode;
  readonly host: Host;
  readonly run: (action: () => void) => void;
  readonly send: (
    to: number,
    message: Message,
    chunks: readonly SnapshotChunk[],
    bytes: number,
  ) => void;
  /** Tells the sender that its snapshot has arrived whole. */
  readonly taken: (to: number) => void;
  readonly fatal: (error: unknown) => void;
}

/** Sends and receives snapshots of one server. */
export class SnapshotDesk {
  readonly #ports: SnapshotDeskPorts;
  /** Transfers under way by receiver, with their numbers. */
  readonly #sending = new Map<number, number>();
  #number = 0;
  /** "stepped": raft was told and decides in its next turn. */
  #import: "idle" | "staging" | "stepped" | "installing" = "idle";

  constructor(ports: SnapshotDeskPorts) {
    this.#ports = ports;
  }

  /** Exports the applied state and sends it with the message. */
  send(message: Message): void {
    const { to } = message;
    this.#number += 1;
    const number = this.#number;
    this.#sending.set(to, number);
    this.#ports.host.after(TRANSFER_US_MAX, () => this.#ended(to, number, "failure"));
    this.#export(message).catch(this.#ports.fatal);
  }

  async #export(message: Message): Promise<void> {
    const exported = await this.#ports.storage.exportSnapshot();
    const chunks: SnapshotChunk[] = [];
    let bytes = 0;
    for await (const chunk of exported.chunks) {
      chunks.push(chunk);
      bytes += chunk.bytes.length;
    }
    const { appliedIndex, appliedTerm, confState } = exported.meta;
    const metadata = { index: appliedIndex as LogIndex, term: appliedTerm as Term, confState };
    const snapshot = { data: new Uint8Array(0), metadata };
    this.#ports.send(message.to, { ...message, snapshot }, chunks, bytes);
  }

  /** The receiver says that it has all of it. */
  wasTaken(from: number): void {
    const number = this.#sending.get(from);
    if (number !== undefined) this.#ended(from, number, "finish");
  }

  #ended(to: number, number: number, how: "finish" | "failure"): void {
    if (this.#sending.get(to) !== number) return;
    this.#sending.delete(to);
    this.#ports.run(() => this.#ports.node.reportSnapshot(to as NodeId, how));
  }

  /** A snapshot arrived: stage it, then tell raft. */
  receive(message: Message, chunks: readonly SnapshotChunk[], appliedIndex: number): void {
    const index = message.snapshot?.metadata.index ?? 0;
    if (this.#import !== "idle" || index <= appliedIndex) return;
    this.#import = "staging";
    this.#stage(message, chunks).catch(this.#ports.fatal);
  }

  async #stage(message: Message, chunks: readonly SnapshotChunk[]): Promise<void> {
    const { storage, node, run, taken } = this.#ports;
    const meta = await storage.importSnapshot(chunks);
    const metadata = message.snapshot?.metadata;
    if (metadata?.index !== meta.appliedIndex || metadata.term !== meta.appliedTerm) {
      throw new KinglyError("Corrupted", "the snapshot is not the one its message describes");
    }
    taken(message.from);
    run(() => {
      node.step(message);
      this.#import = "stepped";
    });
  }

  /** Raft wants the staged snapshot to be installed. */
  installing(): void {
    this.#import = "installing";
  }

  /** A turn of raft is over: a snapshot it did not take is left over. */
  turnEnded(): void {
    if (this.#import === "stepped") this.#import = "idle";
  }

  /** The staged snapshot has become the state. */
  installed(): void {
    this.#import = "idle";
  }
}
