// One other server as seen from here: a control and a bulk lane on connections of their own, and
// unary calls for forwarded writes. The peer's certificate must carry the expected member's
// identity; its host name does not matter.
import { credentials } from "@grpc/grpc-js";
import type { ChannelCredentials, ServiceError } from "@grpc/grpc-js";
import { KinglyError, assert } from "@kingly/base";
import type { Logger } from "@kingly/base";
import {
  SNAPSHOT_CHUNK_BYTES,
  WIRE_MESSAGE_BYTES_MAX,
  encodeRaftMessage,
  identityFromAltNames,
  loadService,
} from "@kingly/protocol";
import type { RaftTransportClient } from "@kingly/protocol";
import { createHash } from "node:crypto";
import type { Message } from "raft-ts";
import type { Actor, SubmitResult, WriteRequest } from "../replica/replica.ts";
import { decodeForwardResponse, encodeForward } from "./forward.ts";
import { messageFrame } from "./frames.ts";
import type { FrameRoute } from "./frames.ts";
import { introductionMetadata } from "./tls.ts";
import type { Introduction, TlsFiles } from "./tls.ts";
import { Lane } from "./lane.ts";
import type { Member, OutgoingSnapshot } from "./types.ts";

/** What a peer needs. */
export interface PeerOptions {
  readonly clusterId: string;
  readonly self: Member;
  readonly member: Member;
  readonly tls: TlsFiles;
  readonly logger: Logger;
  /** Introduces this process. Read when a stream is opened. */
  readonly introduce: () => Introduction;
  readonly onDropped: (count: number) => void;
}

function peerCredentials(options: PeerOptions): ChannelCredentials {
  const { tls, clusterId, member } = options;
  return credentials.createSsl(tls.ca, tls.key, tls.cert, {
    checkServerIdentity: (_host, certificate) => {
      const identity = identityFromAltNames(certificate.subjectaltname);
      const right =
        identity?.kind === "server" &&
        identity.clusterId === clusterId &&
        identity.name === member.id;
      return right
        ? undefined
        : new Error(`the server at ${member.peerAddress} is not ${member.id}`);
    },
  });
}

/** All appends, also empty ones: one that overtook the entries before it would be rejected. */
function isBulk(message: Message): boolean {
  return message.type === "MsgApp";
}

/** Connection to one other server. */
export class Peer {
  readonly member: Member;
  readonly #options: PeerOptions;
  readonly #route: FrameRoute;
  readonly #clients: readonly [control: RaftTransportClient, bulk: RaftTransportClient];
  readonly #control: Lane;
  readonly #bulk: Lane;
  #sendingSnapshot = false;

  constructor(options: PeerOptions) {
    this.#options = options;
    this.member = options.member;
    this.#route = { clusterId: options.clusterId, from: options.self.id, to: options.member.id };
    this.#clients = [this.#client(), this.#client()];
    this.#control = this.#lane("control", this.#clients[0]);
    this.#bulk = this.#lane("bulk", this.#clients[1]);
  }

