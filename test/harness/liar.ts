// A node that the test plays itself: it enrols like any other, gets a real certificate, and then says
// over its session whatever the test wants it to say.

import { generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { credentials, type ClientDuplexStream, type ServiceError } from "@grpc/grpc-js";
import { canonicalJson, utf8Decode, utf8Encode } from "@kingly/base";
import type { JsonObject, KinglyError } from "@kingly/base";
import { advanceTrial, finishTrial, startTrial, trialDecision } from "@kingly/evidence";
import type { TrialEvidence, TrialPlan } from "@kingly/evidence";
import { fromServiceError, generateSigningKey, loadService, nodeCrypto } from "@kingly/protocol";
import type {
  AgentMessageInput,
  AgentServiceClient,
  EnrollResponse,
  ServerMessage,
  SubmissionResult,
} from "@kingly/protocol";
import { signingBytes, type TrialOrder } from "@kingly/resources";
import { until } from "./until.ts";

/** What a client connects with. */
export interface Connect {
  readonly address: string;
  readonly authorityPem: string;
  /** Absent = without a client certificate. */
  readonly certificate?: { readonly certificatePem: string; readonly privateKeyPem: string };
}

/** A client of AgentService. */
export function agentClient(connect: Connect): AgentServiceClient {
  const { AgentService } = loadService("agent");
  const { certificate } = connect;
  const key = certificate === undefined ? null : Buffer.from(certificate.privateKeyPem);
  const chain = certificate === undefined ? null : Buffer.from(certificate.certificatePem);
  return new AgentService(
    connect.address,
    credentials.createSsl(Buffer.from(connect.authorityPem), key, chain),
    { "grpc.ssl_target_name_override": "localhost" },
  );
}

/** A node's keys and what enrolment gave it. */
export interface Enrolled {
  readonly name: string;
  readonly clusterId: string;
  readonly signingKey: Uint8Array;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** Enrols with a token. Throws the server's KinglyError. */
export async function enroll(
  connect: Connect,
  who: { readonly name: string; readonly token: string },
): Promise<Enrolled> {
  const tls = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const signing = generateSigningKey();
  const proof = utf8Encode(`kingly-enroll|${who.token}|${who.name}`);
  const client = agentClient(connect);
  try {
    const response = await new Promise<EnrollResponse>((resolve, reject) => {
      client.Enroll(
        {
          token: who.token,
          node: who.name,
          tlsPublicKey: tls.publicKey.export({ format: "der", type: "spki" }),
          tlsProof: sign("sha256", proof, tls.privateKey),
          signingPublicKey: Buffer.from(signing.publicKey),
          signingProof: Buffer.from(nodeCrypto.sign(signing.privateKey, proof)),
          targets: ["work/main"],
          signals: ["cpuSeconds"],
          agentVersion: "0.1.0",
        },
        (error: ServiceError | null, value?: EnrollResponse) => {
          if (error !== null) reject(fromServiceError(error));
          else if (value === undefined) reject(new Error("an empty answer"));
          else resolve(value);
        },
      );
    });
    const { clusterId, certificatePem } = response;
    const privateKeyPem = pem(tls.privateKey);
    const { name } = who;
    return { name, clusterId, signingKey: signing.privateKey, certificatePem, privateKeyPem };
  } finally {
    client.close();
  }
}

function pem(key: KeyObject): string {
  return key.export({ format: "pem", type: "pkcs8" }).toString();
}

/** Overrides of what a session says of itself. */
export interface Claims {
  readonly clusterId?: string;
  readonly node?: string;
  readonly incarnation?: number;
}

/** One session of an enrolled node. */
export class LyingNode {
  readonly enrolled: Enrolled;
  readonly messages: ServerMessage[] = [];
  error: KinglyError | undefined;
  readonly #client: AgentServiceClient;
  readonly #stream: ClientDuplexStream<AgentMessageInput, ServerMessage>;
  #heartbeats: NodeJS.Timeout | undefined;
  #documents = 0;

  constructor(connect: Connect, enrolled: Enrolled) {
    this.enrolled = enrolled;
    this.#client = agentClient({ ...connect, certificate: enrolled });
    this.#stream = this.#client.Session();
    this.#stream.on("data", (message: ServerMessage) => this.messages.push(message));
    this.#stream.on("error", (error: ServiceError) => {
      this.error = fromServiceError(error);
    });
  }

  /** Says Hello, and from then on that it is alive. */
  greet(claims: Claims = {}): void {
    const { clusterId, name } = this.enrolled;
    this.write({
      hello: {
        clusterId: claims.clusterId ?? clusterId,
        node: claims.node ?? name,
        incarnation: claims.incarnation ?? 1,
        agentVersion: "0.1.0",
        targets: ["work/main"],
        signals: ["cpuSeconds"],
        active: [],
      },
    });
    this.#heartbeats = setInterval(() => {
      if (this.error === undefined) {
        this.write({ heartbeat: { active: [], clockMs: Math.floor(performance.now()) } });
      }
    }, 500);
  }

  write(message: AgentMessageInput): void {
    this.#stream.write(message);
  }

  /** The newest order of a trial. */
  order(): TrialOrder | undefined {
    const orders = this.messages.flatMap((message) =>
      message.message === "trialOrder" && message.trialOrder ? [message.trialOrder] : [],
    );
    const last = orders.at(-1);
    return last === undefined ? undefined : (JSON.parse(utf8Decode(last)) as TrialOrder);
  }

  /** A vote that this evidence supports, with changes. */
  vote(order: TrialOrder, evidence: TrialEvidence, change: JsonObject = {}): JsonObject {
    const decisions = { accept: "Accept", reject: "Reject", abstain: "Abstain" } as const;
    this.#documents += 1;
    const { clusterId, name } = this.enrolled;
    return {
      clusterId,
      node: name,
      idempotencyKey: `${name}-document-${this.#documents}`,
      writtenAtMs: Date.now(),
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

  /** Signs a document, by default with the enrolled key, and submits it; the code of the answer. */
  async submit(document: JsonObject, key: Uint8Array = this.enrolled.signingKey): Promise<string> {
    const bytes = utf8Encode(canonicalJson(document));
    const kind = document["kind"] as string;
    const uid = document["idempotencyKey"] as string;
    const clusterId = document["clusterId"] as string;
    const signed = signingBytes({ clusterId, type: kind, uid, bytes });
    return this.send({ kind, uid, bytes, signature: nodeCrypto.sign(key, signed) });
  }

  /** Submits any bytes; the code of the answer, "" when they were taken. */
  async send(document: {
    readonly kind: string;
    readonly uid: string;
    readonly bytes: Uint8Array;
    readonly signature: Uint8Array;
  }): Promise<string> {
    const { kind, uid } = document;
    this.write({
      submission: {
        kind,
        idempotencyKey: uid,
        document: Buffer.from(document.bytes),
        signature: Buffer.from(document.signature),
      },
    });
    const { code } = await until<SubmissionResult>(`an answer to ${uid}`, () => {
      if (this.error !== undefined) throw new Error(`the session ended: ${this.error.message}`);
      const found = this.messages.find(
        (message) => message.submissionResult?.idempotencyKey === uid,
      );
      return found?.submissionResult;
    });
    return code;
  }

  close(): void {
    clearInterval(this.#heartbeats);
    this.#stream.cancel();
    this.#client.close();
  }
}

/**
 * Evidence that adds up, of a candidate that is worse by `effect` (a ratio; below 0 is better). Every
 * other pair is better, or worse, by the factor `swing`: a noisy node needs many pairs.
 */
export function measured(order: TrialOrder, effect: number, swing: number = 1.01): TrialEvidence {
  const plan = order.plan as unknown as TrialPlan;
  let state = startTrial(plan);
  while (state.pairs < plan.maxPairs && trialDecision(state, plan) === undefined) {
    const noise = state.pairs % 2 === 0 ? swing : 1 / swing;
    const values = plan.objectives.map(({ name }) => {
      return { objective: name, baseline: 100, candidate: 100 * (1 + effect) * noise };
    });
    state = advanceTrial(state, plan, values);
  }
  return finishTrial(state, plan, trialDecision(state, plan) ?? "used up its pairs");
}
