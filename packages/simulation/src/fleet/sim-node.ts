// One simulated node: the real node core, a disk that loses what was not written, a service that it
// configures and measures, and a session to the control plane that breaks and comes back.

import { createPrng } from "@kingly/base";
import type { Prng } from "@kingly/base";
import { NodeCore } from "@kingly/node-core";
import type { ActiveState, Content, Effect, NodeEvent } from "@kingly/node-core";
import { simCrypto } from "../engine/crypto.ts";
import { MILLISECOND_US, SECOND_US } from "../engine/scheduler.ts";
import { EPOCH_MS, FLEET_CLUSTER } from "./control-plane.ts";
import type { ControlPlane } from "./control-plane.ts";
import type { FleetWatch } from "./fleet-watch.ts";
import { Host } from "../cluster/host.ts";
import type { Scheduler } from "../engine/scheduler.ts";
import type { ServicePlant } from "./plant.ts";
import type { FleetScenario } from "./scenario.ts";
import { Session } from "./session.ts";

/** Logical target and signals of every simulated node. */
export const TARGET = "inference/main";
/** See TARGET. */
export const SIGNALS: readonly string[] = ["goodput", "latencyMean"];

/** What a node is made of. */
export interface SimNodePorts {
  readonly name: string;
  readonly scenario: FleetScenario;
  readonly scheduler: Scheduler;
  readonly prng: Prng;
  readonly plant: ServicePlant;
  readonly control: ControlPlane;
  readonly watch: FleetWatch;
}

/** One node over all its lives. */
export class SimNode {
  readonly name: string;
  readonly plant: ServicePlant;
  readonly #ports: SimNodePorts;
  readonly #host: Host;
  readonly #blocks = new Map<number, readonly string[]>();
  #core: NodeCore | undefined;
  #record: string | null = null;
  #session: Session | undefined;
  #reachable = true;
  #lives = 0;
  #wakeMs = Infinity;

  constructor(ports: SimNodePorts) {
    this.#ports = ports;
    this.name = ports.name;
    this.plant = ports.plant;
    this.#host = new Host(ports.scheduler);
  }

  /** The agent runs. */
  get alive(): boolean {
    return this.#core !== undefined;
  }

  get connected(): boolean {
    return this.#session?.open === true;
  }

  get lives(): number {
    return this.#lives;
  }

  /** What the agent says about its Configs; empty while it is down. */
  get active(): readonly ActiveState[] {
    return this.#core?.active() ?? [];
  }

  get #nowMs(): number {
    return EPOCH_MS + Math.floor(this.#host.nowUs / MILLISECOND_US);
  }

  /** Starts the agent. */
  start(): void {
    if (this.#core !== undefined) return;
    this.#lives += 1;
    this.#core = new NodeCore({
      clusterId: FLEET_CLUSTER,
      node: this.name,
      targets: [TARGET],
      signals: SIGNALS,
      ownerLimits: {},
      ownerMargins: {},
      tuner: { enabled: false, targets: [], keys: [], minIntervalMs: 3_600_000 },
      crypto: simCrypto,
      prng: createPrng(`${this.name} life ${this.#lives} ${this.#ports.prng.nextUint32()}`),
    });
    this.#handle({ type: "started", record: this.#record });
    this.#reconnectLater();
  }

  /** The agent is killed: the service goes on, what was not written is lost. */
  crash(): void {
    if (this.#core === undefined) return;
    this.#ports.scheduler.note(() => `${this.name} crashes`);
    this.#core = undefined;
    this.#blocks.clear();
    this.#wakeMs = Infinity;
    this.#host.crash();
    this.#breakSession();
  }

  /** The way to the control plane is cut, or open again. */
  setReachable(reachable: boolean): void {
    this.#reachable = reachable;
    if (reachable) return;
    this.#breakSession();
    if (this.#core === undefined) return;
    this.#handle({ type: "disconnected" });
    this.#reconnectLater();
  }

  #breakSession(): void {
    const session = this.#session;
    this.#session = undefined;
    if (session === undefined) return;
    session.break();
    this.#ports.control.disconnected(this.name, session);
  }

  #reconnectLater(): void {
    this.#host.after(SECOND_US + this.#ports.prng.below(2 * SECOND_US), () => {
      if (this.#session?.open === true) return;
      if (!this.#reachable) return this.#reconnectLater();
      const { scheduler, prng, scenario, control } = this.#ports;
      const session = new Session(scheduler, prng, scenario.delaySpreadUs);
      this.#session = session;
      const { active } = this;
      session.send("up", () =>
        control.connect(this.name, session, {
          active,
          deliver: (event) => this.#host.enter(() => this.#handle(event)),
        }),
      );
    });
  }

  #handle(event: NodeEvent): void {
    const core = this.#core;
    if (core === undefined) return;
    for (const effect of core.handle(event, this.#nowMs)) this.#carryOut(effect);
    this.#planWake();
  }

  #planWake(): void {
    const wakeMs = this.#core?.nextWakeMs ?? Infinity;
    if (wakeMs === Infinity || wakeMs >= this.#wakeMs) return;
    this.#wakeMs = wakeMs;
    const delayMs = Math.max(0, Math.ceil(wakeMs - this.#nowMs));
    this.#host.after(delayMs * MILLISECOND_US, () => {
      if (this.#wakeMs === wakeMs) this.#wakeMs = Infinity;
      this.#handle({ type: "tick" });
    });
  }

  #later(milliseconds: number, action: () => void): void {
    this.#host.after(milliseconds * MILLISECOND_US, action);
  }

  #carryOut(effect: Effect): void {
    switch (effect.type) {
      case "persist":
        return this.#later(1 + this.#ports.prng.below(10), () => {
          this.#record = effect.record;
          this.#handle({ type: "diskWritten", seq: effect.seq });
        });
      case "capture":
        return this.#later(1, () =>
          this.#handle({ type: "captured", target: effect.target, content: this.plant.content }),
        );
      case "check":
        return this.#later(1, () => this.#handle({ type: "checkPassed", token: effect.token }));
      case "apply":
        return this.#apply(effect);
      case "startBlock":
        this.#blocks.set(effect.block, effect.signals);
        return;
      case "endBlock":
        return this.#endBlock(effect.block);
      case "cancelBlock":
        this.#blocks.delete(effect.block);
        return;
      case "send": {
        const { message } = effect;
        if (message.type === "submission") this.#ports.watch.wrote(this.name, message);
        const session = this.#session;
        return session?.send("up", () => this.#ports.control.receive(this.name, message));
      }
      case "log":
        return this.#ports.scheduler.note(() => `${this.name} ${effect.event}: ${effect.message}`);
      case "stopped":
        return;
      default: {
        const never: never = effect;
        throw new Error(`unknown effect ${JSON.stringify(never)}`);
      }
    }
  }

  #apply(effect: Extract<Effect, { type: "apply" }>): void {
    const { content, token } = effect;
    // The command has gone out: the service changes even when the agent dies meanwhile.
    this.#ports.scheduler.after((5 + this.#ports.prng.below(50)) * MILLISECOND_US, () => {
      this.#change(content);
    });
    this.#later(60, () => this.#handle({ type: "applyDone", token }));
  }

  #change(content: Content): void {
    this.plant.content = content;
    this.#ports.watch.runs(this, content);
  }

  #endBlock(block: number): void {
    const signals = this.#blocks.get(block);
    if (signals === undefined) return;
    this.#blocks.delete(block);
    const values = this.plant.measure(signals, Math.floor(this.#host.nowUs / MILLISECOND_US));
    this.#later(2, () => this.#handle({ type: "samples", block, values }));
  }
}
