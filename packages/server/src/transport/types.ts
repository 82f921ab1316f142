// What the replica knows of the network: messages out, messages in, and forwarded writes. gRPC is
// one implementation; tests may use another.
import type { Message } from "raft-ts";
import type { Actor, SubmitResult, WriteRequest } from "../replica/replica.ts";

/** A member of the cluster, as configured. */
export interface Member {
  readonly id: string;
  /** Id in raft, 1 to 2^53-3; never used again for another incarnation. */
  readonly raftId: number;
  readonly incarnation: string;
  /** Public gRPC address (host:port) that clients and agents use. */
  readonly address: string;
  /** Address (host:port) of the listener for other servers. */
  readonly peerAddress: string;
}

/** A snapshot to be sent: which raft message it belongs to and where its bytes come from. */
export interface OutgoingSnapshot {
  /** The MsgSnap; its metadata must describe exactly the bytes. */
  readonly message: Message;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** A snapshot that arrives chunk by chunk. */
export interface IncomingSnapshot {
  /** Takes the next bytes; the transport waits for it before it reads on. */
  write(chunk: Uint8Array): Promise<void>;
  /** All bytes arrived and their hash is right: install and let raft know. */
  finish(message: Message): Promise<void>;
  /** The transfer broke off. */
  abort(): void;
}

/** What the transport calls. None of these may throw. */
export interface TransportHandlers {
  onMessages(from: Member, messages: readonly Message[]): void;
  onDigest(from: Member, bytes: Uint8Array): void;
  /** Undefined = no snapshot wanted now. */
  onSnapshot(from: Member, index: number, term: number): IncomingSnapshot | undefined;
  onForward(
    from: Member,
    request: WriteRequest,
    actor: Actor,
    deadlineMs: number,
  ): Promise<SubmitResult>;
  /** A process of the peer that is new to us opened a stream; its log ended at `lastIndex`. */
  onPeerStarted(from: Member, lastIndex: number): void;
  /** The peer's control stream to us ended: its process died or the network broke. */
  onPeerLost(from: Member): void;
  /** Messages to the peer were lost. Damped. */
  onUnreachable(peer: Member): void;
}

/** Sends to and receives from the other servers. */
export interface Transport {
  /** Port of the peer listener. */
  readonly port: number;
  /** Starts the streams to the peers; handlers are called from now on. `lastIndex` tells the end of
   * the own log, with which this process introduces itself whenever it opens a stream. */
  start(handlers: TransportHandlers, lastIndex: () => number): void;
  /** Queues messages to the members they name; never blocks, may drop. */
  send(messages: readonly Message[]): void;
  /** Resolves when the peer has taken the whole snapshot, rejects when the transfer broke off. */
  sendSnapshot(snapshot: OutgoingSnapshot): Promise<void>;
  broadcastDigest(bytes: Uint8Array): void;
  /** Hands a write to another server; errors are KinglyErrors. */
  forward(
    to: string,
    request: WriteRequest,
    actor: Actor,
    deadlineMs: number,
  ): Promise<SubmitResult>;
  /** True while both streams to the member are up. */
  isConnected(raftId: number): boolean;
  /** Queue lengths by member id, for metrics. */
  queueLengths(): ReadonlyMap<string, number>;
  close(): Promise<void>;
}
