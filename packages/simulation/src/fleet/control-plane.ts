// The servers as one: the real decision machine behind a sequencer, with the leader's controller and
// the sessions of agents around it. What it takes from several servers (elections, lost entries) is
// simulated by the cluster part; here commands are committed at once, in order.

import { canonicalJson, compareStrings, utf8Encode } from "@kingly/base";
import type { JsonObject, JsonValue, Prng } from "@kingly/base";
import {
  StateMachine,
  encodeCommand,
  pendingWork,
  renderAssignments,
  renderTrialOrders,
} from "@kingly/decision";
import type { ApplyResult, CommandType } from "@kingly/decision";
import type { ActiveState, DocumentKind, NodeEvent, OutgoingMessage } from "@kingly/node-core";
import { signingBytes } from "@kingly/resources";
import type { AssignmentPush, TrialOrder } from "@kingly/resources";
import { simCrypto } from "../engine/crypto.ts";
import { MILLISECOND_US, SECOND_US } from "../engine/scheduler.ts";
import type { Scheduler } from "../engine/scheduler.ts";
import { HEARTBEAT_MS, NODE_LEASE_MS } from "./limits.ts";
import type { Session } from "./session.ts";

/** Name of the simulated cluster. */
export const FLEET_CLUSTER = "simulated-fleet";
/** Simulated time begins here, milliseconds since the Unix epoch. */
export const EPOCH_MS = 1_700_000_000_000;

const COMMAND_OF: Readonly<Record<DocumentKind, CommandType>> = {
  Vote: "vote",
  Veto: "veto",
  Proposal: "agent-proposal",
  Calibration: "calibration",
};

/** Who listens to the control plane. */
export interface ControlWatch {
  /** A command was applied. */
  applied(result: ApplyResult): void;
  /** A document of a node was applied or refused. */
  submitted(key: string, result: ApplyResult): void;
  /** A node is told what to run. */
  pushed(node: string, push: AssignmentPush): void;
  /** A node is asked to measure. */
  ordered(node: string, order: TrialOrder): void;
}

interface Connection {
  readonly session: Session;
  readonly deliver: (event: NodeEvent) => void;
  readonly orders: Map<string, TrialOrder>;
  readonly acked: Set<string>;
  pushed: string;
  nonce: number;
}

interface Submit {
  readonly actor?: string;
  readonly signature?: Uint8Array;
  readonly entropy?: Uint8Array;
}

/** The control plane of a fleet run. */
export class ControlPlane {
  readonly state: StateMachine = new StateMachine({ crypto: simCrypto });
  readonly #scheduler: Scheduler;
  readonly #prng: Prng;
  readonly #watch: ControlWatch;
  readonly #connections = new Map<string, Connection>();
  readonly #heardAtMs = new Map<string, number>();
  /** Acknowledgements to write with the next look, by config, version and state. */
  readonly #acks = new Map<string, Set<string>>();
  #index = 0;
  #refreshDue = false;

  constructor(scheduler: Scheduler, prng: Prng, watch: ControlWatch) {
    this.#scheduler = scheduler;
    this.#prng = prng;
    this.#watch = watch;
  }

