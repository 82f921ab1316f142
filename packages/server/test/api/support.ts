// The API of one server in this process, over a fake replica, with clients for both ports.
import { generateKeyPairSync, sign } from "node:crypto";
import { request as httpsRequest } from "node:https";
import type { IncomingMessage } from "node:http";
import { credentials } from "@grpc/grpc-js";
import type { ChannelCredentials, ServiceError } from "@grpc/grpc-js";
import { noLogger, utf8Encode } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import { generateSigningKey, loadService, nodeCrypto } from "@kingly/protocol";
import type {
  AgentServiceClient,
  ClusterServiceClient,
  ConfigServiceClient,
  EnrollResponse,
} from "@kingly/protocol";
import { createAuthority, issueCertificate } from "@kingly/protocol/pki";
import { ADMINS, EDITORS, VIEWERS, hashToken, serveApi } from "../../src/api/index.ts";
import type { TokenRecord } from "../../src/api/index.ts";
import type { RunningApi } from "../../src/api-contract.ts";
import { CLUSTER_ID, FakeReplica, TestClock } from "./fake-replica.ts";

export const TOKENS = { admin: "admin-token", editor: "editor-token", viewer: "viewer-token" };

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly body: JsonObject;
}

export interface CallOptions {
  readonly body?: JsonValue | string | Buffer;
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Agent {
  readonly name: string;
  readonly client: AgentServiceClient;
  readonly signingKey: Uint8Array;
  readonly response: EnrollResponse;
}

/** A path inside an object. */
export function at(value: JsonValue | undefined, ...path: readonly (string | number)[]): JsonValue {
  let here: JsonValue | undefined = value;
  for (const part of path) {
    here = (here as Readonly<Record<string | number, JsonValue>> | undefined)?.[part];
  }
  return here ?? null;
}

/** The text at a path; "" when there is none. */
export function text(value: JsonValue | undefined, ...path: readonly (string | number)[]): string {
  const found = at(value, ...path);
  return typeof found === "string" ? found : "";
}

/** Waits for a condition; fails after 20 s with `what`. */
export async function eventually<T>(
  what: string,
  condition: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export class TestApi {
  readonly replica: FakeReplica;
  readonly clock: TestClock;
  readonly api: RunningApi;
  readonly authorityPem: string;
  readonly tokens: TokenRecord[];
  ready = true;
  readonly #authority: { certificatePem: string; privateKeyPem: string };
  readonly #clients: { close(): void }[] = [];

  private constructor(parts: {
    replica: FakeReplica;
    clock: TestClock;
    api: RunningApi;
    tokens: TokenRecord[];
    authority: { certificatePem: string; privateKeyPem: string };
  }) {
    this.replica = parts.replica;
    this.clock = parts.clock;
    this.api = parts.api;
    this.tokens = parts.tokens;
    this.#authority = parts.authority;
    this.authorityPem = parts.authority.certificatePem;
    this.replica.address = `localhost:${parts.api.grpcPort}`;
  }

  static async start(): Promise<TestApi> {
    const clock = new TestClock();
    const nowMs = clock.nowMs();
    const authority = await createAuthority({ clusterId: CLUSTER_ID, nowMs });
    const identity = { kind: "server", clusterId: CLUSTER_ID, name: "m1" } as const;
    const issued = await issueCertificate(authority, { identity, nowMs });
    const replica = new FakeReplica(clock);
    const record = (name: string, group: string, token: string): TokenRecord => ({
      name,
      groups: [group],
      sha256: hashToken(token),
    });
    const tokens = [
      record("alice", ADMINS, TOKENS.admin),
      record("ed", EDITORS, TOKENS.editor),
      record("vera", VIEWERS, TOKENS.viewer),
    ];
    const local = { host: "127.0.0.1", port: 0 };
    const holder: { api?: TestApi } = {};
    const api = await serveApi({
      replica,
      grpc: local,
      rest: local,
      tls: {
        ca: Buffer.from(authority.certificatePem),
        cert: Buffer.from(issued.certificatePem),
        key: Buffer.from(issued.privateKeyPem),
      },
      authority,
      tokens: () => tokens,
      ready: () => holder.api?.ready ?? true,
      clock,
      logger: noLogger,
      version: "0.1.0",
    });
    holder.api = new TestApi({ replica, clock, api, tokens, authority });
    return holder.api;
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.api.close();
  }

  /** One REST call. */
  async call(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    const response = await this.open(method, path, options);
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const content = Buffer.concat(chunks).toString("utf8");
    let body: JsonObject = {};
    try {
      body = JSON.parse(content) as JsonObject;
    } catch {
      // Plain text: health, metrics.
    }
    return { status: response.statusCode ?? 0, headers: response.headers, text: content, body };
  }

  /** Begins a REST call; the response's body is the caller's. */
  open(method: string, path: string, options: CallOptions = {}): Promise<IncomingMessage> {
    const { body, headers = {} } = options;
    const token = "token" in options ? options.token : TOKENS.admin;
    const bytes =
      body === undefined || Buffer.isBuffer(body)
        ? body
        : Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
    return new Promise((resolve, reject) => {
      const request = httpsRequest(
        {
          host: "127.0.0.1",
          port: this.api.restPort,
          ca: this.authorityPem,
          agent: false,
          method,
          path,
          headers: {
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
            ...(bytes === undefined
              ? {}
              : { "content-type": "application/json", "content-length": String(bytes.length) }),
            ...headers,
          },
        },
        resolve,
      );
      request.on("error", reject);
      request.end(bytes);
    });
  }

  /** Channel credentials for the gRPC port; with a certificate when one is given. */
  credentials(certificate?: { readonly cert: string; readonly key: string }): ChannelCredentials {
    const ca = Buffer.from(this.authorityPem);
    if (certificate === undefined) return credentials.createSsl(ca);
    return credentials.createSsl(ca, Buffer.from(certificate.key), Buffer.from(certificate.cert));
  }

  get grpcAddress(): string {
    return `localhost:${this.api.grpcPort}`;
  }

  #keep<T extends { close(): void }>(client: T): T {
    this.#clients.push(client);
    return client;
  }

  configClient(channel: ChannelCredentials = this.credentials()): ConfigServiceClient {
    const { ConfigService } = loadService("config");
    return this.#keep(new ConfigService(this.grpcAddress, channel));
  }

  clusterClient(channel: ChannelCredentials = this.credentials()): ClusterServiceClient {
    const { ClusterService } = loadService("admin");
    return this.#keep(new ClusterService(this.grpcAddress, channel));
  }

  agentClient(channel: ChannelCredentials = this.credentials()): AgentServiceClient {
    const { AgentService } = loadService("agent");
    return this.#keep(new AgentService(this.grpcAddress, channel));
  }

  /** A certificate of this cluster's CA for any identity. */
  async certificate(
    kind: "node" | "client" | "server",
    name: string,
    clusterId: string = CLUSTER_ID,
  ): Promise<{ readonly cert: string; readonly key: string }> {
    const issued = await issueCertificate(this.#authority, {
      identity: { kind, clusterId, name },
      nowMs: this.clock.nowMs(),
    });
    return { cert: issued.certificatePem, key: issued.privateKeyPem };
  }

