// A whole fleet in virtual time around one state machine: it plays the leader (stamps, entropy, pending
// work) and the nodes (measure, vote, acknowledge, veto). Every entry is kept, so that a scenario can be
// replayed on another machine.

import { canonicalJson, createPrng, toBase64, toHex, utf8Encode } from "@kingly/base";
import type { JsonObject, JsonValue, Prng } from "@kingly/base";
import { advanceTrial, finishTrial, startTrial, trialDecision } from "@kingly/evidence";
import type { TrialEvidence, TrialPlan } from "@kingly/evidence";
import { defaultPolicySpec, signingBytes } from "@kingly/resources";
import type { Config, PolicySpec, Proposal, Rollout, TrialOrder, Veto } from "@kingly/resources";
import {
  StateMachine,
  encodeCommand,
  guardPlanFor,
  pendingWork,
  renderAssignments,
  renderTrialOrders,
} from "../../src/index.ts";
import type { AppliedEntry, ApplyResult, Command, CommandType } from "../../src/index.ts";
import { publicKeyOf, testCrypto } from "./crypto.ts";

export const CLUSTER = "test-cluster";
export const NS = "default";

export interface NodeSetup {
  readonly name: string;
  readonly class?: string;
  readonly ownerGroup?: string;
}

export interface FleetSetup {
  readonly nodes: readonly NodeSetup[];
  readonly policy?: (spec: PolicySpec) => PolicySpec;
  readonly data?: JsonObject;
  readonly seed?: string;
}

export interface SubmitOptions {
  readonly signature?: Uint8Array;
  readonly entropy?: Uint8Array;
  readonly actor?: string;
  readonly idempotencyKey?: string;
  readonly readSet?: Command["readSet"];
  readonly isAdmitted?: boolean;
}

export const TEST_POLICY: (spec: PolicySpec) => PolicySpec = (spec) => ({
  ...spec,
  rollout: { ...spec.rollout, soakSeconds: 60 },
});

export const DATA: JsonObject = { batch: 8, threads: 4, mode: "fast" };

export class Fleet {
  readonly entries: AppliedEntry[] = [];
  readonly results: ApplyResult[] = [];
  readonly reachable = new Set<string>();
  readonly prng: Prng;
  readonly machine = new StateMachine({ crypto: testCrypto });
  readonly nodeNames: string[] = [];
  nowMs = 1_700_000_000_000;
  #index = 0;
  #document = 0;

  constructor(setup: FleetSetup) {
    this.prng = createPrng(setup.seed ?? "fleet");
    this.ok("genesis", { clusterId: CLUSTER, namespaces: [] });
    for (const node of setup.nodes) this.enroll(node);
    this.create("ConfigSchema", "inference", {
      schema: {},
      keys: { batch: BATCH_RULE, threads: THREADS_RULE },
    });
    this.create("Objective", "latency", LATENCY);
    this.create("Objective", "goodput", GOODPUT);
    const policy = (setup.policy ?? TEST_POLICY)(defaultPolicySpec);
    this.create("Policy", "standard", policy as unknown as JsonObject);
    this.create("Config", "web", configSpec(setup.data ?? DATA));
  }

  /** Creates the fleet and lets version 1 settle everywhere. */
  static settled(setup: FleetSetup): Fleet {
    const fleet = new Fleet(setup);
    fleet.settle();
    return fleet;
  }

  enroll(node: NodeSetup): void {
    const tokenHash = toHex(testCrypto.sha256(utf8Encode(`token-${node.name}`)));
    this.ok("join-token", {
      tokenHash,
      expiresAtMs: this.nowMs + 60_000,
      class: node.class ?? "gpu",
      ownerGroup: node.ownerGroup ?? "ops",
      pool: "main",
      interferenceGroup: "",
      labels: { role: "inference" },
      node: "",
    });
    this.ok("enroll-node", {
      node: node.name,
      publicKey: toBase64(publicKeyOf(keyOf(node.name))),
      tokenHash,
      targets: ["inference/main"],
      signals: ["goodput", "latencyMean"],
      agentVersion: "0.1.0",
    });
    this.reachable.add(node.name);
    this.nodeNames.push(node.name);
  }