  #client(): RaftTransportClient {
    const { RaftTransport } = loadService("raft");
    return new RaftTransport(this.member.peerAddress, peerCredentials(this.#options), {
      "grpc.use_local_subchannel_pool": 1,
      "grpc.ssl_target_name_override": "localhost", // the identity is checked instead
      "grpc.max_receive_message_length": WIRE_MESSAGE_BYTES_MAX,
      "grpc.initial_reconnect_backoff_ms": 100,
      "grpc.min_reconnect_backoff_ms": 100,
      "grpc.max_reconnect_backoff_ms": 1_000,
      "grpc.keepalive_time_ms": 2_000,
      "grpc.keepalive_timeout_ms": 2_000,
      "grpc.enable_retries": 0,
      "grpc.enable_channelz": 0,
    });
  }

  #lane(name: "control" | "bulk", client: RaftTransportClient): Lane {
    const { introduce, logger, onDropped } = this.#options;
    return new Lane({
      open: (done) => {
        const metadata = introductionMetadata(introduce());
        return client[name](metadata, (error: ServiceError | null) => done(error));
      },
      frame: (messages) => messageFrame(this.#route, messages),
      onDropped,
      onState: (connected, reason) => {
        if (!connected) logger.debug("lost a stream", { peer: this.member.id, lane: name, reason });
      },
    });
  }

  get connected(): boolean {
    return this.#control.connected && this.#bulk.connected;
  }

  get queued(): number {
    return this.#control.length + this.#bulk.length;
  }

  start(): void {
    this.#control.start();
    this.#bulk.start();
  }

  send(messages: readonly Message[]): void {
    const bulk = messages.filter(isBulk);
    if (bulk.length === 0) {
      this.#control.send(messages);
      return;
    }
    this.#bulk.send(bulk);
    if (bulk.length < messages.length) {
      this.#control.send(messages.filter((message) => !isBulk(message)));
    }
  }

  sendDigest(digest: Uint8Array): void {
    this.#control.write({ ...this.#route, digest });
  }

  /** One transfer at a time; raft asks again when this one fails. */
  async sendSnapshot(snapshot: OutgoingSnapshot): Promise<void> {
    if (this.#sendingSnapshot) throw new KinglyError("Overloaded", "a transfer is under way");
    this.#sendingSnapshot = true;
    try {
      await this.#transfer(snapshot);
    } finally {
      this.#sendingSnapshot = false;
    }
  }

  async #transfer(snapshot: OutgoingSnapshot): Promise<void> {
    const metadata = snapshot.message.snapshot?.metadata;
    assert(metadata !== undefined, "a snapshot message carries metadata");
    const { index, term } = metadata;
    const hash = createHash("sha256");
    let number = 0;
    const write = async (data: Uint8Array, last: object): Promise<void> => {
      const up = await this.#bulk.waitWritable();
      const chunk = { index, term, number, data, ...last };
      if (!up || !this.#bulk.write({ ...this.#route, snapshot: chunk })) {
        throw new KinglyError("Unavailable", `the connection to ${this.member.id} broke`);
      }
      number += 1;
    };
    for await (const bytes of snapshot.chunks) {
      hash.update(bytes);
      for (let at = 0; at < bytes.length; at += SNAPSHOT_CHUNK_BYTES) {
        await write(bytes.subarray(at, at + SNAPSHOT_CHUNK_BYTES), {});
      }
    }
    const message = encodeRaftMessage(snapshot.message);
    await write(new Uint8Array(0), { last: true, sha256: hash.digest(), message });
  }

  /** A write for the leader. Unavailable only when it certainly did not arrive there. */
  forward(request: WriteRequest, actor: Actor, deadlineMs: number): Promise<SubmitResult> {
    const wire = encodeForward(this.#options.clusterId, request, actor, deadlineMs);
    if (!this.#control.connected) {
      return Promise.reject(
        new KinglyError("Unavailable", `no connection to the leader ${this.member.id}`),
      );
    }
    return new Promise((resolve, reject) => {
      // A little longer than the leader waits, so that its answer wins.
      const deadline = Date.now() + deadlineMs + 500;
      // On the bulk connection: a megabyte of document must not delay a heartbeat.
      this.#clients[1].forward(wire, { deadline }, (error, response) => {
        if (error?.details.startsWith("No connection established") === true) {
          const message = `no connection to the leader ${this.member.id}`;
          reject(new KinglyError("Unavailable", message, {}, { cause: error }));
          return;
        }
        if (error !== null || response === undefined) {
          const details = {
            ...(request.idempotencyKey && { idempotencyKey: request.idempotencyKey }),
          };
          reject(
            new KinglyError(
              "Indeterminate",
              "the connection to the leader broke while it handled the write",
              details,
              { cause: error },
            ),
          );
          return;
        }
        try {
          resolve(decodeForwardResponse(response));
        } catch (refused) {
          reject(refused instanceof Error ? refused : new Error(String(refused)));
        }
      });
    });
  }

  close(): void {
    this.#control.close();
    this.#bulk.close();
    for (const client of this.#clients) client.close();
  }
}
