// One fleet run: a fleet is built, its first version settles, a change is proposed whose truth the
// simulator knows, and the fleet decides, rolls out and guards, with agents that crash and sessions
// that break. The outcome must be honest: harm is never committed, no harm is never called harm.

import { canonicalJson, createPrng, toBase64, toHex, utf8Encode } from "@kingly/base";
import type { JsonObject, JsonValue, Prng } from "@kingly/base";
import { isFinal } from "@kingly/decision";
import type { CommandType } from "@kingly/decision";
import type { Content } from "@kingly/node-core";
import { defaultPolicySpec } from "@kingly/resources";
import type { Proposal, ProposalPhase } from "@kingly/resources";
import { publicKeyOf, simCrypto } from "../engine/crypto.ts";
import { SECOND_US, Scheduler } from "../engine/scheduler.ts";
import type { Failure } from "../cluster/run.ts";
import { Violation } from "../engine/violation.ts";
import { ControlPlane, FLEET_CLUSTER, privateKeyOf } from "./control-plane.ts";
import { FleetWatch } from "./fleet-watch.ts";
import { CALM_MINUTES, DECISION_HOURS_MAX, SETTLE_HOURS_MAX, WATCH_HOURS } from "./limits.ts";
import { BASE_DATA, CANDIDATE_PATCH, ServicePlant } from "./plant.ts";
import { drawFleetScenario } from "./scenario.ts";
import type { FleetScenario, Story } from "./scenario.ts";
import { SIGNALS, SimNode, TARGET } from "./sim-node.ts";

/** What a fleet run is given. */
export interface FleetRunOptions {
  readonly seed: number;
  /** Fixed by the caller; undefined: drawn. */
  readonly story?: Story | undefined;
  readonly trace?: ((line: string) => void) | undefined;
}

/** How a fleet run ended. */
export interface FleetResult {
  readonly seed: number;
  readonly scenario: FleetScenario;
  /** Phase of the proposal at the end; "-" without one. */
  readonly phase: string;
  readonly virtualSeconds: number;
  readonly votes: number;
  readonly vetoes: number;
  readonly trialApplies: number;
  readonly restarts: number;
  readonly entries: number;
  readonly stateHash: string;
  readonly violation: Failure | undefined;
}

/** Relative change of latency where the change is really bad. */
const MUCH_WORSE = 0.4;
/** Seconds after which the simulated operator lets a paused rollout go on. */
const RESUME_SECONDS = 600;
const HOUR_US = 3600 * SECOND_US;
const NAMESPACE = "default";
const CONFIG = "web";
const PROPOSAL = "faster";

/** Outcomes that are honest, by what the change really does. */
const HONEST: Readonly<Record<Story, readonly ProposalPhase[]>> = {
  default: [],
  harmless: ["Completed", "Inconclusive", "Expired"],
  harmful: ["Rejected", "Inconclusive", "Expired"],
  split: ["Completed", "Rejected", "Inconclusive", "Expired"],
  "odd-one": ["Completed", "Rejected", "RolledBack", "Inconclusive", "Expired"],
  "turns-bad": ["Completed", "RolledBack", "Inconclusive", "Expired"],
};

/** Runs one seed of the fleet. Rejects only for mistakes of the simulator itself. */
export async function runFleet(options: FleetRunOptions): Promise<FleetResult> {
  const fleet = new Fleet(options);
  let violation: Violation | undefined;
  try {
    await fleet.run();
  } catch (error) {
    if (error instanceof Violation) violation = error;
    else
      violation = new Violation(
        "no-crash",
        error instanceof Error ? (error.stack ?? error.message) : String(error),
      );
  }
  const failure = violation && { property: violation.property, message: violation.message };
  return fleet.result(options.seed, failure);
}

class Fleet {
  readonly #prng: Prng;
  readonly #scenario: FleetScenario;
  readonly #scheduler: Scheduler;
  readonly #watch = new FleetWatch();
  readonly #control: ControlPlane;
  readonly #nodes: readonly SimNode[];
  #turnedBad = false;
  #faulty = true;

  constructor(options: FleetRunOptions) {
    const prng = createPrng(`fleet ${options.seed}`);
    this.#prng = prng;
    this.#scenario = drawFleetScenario(prng.fork("scenario"), options.story);
    this.#scheduler = new Scheduler(options.trace);
    this.#control = new ControlPlane(this.#scheduler, prng.fork("control"), this.#watch);
    this.#watch.state = this.#control.state;
    this.#nodes = Array.from({ length: this.#scenario.nodes }, (_, at) => this.#node(at));
  }

