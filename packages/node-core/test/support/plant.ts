// A node in virtual time: the core, a disk that takes a while, a target whose signals depend on the
// content that runs (with drift, autocorrelation and noise), and a server that only listens.
import { createHash } from "node:crypto";
import { canonicalJson, createPrng } from "@kingly/base";
import type { JsonObject, Prng } from "@kingly/base";
import { rhoFor } from "@kingly/evidence";
import type { TrialPlan } from "@kingly/evidence";
import { parseDocument } from "@kingly/resources";
import type { Assignment, AssignmentPush, SignedDocument, TrialOrder } from "@kingly/resources";
import { NodeCore } from "../../src/index.ts";
import type {
  Content,
  Effect,
  NodeCoreOptions,
  NodeEvent,
  OutgoingMessage,
} from "../../src/index.ts";

export const sha256 = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(createHash("sha256").update(bytes).digest());

export const hashOf = (data: JsonObject): string =>
  createHash("sha256").update(canonicalJson(data)).digest("hex");

/** How the target behaves under a content, as a multiple of its usual level; per signal. */
export type Behaviour = (data: JsonObject, signal: string, nowMs: number) => number;

export interface PlantOptions {
  readonly seed?: string;
  readonly behaviour?: Behaviour;
  /** Log standard deviation of one block, of its autocorrelated part, and log drift per second. */
  readonly noise?: number;
  readonly wander?: number;
  readonly driftPerSecond?: number;
  readonly diskMs?: number;
  readonly applyMs?: number;
  readonly checkMs?: number;
  readonly node?: Partial<NodeCoreOptions>;
  readonly asFound?: JsonObject;
}

export interface Applied {
  readonly atMs: number;
  readonly content: Content;
  readonly why: string;
}

type Timed = { readonly atMs: number; readonly order: number; readonly run: () => void };

const STEP_MS = 25;
const MAIN = "inference/main";

export class Plant {
  readonly options: NodeCoreOptions;
  core: NodeCore;
  nowMs = 1_000;
  readonly #contents = new Map<string, Content>();
  disk: string | null = null;
  readonly applied: Applied[] = [];
  readonly sent: OutgoingMessage[] = [];
  readonly logs: { readonly event: string; readonly message: string; readonly atMs: number }[] = [];
  readonly documents: SignedDocument[] = [];
  /** Answers submissions at once when true. */
  answers = true;
  stopped = false;
  /** Contents (by hash) that fail to apply, and that fail the check. */
  readonly unappliable = new Set<string>();
  readonly uncheckable = new Set<string>();
  /** Signals without any data. */
  readonly silent = new Set<string>();
  /** Called with every effect before it is carried out; returning false kills the agent there. */
  onEffect: (effect: Effect) => boolean = () => true;
  alive = true;
  readonly #plant: Required<Omit<PlantOptions, "node" | "asFound">>;
  #queue: Timed[] = [];
  #order = 0;
  #blocks = new Map<number, { readonly target: string; readonly signals: readonly string[] }>();
  #writing: string | null = null;
  #noise: Prng;
  #wandering = 0;

