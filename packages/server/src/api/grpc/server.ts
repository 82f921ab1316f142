// The public gRPC port: config, agent and cluster services, standard health checking and reflection.

import { Server } from "@grpc/grpc-js";
import { ReflectionService } from "@grpc/reflection";
import { KinglyError } from "@kingly/base";
import { loadDefinition, loadService } from "@kingly/protocol";
import { HealthImplementation } from "grpc-health-check";
import type { TlsFiles } from "../../transport/tls.ts";
import type { ApiContext } from "../core/context.ts";
import {
  CLOSE_GRACE_MS,
  GRPC_RECEIVE_BYTES_MAX,
  GRPC_SEND_BYTES_MAX,
  GRPC_STREAMS_PER_CONNECTION_MAX,
} from "../limits.ts";
import { agentService } from "./agent-service.ts";
import { clusterService } from "./cluster-service.ts";
import { configService } from "./config-service.ts";
import { optionalClientCertificate } from "./credentials.ts";
import { SessionRegistry } from "./session-registry.ts";
import { StreamSet } from "./streams.ts";

/** Where to listen and with which certificates. */
export interface GrpcListenOptions {
  readonly host: string;
  /** 0 = the system chooses. */
  readonly port: number;
  readonly tls: TlsFiles;
}

/** The running gRPC services. */
export interface GrpcServer {
  readonly port: number;
  /** Ends streams, waits for calls, cuts what remains after a grace period. */
  close(): Promise<void>;
}

const SERVICES = [
  "",
  "kingly.config.v1.ConfigService",
  "kingly.agent.v1.AgentService",
  "kingly.admin.v1.ClusterService",
] as const;

/** Milliseconds between two looks at whether the server is ready. */
const HEALTH_INTERVAL_MS = 500;

function bind(server: Server, options: GrpcListenOptions): Promise<number> {
  const { host, port, tls } = options;
  const address = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  return new Promise((resolve, reject) => {
    server.bindAsync(address, optionalClientCertificate(tls), (error, bound) => {
      if (error === null) resolve(bound);
      else {
        reject(
          new KinglyError("Unavailable", `cannot listen on ${address}: ${error.message}`, {
            field: "listen.grpc",
            value: address,
          }),
        );
      }
    });
  });
}

/** Keeps the standard health service in line with the server's readiness. */
function followHealth(context: ApiContext, health: HealthImplementation): { stop(): void } {
  let last: boolean | undefined;
  let stopped = false;
  const look = (): void => {
    if (stopped) return;
    const ready = context.ready();
    if (ready !== last) {
      last = ready;
      for (const name of SERVICES) health.setStatus(name, ready ? "SERVING" : "NOT_SERVING");
    }
    timer = context.clock.setTimer(HEALTH_INTERVAL_MS, look);
  };
  let timer = context.clock.setTimer(0, () => {});
  look();
  return {
    stop: () => {
      stopped = true;
      timer.cancel();
      for (const name of SERVICES) health.setStatus(name, "NOT_SERVING");
    },
  };
}

/** Starts the public gRPC services. */
export async function startGrpc(
  context: ApiContext,
  options: GrpcListenOptions,
): Promise<GrpcServer> {
  const server = new Server({
    "grpc.max_receive_message_length": GRPC_RECEIVE_BYTES_MAX,
    "grpc.max_send_message_length": GRPC_SEND_BYTES_MAX,
    "grpc.max_concurrent_streams": GRPC_STREAMS_PER_CONNECTION_MAX,
    // Channelz stays on: without it, forceShutdown of grpc-js leaves connections open.
    "grpc.keepalive_time_ms": 20_000,
    "grpc.keepalive_timeout_ms": 10_000,
  });
  const registry = new SessionRegistry(context);
  const streams = new StreamSet();
  server.addService(
    loadService("config").ConfigService.service,
    configService(context, streams) as never,
  );
  server.addService(
    loadService("agent").AgentService.service,
    agentService(context, registry, streams) as never,
  );
  server.addService(loadService("admin").ClusterService.service, clusterService(context) as never);
  const health = new HealthImplementation(
    Object.fromEntries(SERVICES.map((name) => [name, "NOT_SERVING"])),
  );
  health.addToServer(server);
  new ReflectionService({
    ...loadDefinition("config"),
    ...loadDefinition("agent"),
    ...loadDefinition("admin"),
  }).addToServer(server);
  const port = await bind(server, options);
  registry.start();
  const following = followHealth(context, health);
  return {
    port,
    close: async () => {
      following.stop();
      registry.close();
      streams.close();
      await shutdown(context, server);
    },
  };
}

function shutdown(context: ApiContext, server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cut = context.clock.setTimer(CLOSE_GRACE_MS, () => server.forceShutdown());
    server.tryShutdown(() => {
      cut.cancel();
      resolve();
    });
  });
}
