// One simulated server over all its lives: a machine, a disk, and a process that is started, paused,
// crashed and started again.

import { KinglyError } from "@kingly/base";
import type { Prng } from "@kingly/base";
import type { Recorder } from "../checkers/recorder.ts";
import type { Scheduler } from "../engine/scheduler.ts";
import { Violation } from "../engine/violation.ts";
import { SimDisk } from "./disk.ts";
import { Host } from "./host.ts";
import type { MachineKind } from "./machine.ts";
import type { Parcel, Reply } from "./parcels.ts";
import { Process } from "./process.ts";
import type { Scenario } from "./scenario.ts";

/** What a server is made of. */
export interface ServerPorts {
  readonly id: number;
  readonly scenario: Scenario;
  readonly scheduler: Scheduler;
  readonly prng: Prng;
  readonly recorder: Recorder;
  readonly machine: MachineKind;
  readonly send: (from: number, to: number, parcel: Parcel, bytes: number) => void;
  readonly reply: (from: number, client: number, reply: Reply) => void;
}

/** "lost": the disk is damaged beyond use; the member would have to be replaced. */
export type ServerState = "down" | "starting" | "up" | "lost";

/** One server. */
export class Server {
  readonly id: number;
  readonly host: Host;
  readonly disk: SimDisk;
  readonly #ports: ServerPorts;
  readonly #prng: Prng;
  #process: Process | undefined;
  #state: ServerState = "down";
  #lives = 0;
  #damaged = false;
  /** Why the disk is beyond use, in state "lost". */
  lostBecause = "";

  constructor(ports: ServerPorts) {
    this.#ports = ports;
    this.id = ports.id;
    this.#prng = ports.prng;
    this.host = new Host(ports.scheduler);
    this.disk = new SimDisk(this.host, ports.prng.fork("disk"), ports.scenario.disk);
  }

  get state(): ServerState {
    return this.#state;
  }

  /** How often it was started. */
  get lives(): number {
    return this.#lives;
  }

  /** The process, when it runs. */
  get process(): Process | undefined {
    return this.#state === "up" ? this.#process : undefined;
  }

  get leads(): boolean {
    return this.process?.status?.state === "leader";
  }

  /** Starts a server that is down; does nothing otherwise. */
  start(): void {
    if (this.#state !== "down") return;
    this.#state = "starting";
    this.#lives += 1;
    const { scenario, scheduler, recorder, machine, send, reply } = this.#ports;
    const process = new Process({
      id: this.id,
      life: this.#lives,
      scenario,
      scheduler,
      host: this.host,
      disk: this.disk,
      prng: this.#prng.fork(`life ${this.#lives}`),
      recorder,
      machine,
      send: (to, parcel, bytes) => send(this.id, to, parcel, bytes),
      reply: (client, answer) => reply(this.id, client, answer),
      halted: () => this.#crashOf(process),
    });
    this.#process = process;
    scheduler.touch();
    process.start().then(
      () => {
        if (this.#process !== process) return;
        this.#state = "up";
        this.#damaged = false;
      },
      (error: unknown) => this.#startFailed(process, error),
    );
  }

  #startFailed(process: Process, error: unknown): void {
    if (this.#process !== process) return;
    if (error instanceof KinglyError && error.code === "StorageFailure") return this.crash();
    if (error instanceof KinglyError && error.code === "Corrupted" && this.#damaged) {
      this.crash();
      this.#state = "lost";
      this.lostBecause = error.message;
      return;
    }
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const failure = new Violation("restart", `server ${this.id} cannot start: ${text}`);
    this.#ports.scheduler.fail(error instanceof Violation ? error : failure);
  }

  #crashOf(process: Process): void {
    if (this.#process === process) this.crash();
  }

  /** Power off: unsynced data is lost in part. */
  crash(): void {
    if (this.#state === "down" || this.#state === "lost") return;
    this.#state = "down";
    this.#ports.scheduler.note(() => `server ${this.id} crashes`);
    this.#process?.end();
    this.#process = undefined;
    this.host.crash();
    this.disk.crash();
    this.#ports.recorder.stopped(this.id);
  }

  /** Flips a bit of what is stored by a server that is down. */
  rot(): void {
    if (this.#state !== "down") return;
    const where = this.disk.rot();
    if (where === undefined) return;
    this.#ports.scheduler.note(() => `server ${this.id} has a flipped bit in ${where}`);
    this.#damaged = true;
    this.#ports.recorder.damaged(this.id);
  }

  /** Takes durable batches off the disk of a server that is down. Returns how many. */
  damage(batches: number): number {
    if (this.#state !== "down") return 0;
    const lost = this.disk.loseBatches(batches);
    if (lost === 0) return 0;
    this.#ports.scheduler.note(() => `server ${this.id} loses ${lost} durable batches`);
    this.#damaged = true;
    this.#ports.recorder.damaged(this.id);
    return lost;
  }
}
