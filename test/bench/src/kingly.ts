// Three kinglyd processes on loopback, written to and read from by unary gRPC over TLS with a bearer
// token: authentication, idempotency, chain hash and history are all on.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { credentials, Metadata } from "@grpc/grpc-js";
import { loadContext, RestClient, type Context } from "@kingly/client";
import { prepareCluster, startServer, Supervisor, type ClusterFiles } from "@kingly/demo";
import { loadService, type ConfigServiceClient } from "@kingly/protocol";
import type { Call } from "./load.ts";
import type { Member, System } from "./system.ts";

const SERVERS = 3;
const KEYS = 1000;
const LEADER_TIMEOUT_MS = 30_000;

/** A document of exactly `bytes` bytes that differs with every call. */
function objective(name: string, sequence: number, bytes: number): Buffer {
  const head =
    `{"apiVersion":"kingly.dev/v1","kind":"Objective","metadata":{"name":"${name}",` +
    `"namespace":"default","annotations":{"kingly.dev/note":"`;
  const tail = `"}},"spec":{"signal":"latencyMean","direction":"lower","role":"primary"}}`;
  const note = sequence.toString(36).padStart(bytes - head.length - tail.length, ".");
  return Buffer.from(head + note + tail);
}

async function leaderMember(rest: RestClient, files: ClusterFiles): Promise<number> {
  const deadline = Date.now() + LEADER_TIMEOUT_MS;
  while (Date.now() < deadline) {
    try {
      const answer = await rest.raw({ method: "GET", path: "/cluster/status" });
      const { leaderId } = JSON.parse(answer.text) as { readonly leaderId: string };
      const at = files.memberIds.indexOf(leaderId);
      if (at >= 0) return at;
    } catch {
      // Not up yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("the cluster elected no leader");
}

interface Callers {
  readonly write: (value: string, deadlineMs?: number) => Call;
  readonly read: Call;
  readonly close: () => void;
}

function callers(address: string, context: Context): Callers {
  const { ConfigService } = loadService("config");
  const authority = Buffer.from(context.authority ?? "");
  const client: ConfigServiceClient = new ConfigService(address, credentials.createSsl(authority));
  const metadata = new Metadata();
  metadata.set("authorization", `Bearer ${context.token ?? ""}`);
  const known = new Set<number>();
  const run = process.pid.toString(36);
  const write =
    (value: string, deadlineMs?: number): Call =>
    (_, sequence) =>
      new Promise((resolve, reject) => {
        const key = sequence % KEYS;
        const name = `bench-${key}`;
        const operation = known.has(key) ? "OPERATION_REPLACE" : "OPERATION_CREATE";
        const request = {
          operation,
          kind: "Objective",
          namespace: "default",
          name,
          document: objective(name, sequence, value.length),
          idempotencyKey: `${run}-${sequence}-${Date.now()}`,
        } as const;
        const options = deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs };
        client.write(request, metadata, options, (error) => {
          if (error === null) known.add(key);
          if (error === null) resolve();
          else reject(error);
        });
      });
  const read: Call = (_, sequence) =>
    new Promise((resolve, reject) => {
      const name = `bench-${sequence % KEYS}`;
      client.get({ kind: "Objective", namespace: "default", name }, metadata, (error) =>
        error === null ? resolve() : reject(error),
      );
    });
  return { write, read, close: () => client.close() };
}

/** Starts the cluster and resolves once it has a leader. */
export async function startKingly(): Promise<System & { readonly context: Context }> {
  const dir = mkdtempSync(join(tmpdir(), "kingly-bench-"));
  const supervisor = new Supervisor({
    logFolder: dir,
    onDeath: (name, explanation) => process.stderr.write(`${name} ${explanation}\n`),
  });
  const files = await prepareCluster({ dir, servers: SERVERS });
  const children = await Promise.all(
    files.configs.map((_, member) => startServer(supervisor, files, member)),
  );
  const context = loadContext(files.kubeconfig);
  const rest = new RestClient(context);
  const leader = await leaderMember(rest, files);
  await rest.close();
  const { write, read, close } = callers(files.grpcAddresses[leader] ?? "", context);
  const each = files.grpcAddresses.map((address) => callers(address, context));
  const members = files.memberIds.map((id, at): Member => {
    return {
      kill: () => supervisor.kill(id),
      restart: async () => {
        await startServer(supervisor, files, at);
      },
      write: (text, deadlineMs) =>
        each[at]?.write(text, deadlineMs)(0, Date.now()) ?? Promise.reject(new Error("no member")),
    };
  });
  return {
    name: "kingly",
    context,
    members,
    leader: async () => {
      const asking = new RestClient(context);
      try {
        return await leaderMember(asking, files);
      } finally {
        await asking.close();
      }
    },
    pids: children.map((child) => child.pid),
    write,
    read,
    stop: async () => {
      for (const one of [{ close }, ...each]) one.close();
      await supervisor.stopAll();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