  constructor(options: PlantOptions = {}) {
    this.#plant = {
      seed: options.seed ?? "plant",
      behaviour: options.behaviour ?? (() => 1),
      noise: options.noise ?? 0.1,
      wander: options.wander ?? 0,
      driftPerSecond: options.driftPerSecond ?? 0,
      diskMs: options.diskMs ?? 5,
      applyMs: options.applyMs ?? 10,
      checkMs: options.checkMs ?? 1,
    };
    this.#noise = createPrng(`noise/${this.#plant.seed}`);
    const found = options.asFound ?? { window: 0, size: 8 };
    for (const target of options.node?.targets ?? [MAIN]) {
      this.#contents.set(target, { version: 0, hash: hashOf(found), data: found });
    }
    this.options = {
      clusterId: "c1",
      node: "n1",
      targets: ["inference/main"],
      signals: ["latency", "cpu"],
      ownerLimits: {},
      ownerMargins: {},
      tuner: { enabled: false, targets: ["inference/main"], keys: [], minIntervalMs: 60_000 },
      crypto: { sha256 },
      prng: createPrng(`core/${this.#plant.seed}`),
      ...options.node,
    };
    this.core = new NodeCore(this.options);
  }

  start(): this {
    this.send({ type: "started", record: this.disk });
    return this;
  }

  /** What the main target runs. */
  get running(): Content {
    return this.runningOn(MAIN);
  }

  runningOn(target: string): Content {
    const content = this.#contents.get(target);
    if (content === undefined) throw new Error(`no target ${target}`);
    return content;
  }

  /**
   * kill -9: the process is gone, the disk and the target stay; then a new one starts. A write that
   * was under way is lost, or it reached the disk although nobody heard of it any more.
   */
  restart(writeUnderWay: "lost" | "kept" = "lost"): this {
    if (writeUnderWay === "kept" && this.#writing !== null) this.disk = this.#writing;
    this.#writing = null;
    this.alive = true;
    this.stopped = false;
    this.#queue = [];
    this.#blocks.clear();
    this.core = new NodeCore({ ...this.options, prng: createPrng(`core/${this.nowMs}`) });
    return this.start();
  }

  connect(): this {
    return this.send({ type: "connected", heartbeatMs: 1_000 });
  }

  send(event: NodeEvent): this {
    if (!this.alive) return this;
    for (const effect of this.core.handle(event, this.nowMs)) {
      if (!this.alive) break;
      this.#carryOut(effect);
    }
    return this;
  }

  /** Runs until the condition holds; fails after `limitMs` of virtual time. */
  until(condition: () => boolean, limitMs: number, what: string): this {
    const endMs = this.nowMs + limitMs;
    while (!condition()) {
      if (this.nowMs >= endMs) {
        const tail = this.logs.slice(-12).map((l) => `${l.atMs} ${l.event} ${l.message}`);
        throw new Error(`${what}: not within ${limitMs} ms\n${tail.join("\n")}`);
      }
      this.step();
    }
    return this;
  }

  run(ms: number): this {
    const endMs = this.nowMs + ms;
    while (this.nowMs < endMs && this.alive) this.step();
    return this;
  }

  /** One slice of virtual time: due answers, then a tick if the core asked for one. */
  step(): void {
    this.nowMs += STEP_MS;
    for (;;) {
      const due = this.#queue
        .filter((timed) => timed.atMs <= this.nowMs)
        .sort((a, b) => a.atMs - b.atMs || a.order - b.order)[0];
      if (due === undefined || !this.alive) break;
      this.#queue = this.#queue.filter((timed) => timed !== due);
      due.run();
    }
    if (this.alive && this.core.nextWakeMs <= this.nowMs) this.send({ type: "tick" });
  }

  of<Kind extends SignedDocument["kind"]>(kind: Kind): Extract<SignedDocument, { kind: Kind }>[] {
    return this.documents.filter(
      (d): d is Extract<SignedDocument, { kind: Kind }> => d.kind === kind,
    );
  }

  saw(event: string): number {
    return this.logs.filter((log) => log.event === event).length;
  }

  acks(): string[] {
    return this.sent.filter((m) => m.type === "ack").map((m) => `${m.version}:${m.state}`);
  }

  #later(ms: number, run: () => void): void {
    this.#order += 1;
    this.#queue.push({ atMs: this.nowMs + ms, order: this.#order, run });
  }

  #carryOut(effect: Effect): void {
    if (!this.onEffect(effect)) {
      this.alive = false;
      return;
    }
    switch (effect.type) {
      case "persist":
        this.#writing = effect.record;
        this.#later(this.#plant.diskMs, () => {
          this.disk = effect.record;
          this.send({ type: "diskWritten", seq: effect.seq });
        });
        return;
      case "capture":
        this.#later(1, () => {
          this.send({
            type: "captured",
            target: effect.target,
            content: this.runningOn(effect.target),
          });
        });
        return;
      case "check":
        this.#later(this.#plant.checkMs, () => {
          const { token, content } = effect;
          if (!this.uncheckable.has(content.hash)) this.send({ type: "checkPassed", token });
          else this.send({ type: "checkFailed", token, message: "no good" });
        });
        return;
      case "apply":
        this.#apply(effect);
        return;
      case "startBlock":
        this.#blocks.set(effect.block, { target: effect.target, signals: effect.signals });
        return;
      case "endBlock":
        this.#endBlock(effect.block);
        return;
      case "cancelBlock":
        this.#blocks.delete(effect.block);
        return;
      case "send":
        this.#receive(effect.message);
        return;
      case "log":
        this.logs.push({ event: effect.event, message: effect.message, atMs: this.nowMs });
        return;
      case "stopped":
        this.stopped = true;
        return;
    }
  }

  #apply(effect: Extract<Effect, { type: "apply" }>): void {
    const { content, token, why } = effect;
    this.applied.push({ atMs: this.nowMs, content, why });
    this.#later(this.#plant.applyMs, () => {
      if (this.unappliable.has(content.hash)) {
        this.send({ type: "applyFailed", token, message: "the target said no" });
        return;
      }
      this.#contents.set(effect.target, content);
      this.send({ type: "applyDone", token });
    });
  }

  #endBlock(block: number): void {
    const found = this.#blocks.get(block);
    if (found === undefined) return;
    this.#blocks.delete(block);
    const values: Record<string, number | null> = {};
    // AR(1) with unit marginal spread; one value per block for all signals, plus own noise.
    this.#wandering = 0.7 * this.#wandering + Math.sqrt(1 - 0.49) * this.#gauss();
    for (const signal of found.signals) {
      const level =
        10 * this.#plant.behaviour(this.runningOn(found.target).data, signal, this.nowMs);
      const log =
        this.#plant.noise * this.#gauss() +
        this.#plant.wander * this.#wandering +
        (this.#plant.driftPerSecond * this.nowMs) / 1000;
      values[signal] = this.silent.has(signal) ? null : level * Math.exp(log);
    }
    this.#later(2, () => this.send({ type: "samples", block, values }));
  }

  #gauss(): number {
    const u = 1 - this.#noise.unit();
    return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * this.#noise.unit());
  }

  #receive(message: OutgoingMessage): void {
    this.sent.push(message);
    if (message.type !== "submission" || !this.answers) return;
    const { idempotencyKey, document } = message;
    this.#later(20, () => {
      const known = this.documents.some((d) => d.idempotencyKey === idempotencyKey);
      if (!known)
        this.documents.push(parseDocument(message.kind, new TextEncoder().encode(document)));
      this.send({ type: "submissionResult", idempotencyKey, code: "", message: "", retry: false });
    });
  }
}

