// A whole simulated cluster: servers, network, clients, nemesis and the observer, wired together.

import type { Prng } from "@kingly/base";
import type { Operation } from "../checkers/linearizability.ts";
import { Recorder } from "../checkers/recorder.ts";
import { Scheduler } from "../engine/scheduler.ts";
import { SECOND_US } from "../engine/scheduler.ts";
import { SETUP_SECONDS_MAX } from "../limits.ts";
import { Client } from "./client.ts";
import { createDirectory } from "./directory.ts";
import type { MachineKind } from "./machine.ts";
import { Nemesis } from "./nemesis.ts";
import { Operator } from "./operator.ts";
import { Network } from "./network.ts";
import type { Scenario } from "./scenario.ts";
import { Server } from "./server.ts";

/** What a cluster is made for. */
export interface ClusterOptions {
  readonly prng: Prng;
  readonly scenario: Scenario;
  readonly machine: MachineKind;
  /** Receives a line per noteworthy event. */
  readonly trace: ((line: string) => void) | undefined;
}

/** Clients have host numbers from here on. */
const FIRST_CLIENT = 100;
/** Nanoseconds per byte on the wire: a 1 Gbit/s link. */
const BYTE_NS = 8;

/** Servers, clients and everything between them. */
export class Cluster {
  readonly scheduler: Scheduler;
  readonly scenario: Scenario;
  readonly recorder: Recorder;
  readonly network: Network;
  readonly servers: readonly Server[];
  readonly clients: readonly Client[];
  readonly operator: Operator;
  readonly nemesis: Nemesis;
  readonly history: Operation[] = [];

  constructor(options: ClusterOptions) {
    const { prng, scenario, machine } = options;
    const scheduler = new Scheduler(options.trace);
    this.scheduler = scheduler;
    this.scenario = scenario;
    const { servers, spares } = scenario;
    const ids = Array.from({ length: servers + spares }, (_, at) => at + 1);
    this.recorder = new Recorder(ids, ids.slice(0, servers));
    this.network = new Network(scheduler, prng.fork("network"), scenario.links);
    this.servers = ids.map((id) => this.#server(id, machine, prng.fork(`server ${id}`)));
    this.clients = Array.from({ length: scenario.clients }, (_, at) =>
      this.#client(FIRST_CLIENT + at, prng.fork(`client ${at}`)),
    );
    this.operator = new Operator({
      prng: prng.fork("operator"),
      scheduler,
      servers: this.servers,
      firstMembers: servers,
      leader: () => this.leader(),
    });
    this.nemesis = new Nemesis({
      scenario,
      scheduler,
      prng: prng.fork("nemesis"),
      network: this.network,
      servers: this.servers,
      world: this.recorder.world,
      operator: this.operator,
    });
  }

  #server(id: number, machine: MachineKind, prng: Prng): Server {
    const { scenario, scheduler, recorder, network } = this;
    return new Server({
      id,
      scenario,
      scheduler,
      prng,
      recorder,
      machine,
      send: (from, to, parcel, bytes) => {
        const deliver = (): void => {
          const server = this.servers[to - 1];
          server?.host.enter(() => server.process?.receive(parcel));
        };
        network.send(from, to, deliver, Math.floor((bytes * BYTE_NS) / 1000));
      },
      reply: (from, client, reply) =>
        network.send(from, client, () => this.clients[client - FIRST_CLIENT]?.receive(reply)),
    });
  }

  #client(id: number, prng: Prng): Client {
    const { scenario, scheduler, recorder, network, history } = this;
    return new Client({
      id,
      scenario,
      scheduler,
      prng,
      recorder,
      history,
      send: (to, call) =>
        network.send(id, to, () => {
          const server = this.servers[to - 1];
          server?.host.enter(() => server.process?.call(call));
        }),
    });
  }

  /** Creates the data directories and starts everything. */
  async start(): Promise<void> {
    const { servers } = this.scenario;
    const ids = this.servers.slice(0, servers).map((server) => server.id);
    const created = this.servers.map(({ disk, id }) =>
      createDirectory(disk, id, id <= servers ? ids : undefined),
    );
    const all = Promise.all(created);
    await this.scheduler.settle(all, SETUP_SECONDS_MAX * SECOND_US);
    for (const server of this.servers) {
      server.disk.protect();
      if (server.id <= servers) server.start();
    }
    for (const client of this.clients) client.start();
    this.nemesis.start();
  }

  /** The server that leads the highest term, if any does. */
  leader(): Server | undefined {
    let best: Server | undefined;
    let bestTerm = -1;
    for (const server of this.servers) {
      const status = server.process?.status;
      if (status?.state !== "leader" || status.term <= bestTerm) continue;
      best = server;
      bestTerm = status.term;
    }
    return best;
  }
}
