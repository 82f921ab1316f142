// One server from parts to whole: opens storage, listens for the other servers, starts the replica
// and the public API, and takes everything down again in the opposite order.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { KinglyError } from "@kingly/base";
import type { Clock, Logger } from "@kingly/base";
import type { Authority } from "@kingly/protocol/pki";
import { openStorage } from "@kingly/storage";
import type { Disk, Storage } from "@kingly/storage";
import type { RunningApi, StartApi } from "./api-contract.ts";
import type { ServerConfig } from "./config.ts";
import { SECRET_FILES } from "./init.ts";
import { SHUTDOWN_MS_MAX } from "./limits.ts";
import { Metrics } from "./observe/metrics.ts";
import { watchLoopLag } from "./observe/loop-lag.ts";
import { systemClock } from "./observe/system-clock.ts";
import { ServerReplica } from "./replica/server-replica.ts";
import type { Replica } from "./replica/replica.ts";
import { GrpcTransport } from "./transport/grpc-transport.ts";
import type { Member } from "./transport/types.ts";

/** How to start a server. */
export interface StartOptions {
  readonly config: ServerConfig;
  readonly logger: Logger;
  /** Starts the public API; absent = a server without one (tests, tools). */
  readonly startApi?: StartApi;
  readonly clock?: Clock;
  /** The server halted by itself: disk failure, broken invariant. */
  readonly onFatal?: (error: KinglyError) => void;
  /** Where the other servers listen, when it differs from the configuration (chosen ports). */
  readonly peerAddress?: (member: Member) => Promise<string>;
  /** Where the data directory lives; absent = the real disk. For injecting faults. */
  readonly disk?: Disk;
  /** Told the port of the peer listener as soon as it is bound. */
  readonly onPeerPort?: (port: number) => void;
}

/** A server that runs. */
export interface RunningServer {
  readonly replica: Replica;
  readonly metrics: Metrics;
  readonly storage: Storage;
  /** 0 without an API. */
  readonly grpcPort: number;
  /** 0 without an API. */
  readonly restPort: number;
  readonly peerPort: number;
  /** Hands leadership over, finishes what is under way, closes everything. */
  close(): Promise<void>;
  /** Stops at once, without handing over or answering; for tests of failures. */
  kill(): Promise<void>;
}

interface Secrets {
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly authorityKey: string;
}

async function readSecrets(folder: string): Promise<Secrets> {
  const read = async (name: string): Promise<Buffer> => {
    try {
      return await readFile(join(folder, name));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new KinglyError("Usage", `cannot read ${name} in ${folder}: ${reason}`, {
        field: "secretsDir",
        value: folder,
        help: "create a cluster's directories with `kinglyd init`",
      });
    }
  };
  return {
    ca: await read(SECRET_FILES.authorityCertificate),
    cert: await read(SECRET_FILES.certificate),
    key: await read(SECRET_FILES.key),
    authorityKey: (await read(SECRET_FILES.authorityKey)).toString("utf8"),
  };
}

/** Starts a server. Rejects with what is wrong; nothing is left running then. */
export async function startServer(options: StartOptions): Promise<RunningServer> {
  const { config, logger } = options;
  const clock = options.clock ?? systemClock;
  const metrics = new Metrics();
  const secrets = await readSecrets(config.secretsDir);
  const self = config.members.find((member) => member.id === config.memberId);
  if (self === undefined) throw new KinglyError("Usage", "members does not list this server");
  const cleanups: (() => Promise<void>)[] = [];
  const cleanUp = async (): Promise<void> => {
    for (const cleanup of cleanups.splice(0).reverse()) {
      await cleanup().catch((error: unknown) => {
        logger.warn("stopping a part failed", { error: String(error) });
      });
    }
  };
  try {
    const storage = await openStorage({
      dir: config.dataDir,
      expect: {
        clusterId: config.clusterId,
        memberId: self.id,
        incarnation: self.incarnation,
        raftId: self.raftId,
      },
      logger,
      disk: options.disk,
    });
    cleanups.push(() => storage.close());
    const transport = await listen(options, self, secrets, metrics);
    options.onPeerPort?.(transport.port);
    cleanups.push(() => transport.close());
    const replica = await ServerReplica.start({
      config,
      storage,
      transport,
      clock,
      logger,
      metrics,
      onFatal: (error) => options.onFatal?.(error),
    });
    replica.observe();
    cleanups.push(() => replica.stop());
    const stopLag = watchLoopLag(metrics.loopLagSeconds);
    cleanups.push(async () => stopLag());
    const api = await options.startApi?.({
      replica,
      config,
      tls: { ...tlsOf(secrets), authority: authorityOf(secrets) },
      metrics: metrics.registry,
      logger,
      clock,
    });
    return running({ replica, metrics, storage, transport, api, cleanUp });
  } catch (error) {
    await cleanUp();
    throw error;
  }
}

async function listen(
  options: StartOptions,
  self: Member,
  secrets: Secrets,
  metrics: Metrics,
): Promise<GrpcTransport> {
  const { config, logger } = options;
  return GrpcTransport.listen(
    {
      clusterId: config.clusterId,
      self,
      peers: await peersOf(options),
      tls: secrets,
      counters: {
        refusedFrame: (reason) => metrics.refusedFrames.inc({ reason }),
        dropped: (peer, count) => metrics.droppedMessages.inc({ peer }, count),
      },
      logger,
    },
    config.listen.peer,
  );
}

function tlsOf(secrets: Secrets): { ca: Buffer; cert: Buffer; key: Buffer } {
  return { ca: secrets.ca, cert: secrets.cert, key: secrets.key };
}

function authorityOf(secrets: Secrets): Authority {
  return { certificatePem: secrets.ca.toString("utf8"), privateKeyPem: secrets.authorityKey };
}

async function peersOf(options: StartOptions): Promise<readonly Member[]> {
  const others = options.config.members.filter((one) => one.id !== options.config.memberId);
  const { peerAddress } = options;
  if (peerAddress === undefined) return others;
  return Promise.all(
    others.map(async (member) => ({ ...member, peerAddress: await peerAddress(member) })),
  );
}

function running(parts: {
  readonly replica: ServerReplica;
  readonly metrics: Metrics;
  readonly storage: Storage;
  readonly transport: GrpcTransport;
  readonly api: RunningApi | undefined;
  readonly cleanUp: () => Promise<void>;
}): RunningServer {
  const { replica, metrics, storage, transport, api, cleanUp } = parts;
  let closing: Promise<void> | undefined;
  return {
    replica,
    metrics,
    storage,
    grpcPort: api?.grpcPort ?? 0,
    restPort: api?.restPort ?? 0,
    peerPort: transport.port,
    close: () => {
      closing ??= (async () => {
        await replica.handOver(SHUTDOWN_MS_MAX / 4);
        await api?.close();
        await cleanUp();
      })();
      return closing;
    },
    kill: () => {
      closing ??= (async () => {
        await replica.stop();
        await api?.close();
        await cleanUp();
      })();
      return closing;
    },
  };
}
