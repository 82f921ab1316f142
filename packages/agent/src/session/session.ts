// The node's one connection to the servers: a stream to one of them over mutual TLS, the next one when
// it fails, with jittered back-off. Nothing is queued here: what must arrive is in the core's outbox,
// and everything else is told anew after a reconnect.

import type { VerifyOptions } from "@grpc/grpc-js";
import { credentials } from "@grpc/grpc-js";
import type { Logger, Prng } from "@kingly/base";
import { toKinglyError } from "@kingly/base";
import type { NodeEvent, OutgoingMessage } from "@kingly/node-core";
import { identityFromAltNames, loadService, WIRE_MESSAGE_BYTES_MAX } from "@kingly/protocol";
import type {
  AgentMessageInput,
  AgentServiceClient,
  HelloInput,
  ServerMessage,
} from "@kingly/protocol";
import type { Enrollment, NodeKeys } from "../disk/keys.ts";
import { BACKLOG_BYTES_MAX, KEEPALIVE_MS, RECONNECT_MAX_MS, RECONNECT_MS } from "../limits.ts";
import { SOFT_BACKLOG_BYTES_MAX, WELCOME_TIMEOUT_MS } from "../limits.ts";
import { toEvent, toWire } from "./convert.ts";

type Stream = ReturnType<AgentServiceClient["Session"]>;

/** What a session needs. */
export interface SessionOptions {
  readonly enrollment: Enrollment;
  readonly keys: NodeKeys;
  /** host:port, tried in turn. */
  readonly servers: readonly string[];
  readonly prng: Prng;
  readonly logger: Logger;
  /** The greeting, made anew for every connection. */
  readonly hello: () => HelloInput;
  readonly onEvent: (event: NodeEvent) => void;
}

/** Keeps one stream open. */
export class Session {
  readonly #options: SessionOptions;
  #at = 0;
  #failures = 0;
  #client: AgentServiceClient | null = null;
  #stream: Stream | null = null;
  #welcomed = false;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;
  #server = "";

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** Address of the server that greeted us; "" while there is none. */
  get server(): string {
    return this.#welcomed ? this.#server : "";
  }

  start(): void {
    if (!this.#closed) this.#open();
  }

  /** Sends when connected; soft messages are dropped when the stream is slow. */
  send(message: OutgoingMessage): void {
    const stream = this.#stream;
    if (stream === null || !this.#welcomed) return;
    const backlog = stream.writableLength;
    if (message.type === "progress" && backlog > SOFT_BACKLOG_BYTES_MAX) return;
    if (backlog > BACKLOG_BYTES_MAX) {
      this.#fail(stream, `the server does not read: ${backlog} bytes wait`);
      return;
    }
    const { enrollment, keys } = this.#options;
    const signer = { clusterId: enrollment.clusterId, signingKey: keys.signingKey };
    this.#write(stream, toWire(message, signer));
  }

  stop(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const stream = this.#stream;
    this.#stream = null;
    stream?.end();
    this.#client?.close();
    this.#client = null;
  }

  #open(): void {
    const { servers, logger, hello } = this.#options;
    const address = servers[this.#at % servers.length] ?? "";
    this.#at += 1;
    this.#server = address;
    this.#welcomed = false;
    const { AgentService } = loadService("agent");
    const client = new AgentService(address, this.#credentials(), {
      "grpc.keepalive_time_ms": KEEPALIVE_MS,
      "grpc.keepalive_timeout_ms": KEEPALIVE_MS,
      "grpc.keepalive_permit_without_calls": 1,
      "grpc.max_receive_message_length": WIRE_MESSAGE_BYTES_MAX,
      "grpc.enable_retries": 0,
      // A name for the handshake where the address is a number (RFC 6066 forbids those).
      "grpc.ssl_target_name_override": "localhost",
    });
    this.#client = client;
    const stream = client.Session();
    this.#stream = stream;
    stream.on("data", (message: ServerMessage) => this.#onMessage(stream, message));
    stream.on("error", (error: Error) => this.#fail(stream, error.message));
    stream.on("end", () => this.#fail(stream, "the server ended the session"));
    this.#timer = setTimeout(() => {
      if (!this.#welcomed) this.#fail(stream, `no greeting within ${WELCOME_TIMEOUT_MS} ms`);
    }, WELCOME_TIMEOUT_MS);
    logger.debug("connecting", { server: address });
    this.#write(stream, { hello: hello() });
  }

  #credentials(): ReturnType<typeof credentials.createSsl> {
    const { enrollment, keys } = this.#options;
    // The address is only a way to get there: who a server is says its certificate.
    const verify: VerifyOptions = {
      checkServerIdentity: (_host, certificate) => {
        const identity = identityFromAltNames(certificate.subjectaltname);
        if (identity?.kind === "server" && identity.clusterId === enrollment.clusterId)
          return undefined;
        return new Error(`the peer is no server of cluster ${enrollment.clusterId}`);
      },
    };
    return credentials.createSsl(
      Buffer.from(enrollment.authorityPem),
      Buffer.from(keys.tlsKeyPem),
      Buffer.from(enrollment.certificatePem),
      verify,
    );
  }

  #onMessage(stream: Stream, message: ServerMessage): void {
    if (stream !== this.#stream) return;
    const { enrollment, logger, onEvent } = this.#options;
    if (message.welcome) {
      const { clusterId, heartbeatMs, memberId } = message.welcome;
      if (clusterId !== enrollment.clusterId) {
        this.#fail(
          stream,
          `WrongCluster: the server is of ${clusterId}, this node of ${enrollment.clusterId}`,
        );
        return;
      }
      this.#welcomed = true;
      this.#failures = 0;
      logger.info("connected", { server: this.#server, member: memberId });
      onEvent({ type: "connected", heartbeatMs });
      return;
    }
    if (!this.#welcomed) return;
    try {
      const event = toEvent(message);
      if (event !== null) onEvent(event);
    } catch (error) {
      logger.error("malformed message from a server", { error: toKinglyError(error).message });
    }
  }

  #write(stream: Stream, message: AgentMessageInput): void {
    stream.write(message as Parameters<Stream["write"]>[0]);
  }

  #fail(stream: Stream, reason: string): void {
    if (stream !== this.#stream) return;
    const { logger, onEvent, prng } = this.#options;
    const was = this.#welcomed;
    this.#stream = null;
    this.#welcomed = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
    stream.on("error", () => {});
    stream.cancel();
    this.#client?.close();
    this.#client = null;
    if (this.#closed) return;
    const longest = Math.min(RECONNECT_MAX_MS, RECONNECT_MS * 2 ** Math.min(this.#failures, 10));
    this.#failures += 1;
    const waitMs = longest * (0.5 + prng.unit() / 2);
    logger.warn("disconnected", { server: this.#server, reason, retryMs: Math.round(waitMs) });
    if (was) onEvent({ type: "disconnected" });
    this.#timer = setTimeout(() => this.#open(), waitMs);
  }
}
