// A server for agents that only keeps what it hears, and a target whose metrics depend on its content:
// both real, on loopback, at ports that the system chose.
import { createPublicKey, verify } from "node:crypto";
import { createServer } from "node:http";
import type { Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { canonicalJson, utf8Encode } from "@kingly/base";
import type { JsonObject } from "@kingly/base";
import { certificateFingerprint, loadService, nodeCrypto } from "@kingly/protocol";
import type { AgentMessage, AgentServiceHandlers, ServerMessageInput } from "@kingly/protocol";
import { createAuthority, issueCertificate } from "@kingly/protocol/pki";
import type { Authority } from "@kingly/protocol/pki";
import { parseDocument, signingBytes } from "@kingly/resources";
import type { Assignment, SignedDocument, TrialOrder } from "@kingly/resources";

export const CLUSTER = "c-test";

type Call = Parameters<AgentServiceHandlers["Session"]>[0];

/** Waits for a condition of the world; fails with `what` after `limitMs`. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  limitMs = 60_000,
): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`${what}: not within ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export class FakeServer {
  readonly authority: Authority;
  readonly heard: AgentMessage[] = [];
  readonly documents: SignedDocument[] = [];
  readonly badSignatures: string[] = [];
  readonly deliveries = new Map<string, number>();
  /** Answers submissions. */
  answers = true;
  /** Named in Welcome. */
  greets = CLUSTER;
  sessions = 0;
  #server: Server | null = null;
  #call: Call | null = null;
  #port = 0;
  #publicKey: Uint8Array = new Uint8Array(0);
  #nonce = 0;

  private constructor(authority: Authority) {
    this.authority = authority;
  }

  static async start(authority?: Authority): Promise<FakeServer> {
    const nowMs = Date.now();
    const server = new FakeServer(
      authority ?? (await createAuthority({ clusterId: CLUSTER, nowMs })),
    );
    await server.listen();
    return server;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get token(): string {
    return `kjt1.t1.secret.${certificateFingerprint(this.authority.certificatePem)}`;
  }

  get connected(): boolean {
    return this.#call !== null;
  }

  /** Listens, on the port it had before if any. */
  async listen(): Promise<void> {
    const issued = await issueCertificate(this.authority, {
      identity: { kind: "server", clusterId: CLUSTER, name: "s1" },
      nowMs: Date.now(),
    });
    const server = new Server();
    const handlers: AgentServiceHandlers = {
      Enroll: (call, callback) => {
        void this.#enroll(call.request).then(
          (response) => callback(null, response),
          (error: Error) => callback({ code: 3, message: error.message }),
        );
      },
      Session: (call) => this.#session(call),
    };
    server.addService(loadService("agent").AgentService.service, handlers);
    const credentials = optionalClient(this.authority.certificatePem, issued);
    this.#port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(`127.0.0.1:${this.#port}`, credentials, (error, port) => {
        if (error) reject(error);
        else resolve(port);
      });
    });
    this.#server = server;
  }

  /** Gone at once, as after a power cut. */
  stop(): void {
    this.#call = null;
    this.#server?.forceShutdown();
    this.#server = null;
  }

  push(...assignments: readonly Assignment[]): void {
    this.#nonce += 1;
    const document = { clusterId: CLUSTER, node: "n1", assignments };
    this.send({ push: { nonce: `n${this.#nonce}`, document: json(document) } });
  }

  order(order: TrialOrder): void {
    this.send({ trialOrder: json(order) });
  }

  send(message: ServerMessageInput): void {
    this.#call?.write(message as Parameters<Call["write"]>[0]);
  }

  acks(): string[] {
    return this.heard.flatMap((m) => (m.ack ? [`${m.ack.version}:${m.ack.state.slice(6)}`] : []));
  }

  nacks(): string[] {
    return this.heard.flatMap((m) => (m.nack ? [`${m.nack.version}:${m.nack.reason}`] : []));
  }

  of<K extends SignedDocument["kind"]>(kind: K): Extract<SignedDocument, { kind: K }>[] {
    return this.documents.filter((d): d is Extract<SignedDocument, { kind: K }> => d.kind === kind);
  }

  async #enroll(
    request: Parameters<AgentServiceHandlers["Enroll"]>[0]["request"],
  ): Promise<Record<string, unknown>> {
    const proof = utf8Encode(`kingly-enroll|${this.token}|${request.node}`);
    const key = createPublicKey({ key: request.tlsPublicKey, format: "der", type: "spki" });
    if (!verify("sha256", proof, key, request.tlsProof)) throw new Error("bad TLS proof");
    if (!nodeCrypto.verify(request.signingPublicKey, proof, request.signingProof)) {
      throw new Error("bad signing proof");
    }
    this.#publicKey = request.signingPublicKey;
    const issued = await issueCertificate(this.authority, {
      identity: { kind: "node", clusterId: CLUSTER, name: request.node },
      publicKeyDer: request.tlsPublicKey,
      nowMs: Date.now(),
    });
    return {
      clusterId: CLUSTER,
      certificatePem: issued.certificatePem,
      authorityPem: this.authority.certificatePem,
      node: json({}),
      servers: [],
    };
  }

  #session(call: Call): void {
    this.sessions += 1;
    call.on("data", (message: AgentMessage) => {
      this.heard.push(message);
      if (message.hello) {
        this.#call = call;
        this.send({ welcome: { clusterId: this.greets, memberId: "s1", heartbeatMs: 200 } });
      }
      if (message.submission) this.#submission(message.submission);
    });
    const gone = (): void => {
      if (this.#call === call) this.#call = null;
    };
    call.on("end", () => {
      gone();
      call.end();
    });
    call.on("cancelled", gone);
    call.on("error", gone);
  }

  #submission(submission: NonNullable<AgentMessage["submission"]>): void {
    const { kind, idempotencyKey, document, signature } = submission;
    this.deliveries.set(idempotencyKey, (this.deliveries.get(idempotencyKey) ?? 0) + 1);
    if (!this.answers) return;
    const bytes = signingBytes({
      clusterId: CLUSTER,
      type: kind,
      uid: idempotencyKey,
      bytes: document,
    });
    if (!nodeCrypto.verify(this.#publicKey, bytes, signature)) this.badSignatures.push(kind);
    const known = this.documents.some((d) => d.idempotencyKey === idempotencyKey);
    if (!known) this.documents.push(parseDocument(kind as SignedDocument["kind"], document));
    this.send({ submissionResult: { idempotencyKey, code: "", message: "", retry: false } });
  }
}

