// The loop around the core: events in, effects out, one at a time. Everything slow (disk, targets,
// probes, servers) answers with an event later; the core itself never waits.

import { assert, createPrng, toKinglyError } from "@kingly/base";
import type { ActiveState, ApplyReason, Effect, NodeEvent } from "@kingly/node-core";
import { NodeCore } from "@kingly/node-core";
import { nodeCrypto } from "@kingly/protocol";
import type { HelloInput } from "@kingly/protocol";
import { Blocks } from "./blocks.ts";
import type { AgentConfig } from "./config/types.ts";
import { StateStore } from "./disk/state-store.ts";
import type { Enrollment, NodeKeys } from "./disk/keys.ts";
import { EVENTS_MAX, STOP_TIMEOUT_MS, TICK_MAX_MS } from "./limits.ts";
import type { Output } from "./output.ts";
import { ScrapeCache } from "./probes/prometheus.ts";
import { activeToWire } from "./session/convert.ts";
import { Session } from "./session/session.ts";
import { Targets } from "./targets.ts";
import { Tripwires } from "./tripwires.ts";
import { AGENT_VERSION } from "./version.ts";

/** Applies whose content is meant to stay; failures before them are not held against it. */
const STAYS: ReadonlySet<ApplyReason> = new Set(["restore", "rollout", "revert", "stop"]);

/** What a runtime is made of. */
export interface RuntimeOptions {
  readonly config: AgentConfig;
  readonly enrollment: Enrollment;
  readonly keys: NodeKeys;
  /** Intact record of the state folder, or null. */
  readonly record: string | null;
  /** Random text: seeds everything that the node draws. */
  readonly seed: string;
  readonly output: Output;
}

/** A running agent. */
export class Runtime {
  readonly #options: RuntimeOptions;
  readonly #core: NodeCore;
  readonly #store: StateStore;
  readonly #targets: Targets;
  readonly #blocks: Blocks;
  readonly #tripwires: Tripwires;
  readonly #session: Session;
  readonly #output: Output;
  // Wall time that does not jump: the clock at the start plus what has passed since.
  readonly #epochMs: number = Date.now() - performance.now();
  #events: NodeEvent[] = [];
  #draining = false;
  #timer: NodeJS.Timeout | null = null;
  #ended = false;
  #onStopped: (() => void) | null = null;

