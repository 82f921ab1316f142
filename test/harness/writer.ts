// A client that goes on writing whatever happens to the servers, and remembers exactly what was
// acknowledged: that, and nothing else, must be there at the end.

import type { JsonObject } from "@kingly/base";
import type { Objective } from "@kingly/resources";
import type { Cluster } from "./cluster.ts";
import { OBJECTIVE } from "./manifests.ts";
import { until } from "./until.ts";

/** A writer that runs until it is stopped. */
export class Writer {
  readonly #cluster: Cluster;
  readonly #prefix: string;
  /** Name to weight of every acknowledged write. */
  readonly acknowledged = new Map<string, number>();
  /** Writes that were answered with an error: they may be there or not. */
  failed = 0;
  #stopping = false;
  readonly #done: Promise<void>;

  /** `prefix` begins the names of its objects. */
  constructor(cluster: Cluster, prefix: string) {
    this.#cluster = cluster;
    this.#prefix = prefix;
    this.#done = this.#run();
  }

  async #run(): Promise<void> {
    for (let count = 0; !this.#stopping; count += 1) {
      const alive = this.#cluster.members.filter((member) => this.#cluster.isAlive(member));
      const member = alive[count % Math.max(1, alive.length)];
      const name = `${this.#prefix}-${count}`;
      if (member === undefined || !(await this.#write(member, name, count + 1))) {
        this.failed += 1;
        await new Promise((resolve) => setTimeout(resolve, 50));
      } else this.acknowledged.set(name, count + 1);
    }
  }

  async #write(member: number, name: string, weight: number): Promise<boolean> {
    const spec = { ...(OBJECTIVE["spec"] as JsonObject), weight };
    const object = { ...OBJECTIVE, metadata: { name, namespace: "default" }, spec };
    try {
      const scope = { kind: "Objective", namespace: "default" };
      await this.#cluster.client(member).create(scope, object);
      return true;
    } catch {
      return false;
    }
  }

  /** Waits for this many further acknowledged writes. */
  async more(count: number): Promise<void> {
    const wanted = this.acknowledged.size + count;
    await until(`${count} more writes`, () => this.acknowledged.size >= wanted);
  }

  /** Stops writing. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#done;
  }

  /** Names of acknowledged writes that are not there, or not with the content that was written. */
  async lost(): Promise<readonly string[]> {
    const found = new Map(
      (await this.#cluster.list<Objective>("Objective")).map((one) => [
        one.metadata.name,
        one.spec.weight,
      ]),
    );
    return [...this.acknowledged].flatMap(([name, weight]) =>
      found.get(name) === weight ? [] : [name],
    );
  }
}
