// A node of a test fleet: a real target process that does real work, and a real kingly-agent with the
// binding file that the node's owner would write.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { JsonObject } from "@kingly/base";
import { isConditionTrue, type Node } from "@kingly/resources";
import { mainOf, type Cluster } from "./cluster.ts";
import { AS_FOUND, type WorkData } from "./manifests.ts";
import type { Exit, Line, Running } from "./processes.ts";
import { until } from "./until.ts";

const TARGET = fileURLToPath(new URL("target.mjs", import.meta.url));
const JOIN_TOKEN_SECONDS = 600;

/** What a node is like. */
export interface NodeOptions {
  readonly name: string;
  /** Label by which Configs select; default `worker`. */
  readonly role?: string;
  /** How contents reach the target; default `http`. */
  readonly applier?: "http" | "file";
  /** Merged into the agent's binding, for example a tuner. */
  readonly binding?: JsonObject;
}

/** One content that a target ran. */
export interface Ran {
  readonly how: string;
  readonly config: WorkData;
}

/** The life of a target. */
export interface History {
  /** Contents that were taken and do not run yet. */
  readonly applying: number;
  /** Everything that ever ran, oldest first. */
  readonly ran: readonly Ran[];
}

/** A join token of the cluster for a node of this role. */
export async function joinToken(
  cluster: Cluster,
  options: { readonly node: string; readonly role?: string; readonly ttlSeconds?: number },
): Promise<{ readonly token: string; readonly expiresAtMs: number }> {
  const { text } = await cluster.ask((client) =>
    client.raw({
      method: "POST",
      path: "/apis/kingly.dev/v1/jointokens",
      body: {
        class: "test",
        ownerGroup: options.node,
        pool: "default",
        node: options.node,
        labels: { role: options.role ?? "worker" },
        ttlSeconds: options.ttlSeconds ?? JOIN_TOKEN_SECONDS,
      },
    }),
  );
  return JSON.parse(text) as { readonly token: string; readonly expiresAtMs: number };
}

/** A node of a fleet. */
export class TestNode {
  readonly name: string;
  readonly #cluster: Cluster;
  readonly #options: NodeOptions;
  readonly #folder: string;
  readonly #base: string;
  #agent: Running | undefined;

  private constructor(
    cluster: Cluster,
    options: NodeOptions,
    where: { folder: string; port: number },
  ) {
    this.name = options.name;
    this.#cluster = cluster;
    this.#options = options;
    this.#folder = where.folder;
    this.#base = `http://127.0.0.1:${where.port}`;
  }

  /** Starts the target; the agent starts with `startAgent`. */
  static async create(cluster: Cluster, options: NodeOptions): Promise<TestNode> {
    const folder = join(cluster.dir, "nodes", options.name);
    mkdirSync(folder, { recursive: true });
    const file = join(folder, "work.json");
    const content = JSON.stringify(AS_FOUND);
    writeFileSync(file, content);
    const target = await cluster.processes.start({
      name: `${options.name}-target`,
      args: [TARGET, content, file],
      readyKey: "listening",
    });
    const node = new TestNode(cluster, options, {
      folder,
      port: Number(target.ready["listening"]),
    });
    const { token } = await joinToken(cluster, { node: node.name, role: options.role ?? "worker" });
    writeFileSync(join(folder, "join-token"), token, { mode: 0o600 });
    writeFileSync(join(folder, "agent.json"), JSON.stringify(node.#file(), undefined, 2));
    return node;
  }

  #file(): JsonObject {
    const base = this.#base;
    const applier: JsonObject =
      this.#options.applier === "file"
        ? {
            file: {
              path: join(this.#folder, "work.json"),
              reload: { http: { url: `${base}/reload` } },
            },
          }
        : { http: { url: `${base}/config` } };
    return {
      node: this.name,
      servers: [...this.#cluster.files.grpcAddresses],
      stateDir: join(this.#folder, "state"),
      joinTokenFile: join(this.#folder, "join-token"),
      statusPort: 0,
      binding: {
        targets: { "work/main": { applier } },
        signals: {
          cpuSeconds: {
            probe: {
              prometheus: {
                url: `${base}/metrics`,
                kind: "histogram-mean",
                metric: "work_seconds",
              },
            },
          },
        },
        tripwires: {
          health: {
            target: "work/main",
            http: { url: `${base}/healthz` },
            intervalMs: 200,
            failures: 3,
          },
        },
        ...this.#options.binding,
      },
    };
  }

  /** Starts the agent, the first time or again on its state. */
  async startAgent(): Promise<void> {
    this.#agent = await this.#cluster.processes.start({
      name: this.name,
      args: [mainOf("agent"), "--config", join(this.#folder, "agent.json")],
      readyKey: "ready",
    });
  }

  /** Ends the agent; the target lives on. */
  endAgent(signal: NodeJS.Signals): Promise<Exit> {
    return this.agent.end(signal);
  }

  get agent(): Running {
    if (this.#agent === undefined) throw new Error(`the agent of ${this.name} was never started`);
    return this.#agent;
  }

  /** Folder of the agent's state. */
  get stateDir(): string {
    return join(this.#folder, "state");
  }

  /** Events of the agent that runs, by name. */
  events(event: string): readonly Line[] {
    return this.agent.lines.filter((line) => line["event"] === event);
  }

  /** Resolves with the first event of this name of the agent that runs. */
  untilEvent(event: string, count = 1): Promise<Line> {
    return until(`${count} × ${event} on ${this.name}`, () => this.events(event)[count - 1]);
  }

  /** What runs on the target now. */
  async running(): Promise<WorkData> {
    return (await this.#call("GET", "/config")) as WorkData;
  }

  /** What ran on the target, and what is on its way. */
  async history(): Promise<History> {
    return (await this.#call("GET", "/history")) as History;
  }

  /** Changes what the target is like, from outside. */
  async control(change: JsonObject): Promise<void> {
    await this.#call("POST", "/control", JSON.stringify(change));
  }

  async #call(method: string, path: string, body?: string): Promise<unknown> {
    const response = await fetch(`${this.#base}${path}`, {
      method,
      ...(body === undefined ? {} : { body }),
    });
    return response.json();
  }
}

/** Starts nodes: all targets first, then all agents. */
export async function startNodes(
  cluster: Cluster,
  options: readonly NodeOptions[],
): Promise<readonly TestNode[]> {
  const nodes = await Promise.all(options.map((one) => TestNode.create(cluster, one)));
  await Promise.all(nodes.map((node) => node.startAgent()));
  return nodes;
}

/** Waits until these nodes know their own noise and the servers have heard of it. */
export async function untilCalibrated(cluster: Cluster, nodes: readonly TestNode[]): Promise<void> {
  await until("calibrations", async () => {
    const known = await cluster.list<Node>("Node");
    return nodes.every(({ name }) => {
      const status = known.find((node) => node.metadata.name === name)?.status;
      return Object.keys(status?.calibration ?? {}).length > 0;
    });
  });
}

/** Waits until every server says that these nodes are reachable, or that they are not. */
export async function untilReachable(
  cluster: Cluster,
  names: readonly string[],
  reachable: boolean,
): Promise<void> {
  await until(`${names.join(", ")} ${reachable ? "reachable" : "away"}`, async () => {
    for (const member of cluster.members) {
      for (const name of names) {
        const node = await cluster.client(member).get<Node>({ kind: "Node", name });
        if (isConditionTrue(node.status?.conditions, "Ready") !== reachable) return false;
      }
    }
    return true;
  });
}