  constructor(options: RuntimeOptions) {
    this.#options = options;
    this.#output = options.output;
    const { config, enrollment, keys } = options;
    const { binding, stateDir } = config;
    const prng = createPrng(options.seed);
    this.#core = new NodeCore({
      clusterId: enrollment.clusterId,
      node: config.node,
      targets: Object.keys(binding.targets).sort(),
      signals: Object.keys(binding.signals).sort(),
      ownerLimits: Object.fromEntries(
        Object.entries(binding.targets).map(([name, target]) => [name, target.limits]),
      ),
      ownerMargins: Object.fromEntries(
        Object.entries(binding.signals).flatMap(([name, signal]) =>
          signal.margin === undefined ? [] : [[name, signal.margin]],
        ),
      ),
      tuner: binding.tuner,
      crypto: nodeCrypto,
      prng: prng.fork("core"),
    });
    this.#store = new StateStore(stateDir, {
      onWritten: (seq) => this.dispatch({ type: "diskWritten", seq }),
      onError: (error) => {
        this.#output.logger("Disk").error(toKinglyError(error).message, { stateDir });
      },
    });
    this.#targets = new Targets(binding.targets, stateDir, {
      onEdited: (target, message) => this.dispatch({ type: "fileEdited", target, message }),
      onEditCleared: (target) => this.dispatch({ type: "editCleared", target }),
    });
    const cache = new ScrapeCache();
    this.#blocks = new Blocks(binding.signals, cache);
    this.#tripwires = new Tripwires(binding.tripwires, cache, (trip) =>
      this.dispatch({ type: "tripwire", ...trip }),
    );
    // Agents that start together do not all ask the same server first; the addresses that the
    // owner gave come before those that the servers named.
    const known = new Set([...prng.fork("servers").shuffle(config.servers), ...enrollment.servers]);
    this.#session = new Session({
      enrollment,
      keys,
      servers: [...known],
      prng: prng.fork("session"),
      logger: this.#output.logger("Session"),
      hello: () => this.#hello(),
      onEvent: (event) => this.dispatch(event),
    });
  }

  /** Puts the node on a good content, then looks for servers. */
  async start(): Promise<void> {
    const { record } = this.#options;
    if (record === null) await this.#restoreAsFound();
    this.dispatch({ type: "started", record });
    this.#targets.start();
    this.#tripwires.start();
    this.#session.start();
  }

  /** Ends trials and unconfirmed versions on a last known good content, and leaves it there. */
  async stop(): Promise<void> {
    const stopped = new Promise<boolean>((resolve) => {
      this.#onStopped = () => resolve(true);
      setTimeout(() => resolve(false), STOP_TIMEOUT_MS).unref();
    });
    this.dispatch({ type: "stopping" });
    const clean = await stopped;
    this.#ended = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#tripwires.stop();
    this.#targets.stop();
    this.#blocks.cancelAll();
    await this.#store.drained();
    this.#session.stop();
    this.#output.event({
      level: clean ? "info" : "error",
      event: "Stopped",
      message: clean ? "the configuration stays as it is" : "the target did not answer in time",
      fields: {},
    });
  }

  /** Hands an event to the core and carries out what follows. */
  dispatch(event: NodeEvent): void {
    if (this.#ended) return;
    assert(this.#events.length < EVENTS_MAX, () => `more than ${EVENTS_MAX} events wait`);
    this.#events.push(event);
    if (this.#draining) return;
    this.#draining = true;
    try {
      for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
        for (const effect of this.#core.handle(next, this.#nowMs())) this.#carryOut(effect);
      }
    } finally {
      this.#draining = false;
    }
    this.#schedule();
  }

  get active(): readonly ActiveState[] {
    return this.#core.active();
  }

  /** Address of the server at hand; "" while cut off. */
  get server(): string {
    return this.#session.server;
  }

  #nowMs(): number {
    return this.#epochMs + performance.now();
  }

  #schedule(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    const waitMs = Math.min(TICK_MAX_MS, this.#core.nextWakeMs - this.#nowMs());
    this.#timer = setTimeout(() => this.dispatch({ type: "tick" }), Math.max(1, Math.ceil(waitMs)));
  }

  #hello(): HelloInput {
    const { config, enrollment } = this.#options;
    return {
      clusterId: enrollment.clusterId,
      node: config.node,
      incarnation: this.#core.incarnation,
      agentVersion: AGENT_VERSION,
      targets: Object.keys(config.binding.targets).sort(),
      signals: Object.keys(config.binding.signals).sort(),
      active: this.#core.active().map((active) => activeToWire(active)),
    };
  }

  /** The record is lost although targets were managed: what was found first is what is known good. */
  async #restoreAsFound(): Promise<void> {
    for (const name of this.#targets.names) {
      const content = await this.#targets.asFound(name);
      if (content === null) continue;
      const outcome = await this.#targets.apply(name, content);
      this.#output.event({
        level: "warn",
        event: "RestoredAsFound",
        message: outcome.ok ? `${name}: no intact record; as found` : `${name}: ${outcome.message}`,
        fields: { target: name },
      });
    }
  }

  #carryOut(effect: Effect): void {
    switch (effect.type) {
      case "persist":
        this.#store.write(effect.seq, effect.record);
        return;
      case "capture":
        this.#run(this.#capture(effect.target));
        return;
      case "check":
        this.#run(this.#check(effect));
        return;
      case "apply":
        this.#run(this.#apply(effect));
        return;
      case "startBlock":
        this.#blocks.start(effect.block, effect.signals);
        return;
      case "endBlock":
        this.#run(this.#endBlock(effect.block));
        return;
      case "cancelBlock":
        this.#blocks.cancel(effect.block);
        return;
      case "send":
        this.#session.send(effect.message);
        return;
      case "log":
        this.#output.event(effect);
        return;
      case "stopped":
        this.#onStopped?.();
        return;
    }
  }

  /** Adapters answer with values; whatever they throw is a bug and ends the process. */
  #run(work: Promise<void>): void {
    work.catch((error: unknown) => {
      setImmediate(() => {
        throw error;
      });
    });
  }

  async #capture(target: string): Promise<void> {
    const content = await this.#targets.capture(target);
    if (content !== null) this.dispatch({ type: "captured", target, content });
  }

  async #check(effect: Extract<Effect, { type: "check" }>): Promise<void> {
    const { token, target, content } = effect;
    const message = await this.#targets.check(target, content);
    if (message === "") this.dispatch({ type: "checkPassed", token });
    else this.dispatch({ type: "checkFailed", token, message });
  }

  async #apply(effect: Extract<Effect, { type: "apply" }>): Promise<void> {
    const { token, target, content, why } = effect;
    const outcome = await this.#targets.apply(target, content);
    this.#output.event({
      level: "debug",
      event: "Apply",
      message: `${target} ${why} v${content.version} ${outcome.ok ? "done" : outcome.message}`,
      fields: { target, why, version: content.version, hash: content.hash, ok: outcome.ok },
    });
    // A switchback changes the content every few moments: failures that last through it still count.
    if (STAYS.has(why)) this.#tripwires.reset(target);
    if (outcome.ok) this.dispatch({ type: "applyDone", token });
    else this.dispatch({ type: "applyFailed", token, message: outcome.message });
  }

  async #endBlock(block: number): Promise<void> {
    const values = await this.#blocks.end(block);
    this.dispatch({ type: "samples", block, values });
  }
}
