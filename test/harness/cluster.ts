// A cluster of real kinglyd processes with TLS and their own directories, created the way an operator
// creates one, and the REST view of each of its servers.

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { KinglyError, type JsonObject } from "@kingly/base";
import { loadContext, RestClient, type Scope } from "@kingly/client";
import { prepareCluster, type ClusterFiles, type ClusterOptions } from "@kingly/demo";
import type { ApiObject } from "@kingly/resources";
import { Processes, type Exit, type Running } from "./processes.ts";
import { until } from "./until.ts";

/** Compiled entry point of an app of this repository. */
export function mainOf(app: "server" | "agent" | "cli"): string {
  const path = fileURLToPath(new URL(`../../packages/${app}/dist/main.js`, import.meta.url));
  if (!existsSync(path)) throw new Error(`${path} is missing: build first (npx tsc -b)`);
  return path;
}

/** What GET /cluster/status says. */
export interface Status {
  readonly memberId: string;
  readonly role: string;
  readonly leaderId: string;
  readonly term: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly revision: number;
}

/** A running test cluster; dispose of it whatever happens. */
export class Cluster {
  readonly dir: string;
  readonly files: ClusterFiles;
  readonly processes: Processes;
  readonly #servers = new Map<number, Running>();
  readonly #clients = new Map<number, RestClient>();

  private constructor(dir: string, files: ClusterFiles) {
    this.dir = dir;
    this.files = files;
    this.processes = new Processes(join(dir, "logs"));
  }

  /** Creates a cluster and starts all of its servers; resolves when it takes writes. */
  static async start(options: Partial<Omit<ClusterOptions, "dir">> = {}): Promise<Cluster> {
    const dir = mkdtempSync(join(tmpdir(), "kingly-e2e-"));
    const files = await prepareCluster({ dir, servers: 3, ...options });
    const cluster = new Cluster(dir, files);
    try {
      await cluster.startServers();
      await cluster.untilServing();
      return cluster;
    } catch (error) {
      await cluster.dispose();
      throw error;
    }
  }

