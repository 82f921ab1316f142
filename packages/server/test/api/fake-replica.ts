// A replica without raft: a real StateMachine with real admission, watches and soft state. A submitted
// command is admitted, encoded, applied and published before the promise resolves. Failures of the
// cluster are injected; time is a clock that tests move.
import { createHash, randomBytes } from "node:crypto";
import { KinglyError, assert, canonicalJson, utf8Encode } from "@kingly/base";
import type { Clock, JsonValue, Timer } from "@kingly/base";
import { StateMachine, encodeCommand, pendingWork } from "@kingly/decision";
import type { Change, CommandType } from "@kingly/decision";
import { nodeCrypto } from "@kingly/protocol";
import { Admission } from "../../src/admission/admit.ts";
import type {
  Actor,
  ClusterStatus,
  NodeAck,
  Replica,
  SubmitResult,
  Subscription,
  WatchOptions,
  WatchSink,
  WriteRequest,
} from "../../src/replica/replica.ts";
import { SoftStore } from "../../src/replica/soft-state.ts";
import { WatchHub } from "../../src/replica/watch-hub.ts";

export const CLUSTER_ID = "test-cluster";
const SYSTEM: Actor = { name: "system:leader", method: "system", server: "m1" };

/** Real timers, but a clock that tests can move forward. */
export class TestClock implements Clock {
  offsetMs = 0;

  nowMs(): number {
    return Date.now() + this.offsetMs;
  }

  setTimer(delayMs: number, fn: () => void): Timer {
    const timer = setTimeout(fn, delayMs);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  }
}

export class FakeReplica implements Replica {
  readonly clusterId: string = CLUSTER_ID;
  readonly memberId: string = "m1";
  readonly state: StateMachine = new StateMachine({ crypto: nodeCrypto });
  readonly acks: NodeAck[] = [];
  readonly submitted: { readonly request: WriteRequest; readonly actor: Actor }[] = [];
  readonly soft: SoftStore;
  /** Thrown by the next submits, in order, before anything is applied. */
  readonly failures: KinglyError[] = [];
  /** Thrown by the next submits, in order, after the write was applied. */
  readonly failuresAfter: KinglyError[] = [];
  /** Thrown by every read barrier while set. */
  readFailure: KinglyError | undefined;
  compactedRevision = 0;
  readonly #clock: TestClock;
  readonly #admission = new Admission();
  readonly #history: Change[] = [];
  readonly #hub: WatchHub;
  #index = 0;
  address = "127.0.0.1:1";

  constructor(clock: TestClock) {
    this.#clock = clock;
    this.#hub = new WatchHub({
      since: (revision) => this.#since(revision),
      compactedRevision: () => this.compactedRevision,
      revision: () => this.state.meta().revision,
    });
    this.soft = new SoftStore({
      memberId: this.memberId,
      clock,
      onAck: (ack) => this.acks.push(ack),
    });
    this.run("genesis", { clusterId: CLUSTER_ID, namespaces: ["default"] });
  }

  async *#since(revision: number): AsyncGenerator<Change> {
    if (revision < this.compactedRevision) {
      throw new KinglyError("Expired", `revision ${revision} was compacted`, {
        limit: this.compactedRevision,
        value: revision,
      });
    }
    for (const change of this.#history) if (change.revision > revision) yield change;
  }

  /** Applies one of the system's own commands. */
  run(command: CommandType, body: JsonValue | Uint8Array, entropy?: Uint8Array): SubmitResult {
    const bytes = body instanceof Uint8Array ? body : utf8Encode(canonicalJson(body));
    return this.#apply({ command, body: bytes }, SYSTEM, entropy);
  }

  #apply(request: WriteRequest, actor: Actor, entropy?: Uint8Array): SubmitResult {
    const admitted = this.#admission.admit(this.state, request);
    this.#index += 1;
    const { name, method, server } = actor;
    const data = encodeCommand({
      type: request.command,
      body: admitted.body,
      ...(request.signature === undefined ? {} : { signature: request.signature }),
      actor: { name, method, server },
      timeMs: Math.max(this.#clock.nowMs(), this.state.meta().timeMs),
      ...(entropy === undefined ? {} : { entropy }),
      readSet: admitted.readSet,
      requestId: `r${this.#index}`,
      ...(request.idempotencyKey === undefined ? {} : { idempotencyKey: request.idempotencyKey }),
    });
    const chainHash = new Uint8Array(createHash("sha256").update(data).digest());
    const result = this.state.apply({ index: this.#index, term: 1, data, chainHash });
    const visible = result.changes.filter((change) => !change.internal);
    this.#history.push(...visible);
    this.#hub.publish(visible, result.lastRevision);
    const { outcome } = result;
    if (!outcome.ok) throw new KinglyError(outcome.code, outcome.message, outcome.details);
    return { value: outcome.value, revision: result.lastRevision };
  }

  async submit(request: WriteRequest, actor: Actor): Promise<SubmitResult> {
    this.submitted.push({ request, actor });
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    if (request.dryRun === true) {
      const { object } = this.#admission.admit(this.state, request);
      return { value: object, revision: this.state.meta().revision };
    }
    const result = this.#apply(request, actor);
    const late = this.failuresAfter.shift();
    if (late !== undefined) throw late;
    return result;
  }

  /** What the leader's controller would do now; returns how many commands. */
  lead(): number {
    const soft = { reachableNodes: this.soft.reachableNodes };
    const work = pendingWork(this.state, soft, this.#clock.nowMs());
    for (const { type, body, needsEntropy } of work) {
      this.run(type, body, needsEntropy ? randomBytes(32) : undefined);
    }
    return work.length;
  }

  async readBarrier(): Promise<number> {
    if (this.readFailure !== undefined) throw this.readFailure;
    return this.state.meta().revision;
  }

  async waitForRevision(revision: number): Promise<void> {
    if (this.state.meta().revision >= revision) return;
    throw new KinglyError("RevisionTooLarge", `revision ${revision} is not here yet`, {
      limit: this.state.meta().revision,
      value: revision,
    });
  }

  watch(options: WatchOptions, sink: WatchSink): Subscription {
    return this.#hub.watch(options, sink);
  }

  /** Open watches. */
  get watchers(): number {
    return this.#hub.size;
  }

  stalenessMs(): number {
    return 7;
  }

  status(): ClusterStatus {
    const { appliedIndex, revision } = this.state.meta();
    assert(appliedIndex === this.#index, "every entry was applied");
    return {
      clusterId: CLUSTER_ID,
      memberId: "m1",
      role: "leader",
      leaderId: "m1",
      term: 1,
      commitIndex: appliedIndex,
      appliedIndex,
      revision,
      members: [
        {
          id: "m1",
          raftId: 1,
          address: this.address,
          voter: true,
          matchIndex: appliedIndex,
          reachable: true,
        },
      ],
      version: "0.1.0",
      uptimeMs: 1,
    };
  }
}
