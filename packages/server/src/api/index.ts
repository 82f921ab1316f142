// The API of one server: REST and gRPC over one replica. Everything a client can ask of the cluster
// enters here; nothing here is replicated or stored.

import { join } from "node:path";
import type { Clock, Logger } from "@kingly/base";
import type { Authority } from "@kingly/protocol/pki";
import { Registry } from "prom-client";
import type { ApiOptions, RunningApi } from "../api-contract.ts";
import { SECRET_FILES } from "../init.ts";
import type { Replica } from "../replica/replica.ts";
import { SERVER_VERSION } from "../replica/status.ts";
import type { TlsFiles } from "../transport/tls.ts";
import { Authenticator } from "./core/auth.ts";
import type { TokenRecord } from "./core/auth.ts";
import type { ApiContext } from "./core/context.ts";
import { ListSnapshots } from "./core/list-snapshots.ts";
import { TokenFile } from "./core/token-file.ts";
import { startGrpc } from "./grpc/server.ts";
import { ApiMetrics } from "./metrics.ts";
import { startRest } from "./rest/server.ts";

export { ADMINS, EDITORS, VIEWERS, hashToken } from "./core/auth.ts";
export type { TokenRecord } from "./core/auth.ts";

/** An address to listen on. */
export interface ListenAddress {
  readonly host: string;
  /** 0 = the system chooses. */
  readonly port: number;
}

/** What the API is made of. */
export interface ApiParts {
  readonly replica: Replica;
  readonly grpc: ListenAddress;
  readonly rest: ListenAddress;
  /** The cluster's CA and this server's certificate and key, PEM. */
  readonly tls: TlsFiles;
  /** The CA with its key; absent on servers that do not issue node certificates. */
  readonly authority?: Authority;
  /** Bearer tokens by hash; read at every call, so that they can change while the server runs. */
  readonly tokens: () => readonly TokenRecord[];
  /** False while the server should get no traffic. */
  readonly ready: () => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where metrics are registered and what /metrics shows; absent = a registry of its own. */
  readonly registry?: Registry;
  /** Release of this server. */
  readonly version: string;
}

/** Starts REST and gRPC. Unavailable when an address cannot be listened on. */
export async function serveApi(options: ApiParts): Promise<RunningApi> {
  const { replica, clock, logger, tls, version } = options;
  let closing = false;
  const context: ApiContext = {
    replica,
    clock,
    logger,
    metrics: new ApiMetrics(options.registry ?? new Registry()),
    auth: new Authenticator({
      clusterId: replica.clusterId,
      memberId: replica.memberId,
      tokens: options.tokens,
      nowMs: () => clock.nowMs(),
    }),
    snapshots: new ListSnapshots(clock),
    authorityPem: tls.ca.toString("utf8"),
    authority: options.authority,
    version,
    ready: () => !closing && options.ready(),
  };
  const grpc = await startGrpc(context, { ...options.grpc, tls });
  try {
    const rest = await startRest(context, { ...options.rest, cert: tls.cert, key: tls.key });
    return {
      grpcPort: grpc.port,
      restPort: rest.port,
      close: async () => {
        closing = true;
        await Promise.all([rest.close(), grpc.close()]);
      },
    };
  } catch (error) {
    await grpc.close();
    throw error;
  }
}

function splitAddress(address: string): ListenAddress {
  const colon = address.lastIndexOf(":");
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  return { host, port: Number(address.slice(colon + 1)) };
}

/** Starts the API of a configured server: addresses from its configuration, tokens from its secrets. */
export async function startApi(options: ApiOptions): Promise<RunningApi> {
  const { replica, config, tls, metrics, logger, clock } = options;
  const tokens = new TokenFile(join(config.secretsDir, SECRET_FILES.tokens), { clock, logger });
  return serveApi({
    replica,
    grpc: splitAddress(config.listen.grpc),
    rest: splitAddress(config.listen.rest),
    tls,
    authority: tls.authority,
    tokens: () => tokens.records(),
    ready: () => {
      const { role, leaderId } = replica.status();
      return role !== "recovering" && leaderId !== "";
    },
    clock,
    logger,
    registry: metrics,
    version: SERVER_VERSION,
  });
}