export function assignment(
  version: number,
  data: JsonObject,
  more: Partial<Assignment> = {},
): Assignment {
  return {
    config: { namespace: "prod", name: "inference", uid: "cfg-1" },
    target: "inference/main",
    generation: version,
    version,
    contentHash: hashOf(data),
    data,
    changedKeys: Object.keys(data),
    keys: {
      window: {
        type: "integer",
        tunable: true,
        minimum: 0,
        maximum: 50,
        step: 1,
        hot: true,
        settleSeconds: 0.2,
        secret: false,
      },
    },
    objectives: [
      {
        name: "lat",
        signal: "latency",
        direction: "lower",
        role: "primary",
        floor: 0.001,
        weight: 1,
        marginRatio: 0.1,
        unit: "ms",
      },
    ],
    guard: {
      alphaLocal: 0.001,
      clip: 0.5,
      blockSeconds: 0.5,
      washoutSeconds: 0.2,
      maxPairs: 40,
      soakSeconds: 5,
      confirmDeadlineSeconds: 60,
      probationSeconds: 120,
      vetoExpirySeconds: 3_600,
    },
    requiresConnectivity: false,
    agentsMayPropose: false,
    heldByVeto: false,
    ...more,
  };
}

export function push(...assignments: readonly Assignment[]): NodeEvent {
  const document: AssignmentPush = { clusterId: "c1", node: "n1", assignments };
  return {
    type: "pushReceived",
    push: document,
    nonce: `nonce-${assignments[0]?.generation ?? 0}`,
  };
}

export function trialPlan(more: Partial<TrialPlan> = {}): TrialPlan {
  return {
    objectives: [
      {
        name: "lat",
        role: "primary",
        direction: "lower",
        floor: 0.001,
        weight: 1,
        marginRatio: 0.1,
        harmMarginRatio: 0.02,
        rho: rhoFor({ standardDeviation: 0.14 }),
      },
    ],
    alpha: 0.01,
    beta: 0.05,
    clip: 0.5,
    maxPairs: 60,
    requireImprovement: false,
    ...more,
  };
}

export function order(
  plant: Plant,
  candidate: JsonObject,
  baseline: { readonly version: number; readonly data: JsonObject },
  more: Partial<TrialOrder> = {},
): TrialOrder {
  return {
    proposal: { namespace: "prod", name: "p1", uid: "prop-1" },
    attempt: 1,
    config: { namespace: "prod", name: "inference", uid: "cfg-1" },
    target: "inference/main",
    seed: hashOf({ seed: plant.options.node, at: plant.nowMs }),
    unit: "n1",
    candidate: { hash: hashOf(candidate), data: candidate },
    baseline: { ...baseline, hash: hashOf(baseline.data) },
    changedKeys: ["window"],
    blockSeconds: 0.5,
    washoutSeconds: 0.2,
    startedAtMs: plant.nowMs,
    deadlineMs: plant.nowMs + 300_000,
    plan: trialPlan() as unknown as JsonObject,
    signals: { lat: "latency" },
    ...more,
  };
}
