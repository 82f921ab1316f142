// Makes things go wrong, by the scenario's list, one fault after the other; passing faults may overlap.
// Damage obeys a budget: a majority of servers always has everything it acknowledged, because more
// than that no system survives.

import type { Prng } from "@kingly/base";
import { isIntact } from "../checkers/recorder.ts";
import type { Scheduler } from "../engine/scheduler.ts";
import type { Network } from "./network.ts";
import type { Operator } from "./operator.ts";
import type { FaultKind, Scenario } from "./scenario.ts";
import type { Server } from "./server.ts";
import type { World } from "../checkers/world.ts";

/** What the nemesis has power over. */
export interface NemesisPorts {
  readonly scenario: Scenario;
  readonly scheduler: Scheduler;
  readonly prng: Prng;
  readonly network: Network;
  readonly servers: readonly Server[];
  readonly world: World;
  readonly operator: Operator;
}

/** A change of members is on its way for this long, microseconds: some messages and writes. */
const CHANGE_US = 40_000;
/** Operations of a disk until it crashes. */
const OPERATIONS_MAX = 20;
/** A leader is new for this long, microseconds: a part of a write to the disk, or some writes. */
const NEWLY_US = [100, 1_000, 5_000];

/** How often each kind happened. */
export type FaultCounts = Map<FaultKind, number>;

/** The source of all trouble. */
export class Nemesis {
  readonly #ports: NemesisPorts;
  readonly counts: FaultCounts = new Map();
  #active = true;

  constructor(ports: NemesisPorts) {
    this.#ports = ports;
  }

  /** Begins. */
  start(): void {
    if (this.#ports.scenario.faults.length > 0) this.#plan();
  }

  /** Ends all faults; servers outside `core` are switched off for good. */
  heal(core: readonly Server[]): void {
    this.#active = false;
    const { network, servers, scenario } = this.#ports;
    network.healCuts();
    network.quality = { ...scenario.links, loss: 0, duplication: 0, spikes: 0 };
    for (const server of servers) {
      server.disk.speed = scenario.disk;
      server.disk.full = false;
      server.host.tickFactor = 1;
      server.host.resume();
      if (server.disk.failing || !core.includes(server)) server.crash();
    }
    for (const server of core) server.start();
  }

  #plan(): void {
    const { scheduler, prng, scenario } = this.#ports;
    scheduler.after(1 + prng.below(scenario.faultPauseUs), () => {
      if (!this.#active) return;
      const kind = prng.pick(scenario.faults);
      if (this.#inflict(kind)) {
        this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
        scheduler.note(() => `fault ${kind}`);
      }
      this.#plan();
    });
  }

  /** Undoes a fault after a while, unless everything has been healed before. */
  #later(action: () => void): void {
    const { scheduler, prng, scenario } = this.#ports;
    scheduler.after(1 + prng.below(scenario.faultLengthUs), () => {
      if (this.#active) action();
    });
  }

  #inflict(kind: FaultKind): boolean {
    switch (kind) {
      case "crash":
        return this.#crash(this.#pick());
      case "crash-leader":
        return this.#crash(this.#leader());
      case "crash-mid-write":
        return this.#crashMidWrite(this.#pick());
      case "crash-new-leader":
        return this.#crashNewLeader();
      case "crash-all":
        return this.#ports.servers.map((server) => this.#crash(server)).includes(true);
      case "damage":
        return this.#damage(this.#pick());
      case "bit-rot":
        return this.#bitRot(this.#pick());
      case "disk-full":
        return this.#diskFull(this.#pick());
      case "members":
        return this.#changeMembers();
      case "disk-error":
        return this.#diskError(this.#pick());
      case "slow-disk":
        return this.#slowDisk(this.#pick());
      case "pause":
        return this.#pause(this.#ports.prng.chance(0.5) ? this.#leader() : this.#pick());
      case "isolate":
      case "one-way":
      case "bridge":
      case "split":
        return this.#partition(kind);
      case "bad-links":
        return this.#badLinks();
      case "transfer":
        return this.#transfer();
      case "clock":
        return this.#clock(this.#pick());
      default: {
        const never: never = kind;
        throw new Error(`unknown fault ${String(never)}`);
      }
    }
  }