/** Asks for a client certificate and does without, like the public port of a real server. */
function optionalClient(
  ca: string,
  issued: { readonly certificatePem: string; readonly privateKeyPem: string },
): ServerCredentials {
  class OptionalClient extends ServerCredentials {
    constructor() {
      super(
        { requestCert: true, rejectUnauthorized: false },
        { ca, cert: issued.certificatePem, key: issued.privateKeyPem },
      );
    }

    override _equals(other: ServerCredentials): boolean {
      return this === other;
    }
  }
  return new OptionalClient();
}

function json(value: object): Buffer {
  return Buffer.from(canonicalJson(value as unknown as JsonObject), "utf8");
}

/** A service with PUT /config, GET /config, GET /health and GET /metrics. */
export class FakeTarget {
  config: JsonObject;
  /** Mean latency in seconds under a content. */
  latency: (config: JsonObject) => number = () => 0.01;
  healthy = true;
  /** Contents put, in order. */
  readonly puts: JsonObject[] = [];
  /** Refuses to take contents while true. */
  refuses = false;
  #server: HttpServer | null = null;
  #port = 0;
  #count = 0;
  #sum = 0;
  #sinceMs = performance.now();

  private constructor(config: JsonObject) {
    this.config = config;
  }

  static async start(config: JsonObject): Promise<FakeTarget> {
    const target = new FakeTarget(config);
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const [status, body] = target.#answer(
          request.method ?? "",
          request.url ?? "",
          Buffer.concat(chunks).toString("utf8"),
        );
        response.writeHead(status).end(body);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    target.#server = server;
    target.#port = (server.address() as AddressInfo).port;
    return target;
  }

  url(path: string): string {
    return `http://127.0.0.1:${this.#port}${path}`;
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise<void>((resolve) => this.#server?.close(() => resolve()));
  }

  #answer(method: string, path: string, body: string): readonly [number, string] {
    this.#account();
    if (path === "/health") return this.healthy ? [200, "ok"] : [500, "down"];
    if (path === "/metrics") {
      const lines = [
        "# TYPE req_seconds histogram",
        `req_seconds_bucket{le="+Inf"} ${this.#count}`,
        `req_seconds_sum ${this.#sum}`,
        `req_seconds_count ${this.#count}`,
      ];
      return [200, `${lines.join("\n")}\n`];
    }
    if (path !== "/config") return [404, ""];
    if (method === "PUT") {
      if (this.refuses) return [422, "no"];
      this.config = JSON.parse(body) as JsonObject;
      this.puts.push(this.config);
    }
    return [200, JSON.stringify(this.config)];
  }

  /** As if 500 requests a second had been served until now, with a little noise. */
  #account(): void {
    const nowMs = performance.now();
    const requests = Math.round((nowMs - this.#sinceMs) / 2);
    if (requests === 0) return;
    this.#sinceMs = nowMs;
    this.#count += requests;
    this.#sum += requests * this.latency(this.config) * (0.95 + Math.random() / 10);
  }
}
