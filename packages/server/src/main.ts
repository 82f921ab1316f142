#!/usr/bin/env node
// kinglyd: `kinglyd init ...` creates a cluster's directories, `kinglyd --config server.json` runs
// one server until SIGTERM or SIGINT. stdout carries one JSON line; logs go to stderr.
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { KinglyError, toKinglyError } from "@kingly/base";
import { startApi } from "./api/index.ts";
import { loadConfig } from "./config.ts";
import { initCluster } from "./init.ts";
import { HEAP_GROWING_PERCENT, SHUTDOWN_MS_MAX } from "./limits.ts";
import { createLogger } from "./observe/logger.ts";
import { startServer } from "./server.ts";

const USAGE = `Usage:
  kinglyd init --dir DIR --cluster-id ID --member ID[=HOST[:GRPC:REST:PEER]] [--member ...]
  kinglyd --config server.json
`;

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

function parseMember(text: string): Parameters<typeof initCluster>[0]["members"][number] {
  const [id = "", where = ""] = text.split("=", 2);
  const [host = "", ...ports] = where.split(":");
  const [grpcPort = 0, restPort = 0, peerPort = 0] = ports.map((port) => {
    const number = Number(port);
    if (Number.isInteger(number) && number >= 0 && number < 65_536) return number;
    throw new KinglyError("Usage", `--member ${text}: ${port} is no port`, { field: "member" });
  });
  return { id, grpcPort, restPort, peerPort, ...(host === "" ? {} : { host }) };
}

async function init(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      dir: { type: "string" },
      "cluster-id": { type: "string" },
      member: { type: "string", multiple: true },
      namespace: { type: "string", multiple: true },
    },
  });
  const { dir, "cluster-id": clusterId, member = ["m1", "m2", "m3"], namespace } = values;
  if (dir === undefined || clusterId === undefined) {
    throw new KinglyError("Usage", `--dir and --cluster-id are needed\n${USAGE}`);
  }
  const result = await initCluster({
    dir,
    clusterId,
    members: member.map(parseMember),
    nowMs: Date.now(),
    ...(namespace === undefined ? {} : { namespaces: namespace }),
  });
  const { configs, kubeconfig, adminToken, members } = result;
  print({ init: { clusterId, configs, kubeconfig, adminToken, members } });
}

async function serve(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { config: { type: "string" }, help: { type: "boolean" } },
  });
  if (values.help === true || values.config === undefined) {
    throw new KinglyError("Usage", USAGE);
  }
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWING_PERCENT}`);
  const config = loadConfig(values.config);
  const logger = createLogger(config.logLevel, { member: config.memberId });
  const server = await startServer({
    config,
    logger,
    startApi,
    // What the log and the disk hold is all that counts: a server that cannot trust them ends.
    onFatal: () => setImmediate(() => process.exit(1)),
  });
  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping) return;
    stopping = true;
    logger.info("stopping", { signal });
    const giveUp = setTimeout(() => process.exit(1), SHUTDOWN_MS_MAX);
    server.close().then(
      () => {
        clearTimeout(giveUp);
        process.exit(0);
      },
      () => process.exit(1),
    );
  };
  process.on("SIGTERM", () => stop("SIGTERM"));
  process.on("SIGINT", () => stop("SIGINT"));
  print({
    ready: { grpc: server.grpcPort, rest: server.restPort, peer: server.peerPort },
    memberId: config.memberId,
    clusterId: config.clusterId,
  });
}

async function main(): Promise<void> {
  const [first, ...rest] = process.argv.slice(2);
  if (first === "init") await init(rest);
  else await serve(process.argv.slice(2));
}

try {
  await main();
} catch (error) {
  const failure = toKinglyError(error);
  process.stderr.write(`kinglyd: ${failure.code}: ${failure.message}\n`);
  process.exit(failure.info.exit);
}