  #pick(): Server {
    return this.#ports.prng.pick(this.#ports.servers);
  }

  #leader(): Server {
    return this.#ports.servers.find((server) => server.leads) ?? this.#pick();
  }

  #crash(server: Server): boolean {
    if (server.state !== "up" && server.state !== "starting") return false;
    server.crash();
    this.#later(() => server.start());
    return true;
  }

  /** Whether a majority without this server has everything that it acknowledged. */
  #mayDamage(server: Server): boolean {
    const { world, servers } = this.#ports;
    const others = servers.filter((other) => other !== server);
    const intact = others.filter((one) => one.state !== "lost" && isIntact(world.view(one.id)));
    return server.state === "up" && intact.length >= Math.floor(servers.length / 2) + 1;
  }

  /** Crashes between two operations of the disk, whose consequences may just be under way. */
  #crashMidWrite(server: Server): boolean {
    if (server.state !== "up") return false;
    const { scheduler, prng } = this.#ports;
    server.disk.afterOperations(1 + prng.below(OPERATIONS_MAX), () => {
      scheduler.after(prng.below(100), () => {
        if (this.#active) this.#crash(server);
      });
    });
    return true;
  }

  /** A change of members, and often a partition while some know of it and others do not. */
  #changeMembers(): boolean {
    const { operator, prng, scheduler } = this.#ports;
    if (!operator.change()) return false;
    if (prng.chance(0.5)) {
      const kind = prng.pick(["split", "isolate", "one-way"] as const);
      scheduler.after(prng.below(CHANGE_US), () => {
        if (this.#active) this.#partition(kind);
      });
    }
    return true;
  }

  /** The next server that begins to lead crashes at once, with half of what it began. */
  #crashNewLeader(): boolean {
    const { world, scheduler, scenario, servers, prng } = this.#ports;
    if (world.onLeader !== undefined) return false;
    world.onLeader = (id) => {
      world.onLeader = undefined;
      scheduler.after(prng.below(prng.pick(NEWLY_US)), () => {
        const server = servers[id - 1];
        if (!this.#active || server?.state !== "up") return;
        server.crash();
        // Back before anybody else thinks of an election: what it forgot, it may do again.
        scheduler.after(prng.below(scenario.tickUs), () => this.#active && server.start());
      });
    };
    return true;
  }

  #damage(server: Server): boolean {
    if (!this.#mayDamage(server)) return false;
    server.crash();
    server.damage(1 + this.#ports.prng.below(20));
    this.#later(() => server.start());
    return true;
  }

  #bitRot(server: Server): boolean {
    if (!this.#mayDamage(server)) return false;
    server.crash();
    server.rot();
    this.#later(() => server.start());
    return true;
  }

  #diskFull(server: Server): boolean {
    if (server.state !== "up") return false;
    server.disk.full = true;
    this.#later(() => {
      server.disk.full = false;
      server.start();
    });
    return true;
  }

  #diskError(server: Server): boolean {
    if (server.state !== "up") return false;
    server.disk.startFailing();
    this.#later(() => {
      server.crash();
      server.start();
    });
    return true;
  }

  #slowDisk(server: Server): boolean {
    const { scenario, prng } = this.#ports;
    const factor = prng.pick([10, 100]);
    const { leastUs, spreadUs } = scenario.disk;
    server.disk.speed = { leastUs: leastUs * factor, spreadUs: spreadUs * factor };
    this.#later(() => (server.disk.speed = scenario.disk));
    return true;
  }

  #pause(server: Server): boolean {
    if (server.state !== "up" || server.host.paused) return false;
    server.host.pause();
    this.#later(() => server.host.resume());
    return true;
  }

  #partition(kind: "isolate" | "one-way" | "bridge" | "split"): boolean {
    const { network, servers, prng } = this.#ports;
    // Those who are cut off first are often the leader: it has the most to do wrong.
    const leader = this.#leader().id;
    const others = prng.shuffle(servers.map((server) => server.id));
    const ids = prng.chance(0.5) ? [leader, ...others.filter((id) => id !== leader)] : others;
    network.healCuts();
    const both = (a: number, b: number): void => {
      network.cut(a, b);
      network.cut(b, a);
    };
    const [first = 1, second = 2] = ids;
    if (kind === "isolate") for (const id of ids.slice(1)) both(first, id);
    else if (kind === "bridge") both(first, second);
    else if (kind === "split") {
      const half = Math.ceil(ids.length / 2);
      for (const a of ids.slice(0, half)) for (const b of ids.slice(half)) both(a, b);
    } else {
      const outgoing = prng.chance(0.5);
      for (const id of ids.slice(1)) {
        if (outgoing) network.cut(first, id);
        else network.cut(id, first);
      }
    }
    this.#later(() => network.healCuts());
    return true;
  }

  #badLinks(): boolean {
    const { network, scenario, prng } = this.#ports;
    const loss = prng.pick([0.2, 0.5]);
    network.quality = { ...scenario.links, loss, duplication: 0.3, spikes: 0.1 };
    this.#later(() => (network.quality = scenario.links));
    return true;
  }

  #transfer(): boolean {
    const leader = this.#ports.servers.find((server) => server.leads);
    if (leader === undefined) return false;
    leader.process?.transferTo(this.#pick().id);
    return true;
  }

  #clock(server: Server): boolean {
    const { prng } = this.#ports;
    server.host.tickFactor = 0.7 + 0.6 * prng.unit();
    server.host.clockOffsetUs += (prng.below(3) - 1) * prng.below(5_000_000);
    return true;
  }
}