  /** Ends all processes and removes all files; KINGLY_KEEP=1 keeps the files for inspection. */
  async dispose(): Promise<void> {
    await this.processes.endAll();
    await Promise.all([...this.#clients.values()].map((client) => client.close()));
    if (process.env["KINGLY_KEEP"] === "1") console.info(`kept: ${this.dir}`);
    else rmSync(this.dir, { recursive: true, force: true });
  }

  get size(): number {
    return this.files.configs.length;
  }

  /** Indices of all members. */
  get members(): readonly number[] {
    return this.files.configs.map((_, member) => member);
  }

  /** Data directory of a member. */
  dataDir(member: number): string {
    return join(this.dir, "servers", this.files.memberIds[member] ?? "", "data");
  }

  async startServer(member: number): Promise<Running> {
    const running = await this.processes.start({
      name: this.files.memberIds[member] ?? "",
      args: [mainOf("server"), "--config", this.files.configs[member] ?? ""],
      readyKey: "ready",
    });
    this.#servers.set(member, running);
    return running;
  }

  /** Starts all that do not run. */
  async startServers(): Promise<void> {
    const away = this.members.filter((member) => this.#servers.get(member)?.alive !== true);
    await Promise.all(away.map((member) => this.startServer(member)));
  }

  /** Starts a server that is expected to refuse; its exit and its words. */
  async refusedServer(member: number): Promise<{ readonly exit: Exit; readonly words: string }> {
    const args = [mainOf("server"), "--config", this.files.configs[member] ?? ""];
    const running = this.processes.launch(`${this.files.memberIds[member]}-refused`, args);
    const exit = await until("the refusal", async () => (running.alive ? false : running.exited));
    return { exit, words: running.output.join("\n") };
  }

  server(member: number): Running {
    const running = this.#servers.get(member);
    if (running === undefined) throw new Error(`server ${member} was never started`);
    return running;
  }

  /** Ends a server; resolves when it is gone. */
  endServer(member: number, signal: NodeJS.Signals): Promise<Exit> {
    return this.server(member).end(signal);
  }

  isAlive(member: number): boolean {
    return this.#servers.get(member)?.alive === true;
  }

  /** REST client of one server and no other, kept; it connects anew after a restart. */
  client(member: number): RestClient {
    const known = this.#clients.get(member);
    if (known !== undefined) return known;
    const context = loadContext(this.files.kubeconfig);
    const server = this.files.restUrls[member] ?? "";
    const client = new RestClient({ ...context, server, alternatives: [] });
    this.#clients.set(member, client);
    return client;
  }

  async status(member: number): Promise<Status> {
    const { text } = await this.client(member).raw({ method: "GET", path: "/cluster/status" });
    return JSON.parse(text) as Status;
  }

  /** Index of the server that leads, as it says itself. */
  async leader(): Promise<number> {
    return until("a leader", async () => {
      for (const member of this.members) {
        if (!this.isAlive(member)) continue;
        const status = await this.status(member);
        if (status.role === "leader") return { member };
      }
      return false;
    }).then(({ member }) => member);
  }

  /** Some member that does not lead. */
  async follower(): Promise<number> {
    const leader = await this.leader();
    return (leader + 1) % this.size;
  }

  /** A call that some living server answers; not knowing is not an answer. */
  async ask<T>(call: (client: RestClient) => Promise<T>): Promise<T> {
    return until("an answer of the cluster", async () => {
      let passing: KinglyError | undefined;
      for (const member of this.members) {
        if (!this.isAlive(member)) continue;
        try {
          return { value: await call(this.client(member)) };
        } catch (error) {
          if (!isPassing(error)) throw new Refused(error);
          passing = error;
        }
      }
      if (passing !== undefined) throw passing;
      return false;
    }).then(
      ({ value }) => value,
      (error: unknown) => {
        throw error instanceof Refused ? error.cause : error;
      },
    );
  }

  async get<T>(kind: string, name: string): Promise<T> {
    const scope = scopeOf(kind, name);
    return this.ask((client) => client.get<T>(scope));
  }

  async list<T>(kind: string): Promise<readonly T[]> {
    const { items } = await this.ask((client) => client.list<T>(scopeOf(kind)));
    return items;
  }

  /** Creates objects in order, through whoever answers. Only for a cluster that is not disturbed. */
  async create(...objects: readonly JsonObject[]): Promise<ApiObject> {
    let last: ApiObject | undefined;
    for (const object of objects) {
      const scope = scopeOf(object["kind"] as string);
      const created = await this.ask((client) => client.create(scope, object));
      last = created.object;
    }
    if (last === undefined) throw new Error("nothing to create");
    return last;
  }

  /** Resolves when the cluster takes writes and serves reads through every living server. */
  async untilServing(): Promise<void> {
    for (const member of this.members.filter((one) => this.isAlive(one))) {
      await until(`server ${member} serves`, async () => {
        await this.client(member).list({ kind: "Policy", namespace: "default" });
        return true;
      });
    }
  }
}

/** An error that waiting does not heal; carries it through `until`. */
class Refused extends Error {
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

const PASSING: readonly string[] = [
  "Unavailable",
  "NoLeader",
  "NotLeader",
  "Overloaded",
  "Retry",
  "Recovering",
  "DeadlineExceeded",
];

/** True for errors that say "not now" and that nothing was done. */
export function isPassing(error: unknown): error is KinglyError {
  return error instanceof KinglyError && PASSING.includes(error.code);
}

const CLUSTER_SCOPED: readonly string[] = ["Node", "Namespace"];

function scopeOf(kind: string, name: string): Scope & { readonly name: string };
function scopeOf(kind: string): Scope;
function scopeOf(kind: string, name?: string): Scope {
  return {
    kind,
    ...(CLUSTER_SCOPED.includes(kind) ? {} : { namespace: "default" }),
    ...(name === undefined ? {} : { name }),
  };
}
