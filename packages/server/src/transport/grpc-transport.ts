// The servers' network: gRPC over mutual TLS, two connections per peer (control: votes, heartbeats,
// acknowledgements; bulk: appends and snapshots), each direction its own streams. Peers are known by
// the identity in their certificate, never by address. See docs: consensus, Transport.
import { randomUUID } from "node:crypto";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import type {
  ServerReadableStream,
  ServerUnaryCall,
  ServiceError,
  sendUnaryData,
} from "@grpc/grpc-js";
import { KinglyError, assert, toKinglyError } from "@kingly/base";
import type { Logger } from "@kingly/base";
import {
  WIRE_MESSAGE_BYTES_MAX,
  identityFromAltNames,
  loadService,
  toServiceError,
} from "@kingly/protocol";
import type {
  ForwardRequest,
  ForwardResponseInput,
  RaftStreamEndInput,
  RaftTransportHandlers,
} from "@kingly/protocol";
import type { Message } from "raft-ts";
import type { Actor, SubmitResult, WriteRequest } from "../replica/replica.ts";
import { decodeForward, encodeForwardError, encodeForwardResult } from "./forward.ts";
import { checkRoute, frameMessages } from "./frames.ts";
import type { Frame } from "./frames.ts";
import { Peer } from "./peer.ts";
import { SnapshotReceiver } from "./snapshot-receiver.ts";
import { readIntroduction } from "./tls.ts";
import type { TlsFiles } from "./tls.ts";
import type { Member, OutgoingSnapshot, Transport, TransportHandlers } from "./types.ts";
import { DIGEST_BYTES_MAX, FORWARDS_IN_FLIGHT_MAX } from "../limits.ts";

/** Counts what the transport refuses; the metrics registry implements it. */
export interface TransportCounters {
  refusedFrame(reason: string): void;
  dropped(peer: string, count: number): void;
}

/** What a transport needs. */
export interface GrpcTransportOptions {
  readonly clusterId: string;
  readonly self: Member;
  readonly peers: readonly Member[];
  readonly tls: TlsFiles;
  readonly counters: TransportCounters;
  readonly logger: Logger;
}

type Handling = ServerReadableStream<Frame, RaftStreamEndInput>;

/** Transport over gRPC. Made by `listen`. */
export class GrpcTransport implements Transport {
  readonly #options: GrpcTransportOptions;
  readonly #server: Server;
  readonly #peers: ReadonlyMap<string, Peer>;
  readonly #peersByRaftId: ReadonlyMap<number, Peer>;
  readonly #boot = randomUUID();
  readonly #seenBoots = new Map<string, string>();
  readonly port: number;
  #handlers: TransportHandlers | undefined;
  #forwards = 0;
  #lastIndex: () => number = () => 0;