  get nowMs(): number {
    return EPOCH_MS + Math.floor(this.#scheduler.nowUs / MILLISECOND_US);
  }

  /** Looks for open work every second. */
  start(): void {
    this.#scheduler.after(SECOND_US, () => {
      this.#lead();
      this.start();
    });
  }

  /** Commits and applies one command. */
  submit(type: CommandType, body: JsonValue | Uint8Array, options: Submit = {}): ApplyResult {
    this.#index += 1;
    const { actor = "operator", ...rest } = options;
    const data = encodeCommand({
      type,
      body: body instanceof Uint8Array ? body : utf8Encode(canonicalJson(body)),
      actor: { name: actor, method: "token", server: "s1" },
      timeMs: this.nowMs,
      readSet: [],
      requestId: `r${this.#index}`,
      ...rest,
    });
    const chainHash = simCrypto.sha256(utf8Encode(`chain ${this.#index}`));
    const result = this.state.apply({ index: this.#index, term: 1, data, chainHash });
    if (!result.outcome.ok) {
      const { code, message } = result.outcome;
      this.#scheduler.note(() => `${type} by ${actor} is refused: ${code}: ${message}`);
    }
    this.#watch.applied(result);
    this.#refreshSoon();
    return result;
  }

  #lead(): void {
    this.#writeAcks();
    const nowMs = this.nowMs;
    const reachable = [...this.#heardAtMs].filter(([, atMs]) => nowMs - atMs < NODE_LEASE_MS);
    const reachableNodes = new Set(reachable.map(([node]) => node));
    for (const work of pendingWork(this.state, { reachableNodes }, nowMs)) {
      const entropy = work.needsEntropy ? { entropy: this.#prng.bytes(32) } : {};
      this.submit(work.type, work.body, { actor: "system:leader", ...entropy });
    }
  }

  #writeAcks(): void {
    for (const state of ["received", "applied", "confirmed", "failed"]) {
      for (const [key, nodes] of this.#acks) {
        const [configUid = "", version = "0", which] = key.split("|");
        if (which !== state) continue;
        const body = {
          configUid,
          version: Number(version),
          state,
          nodes: [...nodes].sort(compareStrings),
        };
        this.submit("acks", body, { actor: "system:leader" });
      }
    }
    this.#acks.clear();
  }

  /** An agent says hello on a new session. */
  connect(
    node: string,
    session: Session,
    from: { readonly active: readonly ActiveState[]; readonly deliver: (event: NodeEvent) => void },
  ): void {
    const connection: Connection = {
      session,
      deliver: from.deliver,
      orders: new Map(),
      acked: new Set(),
      pushed: "",
      nonce: 0,
    };
    this.#connections.set(node, connection);
    this.#say(connection, { type: "connected", heartbeatMs: HEARTBEAT_MS });
    this.#heard(node, connection, from.active);
    this.#cancelStale(node, connection, from.active);
    this.#refreshSoon();
  }

  /** A trial that the agent still runs, as it says itself, and that is over. */
  #cancelStale(node: string, connection: Connection, active: readonly ActiveState[]): void {
    const trying = new Set(
      active.filter((one) => one.state === "trial").map((one) => one.configUid),
    );
    for (const order of renderTrialOrders(this.state, node)) trying.delete(order.config.uid);
    if (trying.size === 0) return;
    for (const proposal of this.state.objects("Proposal")) {
      const { trial, phase } = proposal.status ?? {};
      if (trial === undefined || !trial.nodes.includes(node)) continue;
      const reason = `the proposal is ${phase ?? "over"}`;
      const { uid: proposalUid } = proposal.metadata;
      this.#say(connection, { type: "trialCancel", proposalUid, attempt: trial.attempt, reason });
    }
  }

  /** The session of a node broke. */
  disconnected(node: string, session: Session): void {
    if (this.#connections.get(node)?.session !== session) return;
    this.#connections.delete(node);
    this.#heardAtMs.delete(node);
  }

  /** A message of an agent. */
  receive(node: string, message: OutgoingMessage): void {
    const connection = this.#connections.get(node);
    if (connection === undefined) return;
    switch (message.type) {
      case "heartbeat":
        return this.#heard(node, connection, message.active);
      case "ack": {
        const states = {
          RECEIVED: "received",
          APPLIED: "applied",
          CONFIRMED: "confirmed",
        } as const;
        const { configUid, version, state } = message;
        return this.#ack(node, connection, `${configUid}|${version}|${states[state]}`);
      }
      case "nack":
        return this.#ack(node, connection, `${message.configUid}|${message.version}|failed`);
      case "submission":
        return this.#submission(node, connection, message);
      case "progress":
        return;
      default: {
        const never: never = message;
        throw new Error(`unknown message ${JSON.stringify(never)}`);
      }
    }
  }

  #heard(node: string, connection: Connection, active: readonly ActiveState[]): void {
    this.#heardAtMs.set(node, this.nowMs);
    // Agents repeat their state, so that a lost acknowledgement comes again.
    for (const { configUid, version, state } of active) {
      const known = state === "received" || state === "applied" || state === "confirmed";
      if (known && version > 0) this.#ack(node, connection, `${configUid}|${version}|${state}`);
    }
  }

  #ack(node: string, connection: Connection, key: string): void {
    if (connection.acked.has(key)) return;
    connection.acked.add(key);
    const nodes = this.#acks.get(key);
    if (nodes === undefined) this.#acks.set(key, new Set([node]));
    else nodes.add(node);
  }

  #submission(
    node: string,
    connection: Connection,
    message: Extract<OutgoingMessage, { type: "submission" }>,
  ): void {
    const { kind, idempotencyKey, document } = message;
    const bytes = utf8Encode(document);
    const uid = idempotencyKey;
    const text = signingBytes({ clusterId: FLEET_CLUSTER, type: kind, uid, bytes });
    const signature = simCrypto.sign(privateKeyOf(node), text);
    const result = this.submit(COMMAND_OF[kind], bytes, { actor: node, signature });
    this.#watch.submitted(`${node}/${idempotencyKey}`, result);
    const { outcome } = result;
    const value = outcome.ok ? (outcome.value as JsonObject | null) : null;
    const late = value?.["code"] === "LateVote";
    const code = outcome.ok ? (late ? "LateVote" : "") : outcome.code;
    const retry = code === "Retry" || code === "Unavailable";
    const text2 = outcome.ok ? "" : outcome.message;
    this.#say(connection, {
      type: "submissionResult",
      idempotencyKey,
      code,
      message: text2,
      retry,
    });
  }

  #say(connection: Connection, event: NodeEvent): void {
    connection.session.send("down", () => connection.deliver(event));
  }

  /** Looks soon, once for everything that changes until then, at what agents are still to be told. */
  #refreshSoon(): void {
    if (this.#refreshDue) return;
    this.#refreshDue = true;
    this.#scheduler.after(10 * MILLISECOND_US, () => {
      this.#refreshDue = false;
      for (const [node, connection] of this.#connections) this.#refresh(node, connection);
    });
  }

  #refresh(node: string, connection: Connection): void {
    const push = renderAssignments(this.state, node);
    const text = JSON.stringify(push);
    if (text !== connection.pushed) {
      connection.pushed = text;
      connection.nonce += 1;
      this.#watch.pushed(node, push);
      this.#say(connection, { type: "pushReceived", push, nonce: `n${connection.nonce}` });
    }
    const open = new Map<string, TrialOrder>();
    for (const order of renderTrialOrders(this.state, node)) {
      open.set(`${order.proposal.uid}/${order.attempt}`, order);
    }
    for (const [id, order] of connection.orders) {
      if (open.has(id)) continue;
      connection.orders.delete(id);
      const { proposal, attempt } = order;
      const reason = "the trial is over";
      // Harmless for a node that has voted: it knows no such trial any more.
      this.#say(connection, { type: "trialCancel", proposalUid: proposal.uid, attempt, reason });
    }
    for (const [id, order] of open) {
      if (connection.orders.has(id)) continue;
      connection.orders.set(id, order);
      this.#watch.ordered(node, order);
      this.#say(connection, { type: "trialOrder", order });
    }
  }
}

/** The private key of a simulated node. */
export function privateKeyOf(node: string): Uint8Array {
  return simCrypto.sha256(utf8Encode(`private key of ${node}`));
}
