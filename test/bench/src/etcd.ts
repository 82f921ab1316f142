// Three etcd members on loopback, as the peer of the comparison. Used only when etcd is installed.

import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  credentials,
  loadPackageDefinition,
  type Client,
  type ServiceClientConstructor,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import type { Call } from "./load.ts";
import { freePorts } from "@kingly/server";
import type { Member, System } from "./system.ts";

const MEMBERS = 3;
const START_TIMEOUT_MS = 30_000;

type Unary = (
  request: object,
  options: { readonly deadline?: number },
  done: (error: Error | null, response: never) => void,
) => void;

function definitions(): {
  readonly kv: ServiceClientConstructor;
  readonly maintenance: ServiceClientConstructor;
} {
  const file = fileURLToPath(new URL("../etcd.proto", import.meta.url));
  const loaded = loadPackageDefinition(loadSync(file, { longs: String, keepCase: true }));
  const root = loaded["etcdserverpb"] as unknown as Record<string, ServiceClientConstructor>;
  const { KV: kv, Maintenance: maintenance } = root as {
    readonly KV: ServiceClientConstructor;
    readonly Maintenance: ServiceClientConstructor;
  };
  return { kv, maintenance };
}

function call<T>(
  client: Client,
  method: string,
  request: object,
  options: { readonly deadline?: number } = {},
): Promise<T> {
  return new Promise((resolve, reject) => {
    const unary = (client as unknown as Record<string, Unary>)[method];
    unary?.call(client, request, options, (error, response) =>
      error ? reject(error) : resolve(response),
    );
  });
}

/** Version of the installed etcd, or undefined. */
export function etcdVersion(): string | undefined {
  const result = spawnSync("etcd", ["--version"], { encoding: "utf8" });
  return result.status === 0 ? /etcd Version: (\S+)/.exec(result.stdout)?.[1] : undefined;
}

async function leaderIndex(addresses: readonly string[]): Promise<number> {
  const { maintenance } = definitions();
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline) {
    for (const [index, address] of addresses.entries()) {
      const client = new maintenance(address, credentials.createInsecure());
      try {
        const status = await call<{ leader: string; header: { member_id: string } }>(
          client,
          "Status",
          {},
        );
        if (status.leader !== "0" && status.leader === status.header.member_id) return index;
      } catch {
        // Not up yet.
      } finally {
        client.close();
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("etcd elected no leader");
}

function startMember(
  member: number,
  options: { readonly folder: string; readonly ports: readonly number[] },
): ChildProcess {
  const { folder, ports } = options;
  const client = `http://127.0.0.1:${ports[member * 2]}`;
  const peer = (index: number): string => `http://127.0.0.1:${ports[index * 2 + 1]}`;
  const cluster = Array.from({ length: MEMBERS }, (_, index) => `m${index}=${peer(index)}`);
  const args = [
    ["--name", `m${member}`],
    ["--data-dir", join(folder, `m${member}`)],
    ["--listen-client-urls", client],
    ["--advertise-client-urls", client],
    ["--listen-peer-urls", peer(member)],
    ["--initial-advertise-peer-urls", peer(member)],
    ["--initial-cluster", cluster.join(",")],
    ["--initial-cluster-token", "bench"],
    ["--log-level", "error"],
  ].flat();
  return spawn("etcd", args, { stdio: "ignore" });
}

function ended(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) {
    return Promise.resolve();
  }
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.kill(signal);
  });
}

/** Starts the cluster and resolves once it has a leader. */
export async function startEtcd(): Promise<System> {
  const folder = mkdtempSync(join(tmpdir(), "kingly-bench-etcd-"));
  const ports = await freePorts(MEMBERS * 2);
  const start = (member: number): ChildProcess => startMember(member, { folder, ports });
  const children = Array.from({ length: MEMBERS }, (_, member) => start(member));
  const addresses = children.map((_, member) => `127.0.0.1:${ports[member * 2]}`);
  const leader = await leaderIndex(addresses);
  const { kv } = definitions();
  const client = new kv(addresses[leader] ?? "", credentials.createInsecure());
  const key = (index: number): Buffer => Buffer.from(`bench/${index % 1000}`);
  const write = (value: string): Call => {
    const bytes = Buffer.from(value);
    return (_, sequence) => call(client, "Put", { key: key(sequence), value: bytes });
  };
  const read: Call = (_, sequence) => call(client, "Range", { key: key(sequence) });
  const each = addresses.map((address) => new kv(address, credentials.createInsecure()));
  const members = addresses.map((_, at): Member => {
    return {
      kill: () => ended(children[at], "SIGKILL"),
      restart: async () => {
        children[at] = start(at);
        await leaderIndex(addresses);
      },
      write: (text, deadlineMs) =>
        call(
          each[at] as Client,
          "Put",
          { key: key(0), value: Buffer.from(text) },
          { deadline: Date.now() + deadlineMs },
        ),
    };
  });
  return {
    name: "etcd",
    members,
    leader: () => leaderIndex(addresses),
    pids: children.map((child) => child.pid ?? 0),
    write,
    read,
    stop: async () => {
      for (const one of [client, ...each]) one.close();
      await Promise.all(children.map((child) => ended(child, "SIGKILL")));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