  submit(
    type: CommandType,
    body: JsonValue | Uint8Array,
    options: SubmitOptions = {},
  ): ApplyResult {
    const bytes = body instanceof Uint8Array ? body : utf8Encode(canonicalJson(body));
    const { actor = "alice", readSet = [], ...rest } = options;
    return this.applyBytes(
      encodeCommand({
        type,
        body: bytes,
        actor: { name: actor, method: "token", server: "s1" },
        timeMs: this.nowMs,
        readSet,
        requestId: `r${this.#index + 1}`,
        ...rest,
      }),
    );
  }

  applyBytes(data: Uint8Array): ApplyResult {
    this.#index += 1;
    const chainHash = testCrypto.sha256(utf8Encode(`chain-${this.#index}`));
    const entry = { index: this.#index, term: 1, data, chainHash };
    this.entries.push(entry);
    const result = this.machine.apply(entry);
    this.results.push(result);
    return result;
  }

  ok(type: CommandType, body: JsonValue | Uint8Array, options: SubmitOptions = {}): JsonObject {
    const { outcome } = this.submit(type, body, options);
    if (!outcome.ok) throw new Error(`${type}: ${outcome.code}: ${outcome.message}`);
    return outcome.value as JsonObject;
  }

  create(kind: string, name: string, spec: JsonObject): JsonObject {
    return this.ok("write", { op: "create", kind, namespace: NS, name, object: { spec } });
  }

  replaceData(data: JsonObject): ApplyResult {
    const spec = { ...this.config().spec, data };
    return this.submit("write", {
      op: "replace",
      kind: "Config",
      namespace: NS,
      name: "web",
      object: { spec } as unknown as JsonObject,
    });
  }

  propose(patch: JsonObject, name: string, options: SubmitOptions = {}): ApplyResult {
    const baseVersion = this.config().status?.version ?? 0;
    const body = { namespace: NS, name, config: "web", baseVersion, patch, reason: "faster" };
    return this.submit("propose", body, options);
  }

  config(name = "web"): Config {
    const config = this.machine.object("Config", NS, name);
    if (config === undefined) throw new Error(`no Config ${name}`);
    return config;
  }

  proposal(name: string): Proposal {
    const proposal = this.machine.object("Proposal", NS, name);
    if (proposal === undefined) throw new Error(`no Proposal ${name}`);
    return proposal;
  }

  phase(name: string): string {
    return this.proposal(name).status?.phase ?? "";
  }

  rollout(version: number): Rollout {
    const rollout = this.machine.object("Rollout", NS, `web-v${version}`);
    if (rollout === undefined) throw new Error(`no Rollout web-v${version}`);
    return rollout;
  }

  vetoes(): Veto[] {
    return this.machine.objects("Veto", NS);
  }

  /** The leader looks once and proposes everything that is due; returns how many. */
  lead(): number {
    const work = pendingWork(this.machine, { reachableNodes: this.reachable }, this.nowMs);
    for (const { type, body, needsEntropy } of work) {
      const entropy = needsEntropy ? { entropy: this.prng.bytes(32) } : {};
      this.submit(type, body, { actor: "system:leader", ...entropy });
    }
    return work.length;
  }

  advance(ms: number): void {
    this.nowMs += ms;
    this.lead();
  }

  /** All reachable nodes acknowledge what they are assigned. */
  acknowledge(state: "received" | "applied" | "confirmed" | "failed" = "confirmed"): void {
    const byVersion = new Map<string, string[]>();
    for (const node of this.nodeNames) {
      if (!this.reachable.has(node)) continue;
      for (const one of renderAssignments(this.machine, node).assignments) {
        if (one.version === 0 || one.heldByVeto) continue;
        const key = `${one.config.uid}|${one.version}`;
        byVersion.set(key, [...(byVersion.get(key) ?? []), node]);
      }
    }
    for (const [key, nodes] of byVersion) {
      const [configUid = "", version = "0"] = key.split("|");
      this.ok("acks", { configUid, version: Number(version), state, nodes });
    }
  }

  /** Lets a rollout run to its end with everybody confirming. */
  settle(): void {
    for (let i = 0; i < 50; i += 1) {
      this.acknowledge();
      this.advance(61_000);
      const rollouts = this.machine.objects("Rollout", NS);
      if (rollouts.every((one) => one.status?.phase !== "Progressing")) return;
    }
    throw new Error("the rollout did not settle");
  }

  orders(node: string): TrialOrder[] {
    return renderTrialOrders(this.machine, node);
  }

  /** Names of nodes that are asked to measure now. */
  asked(): string[] {
    return this.nodeNames.filter((node) => this.orders(node).length > 0);
  }

  /** A node measures a trial in which the candidate is worse by `effect` (ratio; < 0 is better). */
  measure(order: TrialOrder, effect: number): TrialEvidence {
    return this.run(order.plan as unknown as TrialPlan, effect);
  }

  run(plan: TrialPlan, effect: number): TrialEvidence {
    return this.runEach(plan, () => effect);
  }

  /** A trial with an effect of its own on every objective. */
  runEach(plan: TrialPlan, effectOf: (objective: string) => number): TrialEvidence {
    let state = startTrial(plan);
    while (state.pairs < plan.maxPairs && trialDecision(state, plan) === undefined) {
      const values = plan.objectives.map(({ name, direction }) => {
        const effect = effectOf(name);
        const worse = direction === "lower" ? 1 + effect : 1 / (1 + effect);
        const noise = (): number => 1 + (this.prng.unit() - 0.5) * 0.05;
        const baseline = 100 * noise();
        return { objective: name, baseline, candidate: 100 * worse * noise() };
      });
      state = advanceTrial(state, plan, values);
    }
    return finishTrial(state, plan, trialDecision(state, plan) ?? "used up its pairs");
  }

  voteDocument(
    node: string,
    evidence: TrialEvidence | undefined,
    change: JsonObject = {},
  ): JsonObject {
    const order = this.orders(node)[0];
    if (order === undefined) throw new Error(`${node} has no trial`);
    this.#document += 1;
    const decision = { accept: "Accept", reject: "Reject", abstain: "Abstain" }[
      evidence?.decision ?? "abstain"
    ];
    return {
      kind: "Vote",
      clusterId: CLUSTER,
      node,
      idempotencyKey: `doc-${this.#document}`,
      writtenAtMs: this.nowMs,
      proposalUid: order.proposal.uid,
      attempt: order.attempt,
      candidateHash: order.candidate.hash,
      baselineHash: order.baseline.hash,
      decision: decision ?? "Abstain",
      reason: evidence?.reason ?? "no data",
      declined: false,
      evidence: (evidence ?? {}) as unknown as JsonObject,
      ...change,
    };
  }

  signed(type: CommandType, document: JsonObject, signer = textOf(document["node"])): ApplyResult {
    const bytes = utf8Encode(canonicalJson(document));
    const signature = testCrypto.sign(
      keyOf(signer),
      signingBytes({
        clusterId: textOf(document["clusterId"]),
        type: textOf(document["kind"]),
        uid: textOf(document["idempotencyKey"]),
        bytes,
      }),
    );
    return this.submit(type, bytes, { signature, actor: signer });
  }

  /** Every asked node measures and votes; time passes as long as the longest trial took. */
  vote(effectOf: (node: string) => number): void {
    const ballots = this.asked().map((node) => {
      const order = this.orders(node)[0] as TrialOrder;
      return { node, order, evidence: this.measure(order, effectOf(node)) };
    });
    const seconds = ballots.map(
      ({ order, evidence }) => evidence.pairs * 2 * (order.blockSeconds + order.washoutSeconds),
    );
    this.nowMs += Math.max(0, ...seconds) * 1_000;
    for (const { node, evidence } of ballots) {
      this.signed("vote", this.voteDocument(node, evidence));
    }
  }

  vetoDocument(node: string, change: JsonObject = {}): JsonObject {
    const assigned = renderAssignments(this.machine, node).assignments[0];
    if (assigned === undefined) throw new Error(`${node} is assigned nothing`);
    this.#document += 1;
    return {
      kind: "Veto",
      clusterId: CLUSTER,
      node,
      idempotencyKey: `doc-${this.#document}`,
      writtenAtMs: this.nowMs,
      configUid: assigned.config.uid,
      version: assigned.version,
      contentHash: assigned.contentHash,
      cause: "Tripwire",
      message: "health check failed three times",
      pinnedKeys: [...assigned.changedKeys],
      plan: {},
      evidence: {},
      runsVersion: assigned.version - 1,
      expiresAtMs: this.nowMs + 86_400_000,
      revertDelayMs: 120,
      ...change,
    };
  }

  /** A veto for a measured regression of `effect`, within an owner's margin when one is given. */
  regressionVeto(node: string, effect: number, ownerMargin?: number): JsonObject {
    const assigned = renderAssignments(this.machine, node).assignments[0];
    const found = this.machine.object("Node", "", node);
    const policy = this.machine.object("Policy", NS, "standard");
    if (assigned === undefined || found === undefined || policy === undefined) {
      throw new Error("nothing to veto");
    }
    const common = guardPlanFor(found, assigned.objectives, {
      alphaLocal: assigned.guard.alphaLocal,
      policy: policy.spec,
    });
    const objectives = common.objectives.map((one) => {
      const margin = ownerMargin ?? one.marginRatio;
      return { ...one, marginRatio: margin, harmMarginRatio: margin };
    });
    const plan = { ...common, objectives };
    const evidence = this.run(plan, effect);
    return this.vetoDocument(node, {
      cause: "Regression",
      plan: plan as unknown as JsonObject,
      evidence: evidence as unknown as JsonObject,
    });
  }

  /** Opens a proposal, lets the fleet vote and returns its phase afterwards. */
  decide(patch: JsonObject, name: string, effectOf: (node: string) => number): string {
    const { outcome } = this.propose(patch, name);
    if (!outcome.ok) throw new Error(`propose: ${outcome.code}: ${outcome.message}`);
    this.advance(1_000);
    this.vote(effectOf);
    return this.phase(name);
  }
}

export function keyOf(node: string): Uint8Array {
  return testCrypto.sha256(utf8Encode(`private-${node}`));
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : "";
}

export const BATCH_RULE: JsonObject = {
  type: "integer",
  tunable: true,
  minimum: 1,
  maximum: 64,
  step: 1,
  hot: true,
  settleSeconds: 5,
  secret: false,
};

export const THREADS_RULE: JsonObject = { ...BATCH_RULE, maximum: 32, settleSeconds: 0 };

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

export function configSpec(data: JsonObject, change: JsonObject = {}): JsonObject {
  return {
    data,
    target: "inference/main",
    schemaRef: "inference",
    selector: { matchLabels: { role: "inference" } },
    policyRef: "standard",
    objectiveRefs: ["latency", "goodput"],
    requiresConnectivity: false,
    ...change,
  };
}

export function nodes(count: number, groups = 1): NodeSetup[] {
  return Array.from({ length: count }, (_, i) => ({
    name: `node-${String(i + 1).padStart(2, "0")}`,
    ownerGroup: `group-${i % groups}`,
  }));
}