  /** Makes a join token over REST. */
  async joinToken(spec: JsonObject = {}): Promise<string> {
    const body = { class: "gpu", labels: { role: "inference" }, ...spec };
    const answer = await this.call("POST", "/apis/kingly.dev/v1/jointokens", { body });
    if (answer.status !== 201) throw new Error(answer.text);
    return text(answer.body, "token");
  }

  /** Enrols a node through the API; its client holds its certificate. */
  async enroll(name: string, token?: string): Promise<Agent> {
    const client = this.agentClient();
    const joinToken = token ?? (await this.joinToken());
    const who = { name, token: joinToken, signals: ["latencyMean", "successRatio"] };
    const { response, signingKey, key } = await enrolNode(client, who);
    const channel = this.credentials({ cert: response.certificatePem, key });
    return { name, client: this.agentClient(channel), signingKey, response };
  }
}

/** What a node has after enrolment. */
export interface EnrolledNode {
  readonly response: EnrollResponse;
  readonly signingKey: Uint8Array;
  /** PEM of the key of its client certificate. */
  readonly key: string;
}

/** Enrols a node with a join token: fresh keys, each proved. */
export async function enrolNode(
  client: AgentServiceClient,
  who: { readonly name: string; readonly token: string; readonly signals: readonly string[] },
): Promise<EnrolledNode> {
  const tls = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const signing = generateSigningKey();
  const proof = utf8Encode(`kingly-enroll|${who.token}|${who.name}`);
  const response = await new Promise<EnrollResponse>((resolve, reject) => {
    client.Enroll(
      {
        token: who.token,
        node: who.name,
        tlsPublicKey: tls.publicKey.export({ format: "der", type: "spki" }),
        tlsProof: sign("sha256", proof, tls.privateKey),
        signingPublicKey: Buffer.from(signing.publicKey),
        signingProof: Buffer.from(nodeCrypto.sign(signing.privateKey, proof)),
        targets: ["inference/main"],
        signals: [...who.signals],
        agentVersion: "0.1.0",
      },
      (error: ServiceError | null, value?: EnrollResponse) =>
        error === null && value !== undefined ? resolve(value) : reject(error as Error),
    );
  });
  const key = tls.privateKey.export({ format: "pem", type: "pkcs8" }).toString();
  return { response, signingKey: signing.privateKey, key };
}