  #node(at: number): SimNode {
    const name = `node-${at + 1}`;
    const prng = this.#prng.fork(name);
    const found: Content = { version: 0, hash: hashOf(AS_FOUND), data: AS_FOUND };
    const effect = this.#scenario.effects[this.#isLarge(at) ? 0 : 1];
    const { story, nodes } = this.#scenario;
    const truth = (): number => {
      const odd = story === "odd-one" && at === nodes - 1;
      const turned = story === "turns-bad" && this.#turnedBad;
      return odd || turned ? MUCH_WORSE : effect;
    };
    const plant = new ServicePlant(this.#scenario, prng.fork("plant"), {
      content: found,
      effect: truth,
    });
    this.#watch.found(name, found);
    return new SimNode({
      name,
      scenario: this.#scenario,
      scheduler: this.#scheduler,
      prng: prng.fork("node"),
      plant,
      control: this.#control,
      watch: this.#watch,
    });
  }

  #isLarge(at: number): boolean {
    return at % this.#scenario.largeEvery === 0;
  }

  async run(): Promise<void> {
    this.#setUp();
    const settled = (): boolean => this.#rollouts().every((phase) => phase === "Completed");
    await this.#until(settled, SETTLE_HOURS_MAX, "the first version is not everywhere");
    if (this.#scenario.faultPauseUs > 0) this.#planFault();
    if (this.#scenario.story !== "default") {
      this.#propose();
      const decided = (): boolean => isFinal(this.#phase());
      await this.#until(decided, DECISION_HOURS_MAX, "the proposal is not decided");
    }
    this.#turnedBad = true;
    await this.#scheduler.run(this.#scheduler.nowUs + WATCH_HOURS * HOUR_US);
    this.#faulty = false;
    for (const node of this.#nodes) {
      node.setReachable(true);
      node.start();
    }
    await this.#calm();
    this.#judge();
  }

  /** Without faults every node comes to run what it is assigned, if only between two guard blocks. */
  async #calm(): Promise<void> {
    let astray: readonly SimNode[] = this.#nodes;
    for (let second = 0; second < CALM_MINUTES * 60; second += 1) {
      await this.#scheduler.run(this.#scheduler.nowUs + SECOND_US);
      astray = this.#watch.astray(astray, this.#control.state);
    }
    const [node] = astray;
    if (node === undefined) return;
    const text = `node ${node.name} never ran what it is assigned in ${CALM_MINUTES} calm minutes`;
    throw new Violation("liveness", `${text}; it runs ${JSON.stringify(node.plant.content.data)}`);
  }

  #judge(): void {
    const { story } = this.#scenario;
    if (story === "default" && this.#watch.counts.vetoes + this.#watch.counts.votes > 0) {
      throw new Violation("honest-outcome", "nothing was proposed, yet there are votes or vetoes");
    }
    if (story !== "default" && !HONEST[story].includes(this.#phase())) {
      const text = `a change that is ${story} ended as ${this.#phase()}`;
      throw new Violation("honest-outcome", text);
    }
    if (story === "turns-bad" && this.#phase() === "Completed") this.#requireVetoes();
  }

  /** A version that turned bad on every node must not stay on any that had time to see it. */
  #requireVetoes(): void {
    if (this.#watch.counts.vetoes > 0) return;
    throw new Violation("honest-outcome", "a version that turned bad was vetoed by no node");
  }

  async #until(done: () => boolean, hours: number, otherwise: string): Promise<void> {
    const untilUs = this.#scheduler.nowUs + hours * HOUR_US;
    let checkedUs = 0;
    let reached = false;
    await this.#scheduler.run(untilUs, () => {
      if (this.#scheduler.nowUs - checkedUs < SECOND_US) return false;
      checkedUs = this.#scheduler.nowUs;
      reached = done();
      return reached;
    });
    if (reached) return;
    const phase = this.#scenario.story === "default" ? "-" : this.#phase();
    throw new Violation("liveness", `${otherwise} after ${hours} virtual hours (phase ${phase})`);
  }

  #rollouts(): string[] {
    const rollouts = this.#control.state.objects("Rollout");
    return rollouts.length === 0 ? ["none"] : rollouts.map((one) => one.status?.phase ?? "none");
  }

  #proposal(): Proposal | undefined {
    return this.#control.state.object("Proposal", NAMESPACE, PROPOSAL);
  }

  #phase(): ProposalPhase {
    return this.#proposal()?.status?.phase ?? "Pending";
  }

  /** An operator looks now and then, and lets rollouts go on that paused for a single veto. */
  #operate(): void {
    this.#scheduler.after(RESUME_SECONDS * SECOND_US, () => {
      for (const { metadata, status } of this.#control.state.objects("Rollout")) {
        if (status?.phase !== "Paused") continue;
        const body = { rolloutUid: metadata.uid, reason: "looked at it" };
        this.#control.submit("resume-rollout", body);
      }
      this.#operate();
    });
  }

  #planFault(): void {
    const { faultPauseUs, faultLengthUs } = this.#scenario;
    const prng = this.#prng.fork("faults");
    const plan = (): void => {
      this.#scheduler.after(1 + prng.below(faultPauseUs), () => {
        if (!this.#faulty) return;
        const node = prng.pick(this.#nodes);
        const crash = prng.chance(0.5);
        if (crash) node.crash();
        else node.setReachable(false);
        this.#scheduler.after(1 + prng.below(faultLengthUs), () => {
          if (crash) node.start();
          else node.setReachable(true);
        });
        plan();
      });
    };
    plan();
  }

  #setUp(): void {
    const control = this.#control;
    this.#ok("genesis", { clusterId: FLEET_CLUSTER, namespaces: [] });
    for (const [at, node] of this.#nodes.entries()) this.#enroll(node.name, at);
    this.#create("ConfigSchema", "inference", SCHEMA);
    this.#create("Objective", "latency", LATENCY);
    this.#create("Objective", "goodput", GOODPUT);
    this.#create("Policy", "standard", this.#policy());
    this.#create("Config", CONFIG, CONFIG_SPEC);
    control.start();
    this.#operate();
    for (const node of this.#nodes) node.start();
    const look = (): void => {
      this.#watch.look(this.#nodes, control.nowMs);
      this.#scheduler.after(SECOND_US, look);
    };
    look();
  }

  #policy(): JsonObject {
    const { blockSeconds, washoutSeconds, soakSeconds } = this.#scenario;
    const { trial, rollout } = defaultPolicySpec;
    return {
      ...defaultPolicySpec,
      trial: { ...trial, blockSeconds, washoutSeconds },
      rollout: { ...rollout, soakSeconds },
    } as unknown as JsonObject;
  }

  #propose(): void {
    const baseVersion =
      this.#control.state.object("Config", NAMESPACE, CONFIG)?.status?.version ?? 0;
    this.#ok("propose", {
      namespace: NAMESPACE,
      name: PROPOSAL,
      config: CONFIG,
      baseVersion,
      patch: CANDIDATE_PATCH,
      reason: "larger batches",
      source: { type: "human", name: "operator" },
    });
  }

  #ok(type: CommandType, body: JsonValue): void {
    const { outcome } = this.#control.submit(type, body);
    if (!outcome.ok) throw new Error(`${type}: ${outcome.code}: ${outcome.message}`);
  }

  #create(kind: string, name: string, spec: JsonObject): void {
    this.#ok("write", { op: "create", kind, namespace: NAMESPACE, name, object: { spec } });
  }

  #enroll(node: string, at: number): void {
    const tokenHash = toHex(simCrypto.sha256(utf8Encode(`token of ${node}`)));
    this.#ok("join-token", {
      tokenHash,
      expiresAtMs: this.#control.nowMs + 3_600_000,
      class: this.#isLarge(at) ? "large" : "small",
      ownerGroup: `group-${at % this.#scenario.ownerGroups}`,
      pool: "main",
      interferenceGroup: "",
      labels: { role: "inference" },
      node: "",
    });
    this.#ok("enroll-node", {
      node,
      publicKey: toBase64(publicKeyOf(privateKeyOf(node))),
      tokenHash,
      targets: [TARGET],
      signals: SIGNALS,
      agentVersion: "0.1.0",
    });
  }

  result(seed: number, violation: Failure | undefined): FleetResult {
    const { counts } = this.#watch;
    const { state } = this.#control;
    return {
      seed,
      scenario: this.#scenario,
      phase: this.#scenario.story === "default" ? "-" : this.#phase(),
      virtualSeconds: this.#scheduler.nowUs / SECOND_US,
      votes: counts.votes,
      vetoes: counts.vetoes,
      trialApplies: counts.trialApplies,
      restarts: this.#nodes.reduce((sum, node) => sum + node.lives - 1, 0),
      entries: state.meta().appliedIndex,
      stateHash: state.stateHash(),
      violation,
    };
  }
}

const AS_FOUND: JsonObject = { batch: 4, mode: "fast", threads: 4 };

function hashOf(data: JsonObject): string {
  return toHex(simCrypto.sha256(utf8Encode(canonicalJson(data))));
}

const RULE: JsonObject = {
  type: "integer",
  tunable: true,
  minimum: 1,
  maximum: 64,
  step: 1,
  hot: true,
  settleSeconds: 2,
  secret: false,
};

const SCHEMA: JsonObject = { schema: {}, keys: { batch: RULE, threads: RULE } };

const LATENCY: JsonObject = {
  signal: "latencyMean",
  direction: "lower",
  role: "primary",
  floor: 0.001,
  weight: 1,
  marginRatio: 0.05,
  unit: "ms",
};

const GOODPUT: JsonObject = {
  ...LATENCY,
  signal: "goodput",
  direction: "higher",
  role: "guardrail",
};

const CONFIG_SPEC: JsonObject = {
  data: BASE_DATA,
  target: TARGET,
  schemaRef: "inference",
  selector: { matchLabels: { role: "inference" } },
  policyRef: "standard",
  objectiveRefs: ["latency", "goodput"],
  requiresConnectivity: false,
};