  private constructor(options: GrpcTransportOptions, server: Server, port: number) {
    this.#options = options;
    this.#server = server;
    this.port = port;
    const { clusterId, self, tls, counters, logger } = options;
    const peers = options.peers.map((member) => {
      return new Peer({
        clusterId,
        self,
        member,
        tls,
        logger,
        introduce: () => ({ boot: this.#boot, lastIndex: this.#lastIndex() }),
        onDropped: (count) => {
          counters.dropped(member.id, count);
          this.#handlers?.onUnreachable(member);
        },
      });
    });
    this.#peers = new Map(peers.map((peer) => [peer.member.id, peer]));
    this.#peersByRaftId = new Map(peers.map((peer) => [peer.member.raftId, peer]));
    server.addService(loadService("raft").RaftTransport.service, this.#service());
  }

  /** Binds the peer listener at host:port (0 = the system chooses). Rejects when it cannot. */
  static async listen(options: GrpcTransportOptions, address: string): Promise<GrpcTransport> {
    const { ca, cert, key } = options.tls;
    const server = new Server({
      "grpc.max_receive_message_length": WIRE_MESSAGE_BYTES_MAX,
      "grpc.keepalive_time_ms": 5_000,
      "grpc.keepalive_timeout_ms": 5_000,
    });
    const credentials = ServerCredentials.createSsl(
      ca,
      [{ cert_chain: cert, private_key: key }],
      true,
    );
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(address, credentials, (error, bound) => {
        if (error === null) resolve(bound);
        else
          reject(new KinglyError("Unavailable", `cannot listen on ${address}: ${error.message}`));
      });
    });
    return new GrpcTransport(options, server, port);
  }

  start(handlers: TransportHandlers, lastIndex: () => number): void {
    this.#handlers = handlers;
    this.#lastIndex = lastIndex;
    for (const peer of this.#peers.values()) peer.start();
  }

  send(messages: readonly Message[]): void {
    if (messages.length === 0) return;
    const byPeer = new Map<Peer, Message[]>();
    for (const message of messages) {
      const peer = this.#peersByRaftId.get(message.to);
      if (peer === undefined) continue; // a member that was removed meanwhile
      const list = byPeer.get(peer);
      if (list === undefined) byPeer.set(peer, [message]);
      else list.push(message);
    }
    for (const [peer, list] of byPeer) peer.send(list);
  }

  async sendSnapshot(snapshot: OutgoingSnapshot): Promise<void> {
    const peer = this.#peersByRaftId.get(snapshot.message.to);
    if (peer === undefined) throw new KinglyError("Unavailable", "the member was removed");
    await peer.sendSnapshot(snapshot);
  }

  broadcastDigest(bytes: Uint8Array): void {
    assert(bytes.length <= DIGEST_BYTES_MAX, "a digest is cut before it is sent");
    for (const peer of this.#peers.values()) peer.sendDigest(bytes);
  }

  async forward(
    to: string,
    request: WriteRequest,
    actor: Actor,
    deadlineMs: number,
  ): Promise<SubmitResult> {
    const peer = this.#peers.get(to);
    if (peer === undefined) throw new KinglyError("NoLeader", `no server ${to} to forward to`);
    return peer.forward(request, actor, deadlineMs);
  }

  isConnected(raftId: number): boolean {
    return this.#peersByRaftId.get(raftId)?.connected ?? false;
  }

  queueLengths(): ReadonlyMap<string, number> {
    return new Map([...this.#peers].map(([id, peer]) => [id, peer.queued]));
  }

  async close(): Promise<void> {
    this.#handlers = undefined;
    for (const peer of this.#peers.values()) peer.close();
    this.#server.forceShutdown();
    await Promise.resolve();
  }

  #service(): RaftTransportHandlers {
    return {
      Control: (call, callback) => {
        const member = this.#stream(call, callback);
        if (member !== undefined) call.on("close", () => this.#handlers?.onPeerLost(member));
      },
      Bulk: (call, callback) => void this.#stream(call, callback),
      Forward: (call, callback) => void this.#forwarded(call, callback),
    };
  }

  /** The member that the caller's certificate names. Throws WrongCluster or Forbidden. */
  #caller(call: Handling | ServerUnaryCall<ForwardRequest, unknown>): Member {
    const names = call.getAuthContext().sslPeerCertificate?.subjectaltname;
    const identity = identityFromAltNames(names);
    if (identity?.kind !== "server") {
      throw new KinglyError("Forbidden", "only servers of this cluster may call this service");
    }
    if (identity.clusterId !== this.#options.clusterId) {
      throw new KinglyError("WrongCluster", "the certificate was issued for another cluster", {
        field: "clusterId",
        limit: this.#options.clusterId,
        value: identity.clusterId.slice(0, 80),
      });
    }
    const peer = this.#peers.get(identity.name);
    if (peer === undefined) {
      throw new KinglyError("Forbidden", `${identity.name} is no member of this cluster`, {
        field: "member",
        value: identity.name.slice(0, 80),
      });
    }
    return peer.member;
  }

  #refuse(error: unknown): Partial<ServiceError> & Error {
    const refused = toKinglyError(error);
    this.#options.counters.refusedFrame(refused.code);
    this.#options.logger.warn("refused a call of a server", { error: refused.message });
    return toServiceError(refused);
  }

  /** Serves one stream; the member that opened it, undefined when it was refused. */
  #stream(call: Handling, callback: sendUnaryData<RaftStreamEndInput>): Member | undefined {
    let member: Member;
    try {
      member = this.#caller(call);
    } catch (error) {
      callback(this.#refuse(error));
      return undefined;
    }
    this.#introduced(member, call);
    const snapshots = new SnapshotReceiver((index, term) => {
      return this.#handlers?.onSnapshot(member, index, term);
    });
    let ended = false;
    const end = (error: unknown): void => {
      if (ended) return;
      ended = true;
      snapshots.abort();
      if (error === undefined) callback(null, { reason: "closed" });
      else callback(this.#refuse(error));
    };
    call.on("data", (frame: Frame) => {
      if (ended) return;
      try {
        const waiting = this.#frame(member, frame, snapshots);
        if (waiting === undefined) return;
        call.pause();
        waiting.then(() => call.resume(), end);
      } catch (error) {
        end(error);
      }
    });
    call.on("end", () => end(undefined));
    call.on("error", () => end(undefined));
    call.on("cancelled", () => end(undefined));
    return member;
  }

  #introduced(member: Member, call: Handling): void {
    const introduction = readIntroduction(call.metadata);
    if (introduction === undefined || this.#handlers === undefined) return;
    if (this.#seenBoots.get(member.id) === introduction.boot) return;
    this.#seenBoots.set(member.id, introduction.boot);
    this.#handlers.onPeerStarted(member, introduction.lastIndex);
  }

  /** Handles one frame; a promise asks the stream to wait. Throws what makes the frame refusable. */
  #frame(from: Member, frame: Frame, snapshots: SnapshotReceiver): Promise<void> | undefined {
    const { self, clusterId } = this.#options;
    checkRoute(frame, { clusterId, from: from.id, to: self.id });
    const handlers = this.#handlers;
    if (handlers === undefined) return undefined;
    switch (frame.body) {
      case "messages":
        handlers.onMessages(from, frameMessages(frame, { from: from.raftId, to: self.raftId }));
        return undefined;
      case "snapshot":
        return frame.snapshot ? snapshots.chunk(frame.snapshot) : undefined;
      case "digest":
        if (frame.digest !== undefined) handlers.onDigest(from, frame.digest);
        return undefined;
      case undefined:
        throw new KinglyError("MalformedFrame", "a frame without content", { field: "body" });
      default:
        throw new KinglyError("MalformedFrame", "unknown content of a frame", { field: "body" });
    }
  }

  async #forwarded(
    call: ServerUnaryCall<ForwardRequest, unknown>,
    callback: sendUnaryData<ForwardResponseInput>,
  ): Promise<void> {
    if (this.#forwards >= FORWARDS_IN_FLIGHT_MAX) {
      callback(
        null,
        encodeForwardError(new KinglyError("Overloaded", "too many forwarded writes")),
      );
      return;
    }
    this.#forwards += 1;
    try {
      const from = this.#caller(call);
      const { request, actor, deadlineMs } = decodeForward(call.request, this.#options.clusterId);
      const handlers = this.#handlers;
      if (handlers === undefined) throw new KinglyError("Unavailable", "the server is stopping");
      callback(
        null,
        encodeForwardResult(await handlers.onForward(from, request, actor, deadlineMs)),
      );
    } catch (error) {
      callback(null, encodeForwardError(toKinglyError(error)));
    } finally {
      this.#forwards -= 1;
    }
  }
}
