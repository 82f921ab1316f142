// Puts one process together: network, threads, service, HTTP, warm-up, then the load. The order is
// the safety: nothing is announced before it is warm, and stopping runs the same list backwards.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { systemClock } from "./clock.ts";
import { readTunablesFile } from "./config-file.ts";
import { SHUTDOWN_DRAIN_MS } from "./limits.ts";
import { createHttpSender, sendBursts } from "./load/http-sender.ts";
import { LoadStats } from "./load/stats.ts";
import { LoadThread } from "./load/thread.ts";
import { createNetwork } from "./model/network.ts";
import type { Options } from "./options.ts";
import { createHttpServer } from "./serve/http.ts";
import { Metrics } from "./serve/metrics.ts";
import { WorkerPool } from "./serve/pool.ts";
import { InferenceService } from "./serve/service.ts";
import { warmUp } from "./serve/warm-up.ts";
import type { BurstDriver } from "./serve/warm-up.ts";
import { DEFAULT_TUNABLES } from "./tunables.ts";
import type { Tunables } from "./tunables.ts";

/** All services share one network, so that equal texts get equal labels everywhere. */
export const NETWORK_SEED = 20_261_122;

/** The tunables file was refused at start; the message says why. */
export class StartError extends Error {
  override readonly name: string = "StartError";
}

/** A running process. */
export interface App {
  readonly port: number;
  /** Stops load, HTTP and threads; open requests get SHUTDOWN_DRAIN_MS. */
  stop(): Promise<void>;
}

/** Starts everything and resolves when the service is warm and the load runs. */
export async function startApp(options: Options): Promise<App> {
  const tunables = await startTunables(options.configFile);
  const stats = options.profile === "none" ? undefined : new LoadStats();
  const { service, metrics } = createService(tunables, stats);
  const { configFile } = options;
  const warmUpToken = randomBytes(16).toString("hex");
  const server = createHttpServer({
    service,
    metrics,
    reload: configFile === undefined ? undefined : async () => readTunablesFile(configFile),
    warmUpToken,
  });
  let load: LoadThread | undefined;
  try {
    server.listen(options.port, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const own = `http://127.0.0.1:${port}`;
    if (options.profile !== "none" && stats !== undefined) {
      const { profile, seed } = options;
      const target = options.target ?? own;
      load = new LoadThread({ profile, seed, target, stats: stats.buffer });
    }
    await warmUp(service, burstDriver(own, warmUpToken, load));
    metrics.reset();
    load?.start();
    return { port, stop: async () => stop(server, service, load) };
  } catch (error) {
    await stop(server, service, load);
    throw error;
  }
}

async function startTunables(file: string | undefined): Promise<Tunables> {
  if (file === undefined) return DEFAULT_TUNABLES;
  const result = await readTunablesFile(file);
  if (result.ok) return result.tunables;
  const reasons = result.problems.map((one) => one.message).join("; ");
  throw new StartError(`--config ${file}: ${reasons}`);
}

function createService(
  tunables: Tunables,
  stats: LoadStats | undefined,
): { readonly service: InferenceService; readonly metrics: Metrics } {
  const pool = new WorkerPool(createNetwork(NETWORK_SEED), {
    onIdle: () => service.onIdle(),
    onBatch: () => metrics.observeBatch(),
    onBroken: (reason) => {
      process.stderr.write(`kingly-workload: compute threads keep stopping: ${causeOf(reason)}\n`);
      service.fail("broken", "compute threads keep stopping");
    },
  });
  const metrics = new Metrics({
    queueLength: () => service.queueLength,
    workers: () => pool.readyCount,
    load: stats,
  });
  const service = new InferenceService(systemClock, pool, tunables, {
    onCache: (hit) => metrics.observeCache(hit),
  });
  return { service, metrics };
}

function causeOf(error: Error): string {
  return error.cause instanceof Error ? error.cause.message : error.message;
}

/** The load thread sends the warm-up where there is one, so that both sides get warm. */
function burstDriver(own: string, token: string, load: LoadThread | undefined): BurstDriver {
  const headers = { "x-warm-up": token };
  if (load !== undefined) return async (sizes) => load.warm(own, headers, sizes);
  return async (sizes) => {
    const sender = createHttpSender(own, headers);
    const failures = await sendBursts(sender.send, sizes);
    sender.close();
    return failures;
  };
}

async function stop(
  server: Server,
  service: InferenceService,
  load: LoadThread | undefined,
): Promise<void> {
  await load?.stop();
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  server.closeIdleConnections();
  const force = setTimeout(() => server.closeAllConnections(), SHUTDOWN_DRAIN_MS);
  await closed;
  clearTimeout(force);
  await service.close();
}
