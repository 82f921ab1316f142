// What the public API gets from the server it runs in, and what it gives back.
import type { Clock, Logger } from "@kingly/base";
import type { Authority } from "@kingly/protocol/pki";
import type { Registry } from "prom-client";
import type { ServerConfig } from "./config.ts";
import type { Replica } from "./replica/replica.ts";

/** Certificates of this server, PEM, and the CA that issues for nodes and people. */
export interface ServerTls {
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly authority: Authority;
}

/** Everything the API needs. */
export interface ApiOptions {
  readonly replica: Replica;
  readonly config: ServerConfig;
  readonly tls: ServerTls;
  /** The registry of the whole server; the API adds its own metrics and serves it. */
  readonly metrics: Registry;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** The API while it runs. */
export interface RunningApi {
  readonly grpcPort: number;
  readonly restPort: number;
  close(): Promise<void>;
}

/** Starts the public gRPC services and the REST API at config.listen. */
export type StartApi = (options: ApiOptions) => Promise<RunningApi>;
