// The agent's end of a session, as tests play it: collects what the server says, signs documents.
import type { ClientDuplexStream, ServiceError } from "@grpc/grpc-js";
import { canonicalJson, utf8Decode, utf8Encode } from "@kingly/base";
import type { JsonObject, KinglyError } from "@kingly/base";
import { advanceTrial, finishTrial, startTrial, trialDecision } from "@kingly/evidence";
import type { TrialEvidence, TrialPlan } from "@kingly/evidence";
import { fromServiceError, nodeCrypto } from "@kingly/protocol";
import type {
  ActiveConfigInput,
  AgentMessageInput,
  ServerMessage,
  SubmissionResult,
} from "@kingly/protocol";
import { signingBytes } from "@kingly/resources";
import type { AssignmentPush, TrialOrder } from "@kingly/resources";
import { CLUSTER_ID } from "./fake-replica.ts";
import type { Agent } from "./support.ts";
import { eventually } from "./support.ts";

export interface HelloOptions {
  readonly incarnation?: number;
  readonly node?: string;
  readonly clusterId?: string;
  readonly signals?: readonly string[];
  readonly active?: readonly ActiveConfigInput[];
}

/** Keys against repetition are unique per node, also over sessions. */
let documents = 0;

export class TestSession {
  readonly agent: Agent;
  readonly messages: ServerMessage[] = [];
  readonly stream: ClientDuplexStream<AgentMessageInput, ServerMessage>;
  error: KinglyError | undefined;
  ended = false;

  constructor(agent: Agent) {
    this.agent = agent;
    this.stream = agent.client.Session();
    this.stream.on("data", (message: ServerMessage) => this.messages.push(message));
    this.stream.on("error", (error: ServiceError) => {
      this.error = fromServiceError(error);
    });
    this.stream.on("end", () => {
      this.ended = true;
    });
  }

  /** Opens a session and waits for the welcome and the first push. */
  static async open(agent: Agent, options: HelloOptions = {}): Promise<TestSession> {
    const session = new TestSession(agent);
    session.hello(options);
    await eventually("a welcome", () => session.error !== undefined || session.push());
    return session;
  }

  hello(options: HelloOptions = {}): void {
    this.stream.write({
      hello: {
        clusterId: options.clusterId ?? CLUSTER_ID,
        node: options.node ?? this.agent.name,
        incarnation: options.incarnation ?? 1,
        agentVersion: "0.1.0",
        targets: ["inference/main"],
        signals: [...(options.signals ?? ["latencyMean", "successRatio"])],
        active: [...(options.active ?? [])],
      },
    });
  }

  /** All messages of one kind. */
  of<K extends keyof ServerMessage>(kind: K): NonNullable<ServerMessage[K]>[] {
    return this.messages
      .filter((message) => message.message === kind)
      .map((message) => message[kind] as NonNullable<ServerMessage[K]>);
  }

  /** The newest desired state. */
  push(): AssignmentPush | undefined {
    const last = this.of("push").at(-1);
    if (last === undefined) return undefined;
    return JSON.parse(utf8Decode(last.document)) as AssignmentPush;
  }

  orders(): TrialOrder[] {
    return this.of("trialOrder").map((bytes) => JSON.parse(utf8Decode(bytes)) as TrialOrder);
  }

  /** Signs a document with this node's key, or another's, and submits it. */
  submit(
    document: JsonObject,
    signingKey: Uint8Array = this.agent.signingKey,
  ): Promise<SubmissionResult> {
    const bytes = utf8Encode(canonicalJson(document));
    const uid = document["idempotencyKey"] as string;
    const kind = document["kind"] as string;
    const clusterId = document["clusterId"] as string;
    const signed = signingBytes({ clusterId, type: kind, uid, bytes });
    return this.send(kind, uid, Buffer.from(bytes), nodeCrypto.sign(signingKey, signed));
  }

  async send(
    kind: string,
    idempotencyKey: string,
    document: Buffer,
    signature: Uint8Array,
  ): Promise<SubmissionResult> {
    this.stream.write({
      submission: { kind, idempotencyKey, document, signature: Buffer.from(signature) },
    });
    return eventually(`an answer to ${idempotencyKey}`, () =>
      this.of("submissionResult").find((result) => result.idempotencyKey === idempotencyKey),
    );
  }

  header(): JsonObject {
    documents += 1;
    return {
      clusterId: CLUSTER_ID,
      node: this.agent.name,
      idempotencyKey: `${this.agent.name}-${documents}`,
      writtenAtMs: Date.now(),
    };
  }

  vote(order: TrialOrder, evidence: TrialEvidence, change: JsonObject = {}): JsonObject {
    const decisions = { accept: "Accept", reject: "Reject", abstain: "Abstain" } as const;
    return {
      ...this.header(),
      kind: "Vote",
      proposalUid: order.proposal.uid,
      attempt: order.attempt,
      candidateHash: order.candidate.hash,
      baselineHash: order.baseline.hash,
      decision: decisions[evidence.decision],
      reason: evidence.reason,
      declined: false,
      evidence: evidence as unknown as JsonObject,
      ...change,
    };
  }

  close(): void {
    this.stream.end();
  }
}

/** Evidence of a trial in which the candidate is worse by `effect` (ratio; < 0 is better). */
export function measure(order: TrialOrder, effect: number): TrialEvidence {
  const plan = order.plan as unknown as TrialPlan;
  let state = startTrial(plan);
  let turn = 0;
  while (state.pairs < plan.maxPairs && trialDecision(state, plan) === undefined) {
    turn += 1;
    const values = plan.objectives.map(({ name, direction }) => {
      const noise = 1 + ((turn * 7) % 5) / 200;
      const worse = direction === "lower" ? 1 + effect : 1 / (1 + effect);
      return { objective: name, baseline: 100, candidate: 100 * worse * noise };
    });
    state = advanceTrial(state, plan, values);
  }
  return finishTrial(state, plan, trialDecision(state, plan) ?? "used up its pairs");
}
