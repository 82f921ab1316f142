// One agent's session. Who the node is comes from its certificate alone. The server pushes desired
// state, trial orders and veto requests as the replicated state changes; the agent acknowledges,
// reports, and submits signed documents, each answered with a result that says whether anything was
// decided. Works the same on every server: writes are forwarded to the leader by the replica.

import type { ServerDuplexStream } from "@grpc/grpc-js";
import { KinglyError, isJsonObject, toKinglyError, unreachable, utf8Encode } from "@kingly/base";
import type { ErrorCode, JsonValue, Timer } from "@kingly/base";
import { safeUint } from "@kingly/protocol";
import type { Ack, AgentMessage, Nack, ServerMessageInput, Submission } from "@kingly/protocol";
import type { ActiveConfigReport, Actor } from "../../replica/replica.ts";
import type { ApiContext } from "../core/context.ts";
import {
  HEARTBEAT_MS,
  HELLO_MS,
  NACK_MESSAGE_CHARS_MAX,
  STREAM_STALL_MS,
  SUBMISSIONS_IN_FLIGHT_MAX,
  SUBMISSION_DEADLINE_MS,
} from "../limits.ts";
import { AckRepeater } from "./ack-repeater.ts";
import { failStream, statusError } from "./calls.ts";
import { activeReports, checkHello, checkProgress, submissionRequest } from "./session-messages.ts";
import type { Introduction } from "./session-messages.ts";
import type { RegisteredSession, SessionRegistry } from "./session-registry.ts";
import { SessionState } from "./session-state.ts";
import type { Closable, StreamSet } from "./streams.ts";

/** The stream of one session. */
export type SessionCall = ServerDuplexStream<AgentMessage, ServerMessageInput>;

/** Codes after which nothing was decided, so that the same document may come again. */
const UNDECIDED: readonly ErrorCode[] = [
  "Unavailable",
  "NoLeader",
  "NotLeader",
  "Overloaded",
  "Retry",
  "Recovering",
  "DeadlineExceeded",
  "Indeterminate",
  "Internal",
  "StorageFailure",
];

const ACK_STATES = {
  STATE_RECEIVED: "received",
  STATE_APPLIED: "applied",
  STATE_CONFIRMED: "confirmed",
} as const;

function textOf(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : "the vote came after the verdict";
}

/** One connected agent. */
export class AgentSession implements RegisteredSession, Closable {
  readonly node: string;
  readonly #context: ApiContext;
  readonly #registry: SessionRegistry;
  readonly #streams: StreamSet;
  readonly #call: SessionCall;
  readonly #state: SessionState;
  readonly #acks: AckRepeater;
  #introduction: Introduction | undefined;
  #helloTimer: Timer | undefined;
  #stallTimer: Timer | undefined;
  #statusTimer: Timer | undefined;
  #blocked = false;
  #ended = false;
  #submissions = 0;

  constructor(
    context: ApiContext,
    shared: { readonly registry: SessionRegistry; readonly streams: StreamSet },
    call: SessionCall,
    node: string,
  ) {
    this.#context = context;
    this.#registry = shared.registry;
    this.#streams = shared.streams;
    this.#call = call;
    this.node = node;
    this.#state = new SessionState(context, node);
    this.#acks = new AckRepeater(context, node);
  }

  /** Rises with every start of the agent; 0 before its Hello. */
  get incarnation(): number {
    return this.#introduction?.incarnation ?? 0;
  }

  /** Begins to listen. */
  start(): void {
    this.#streams.add(this);
    const call = this.#call;
    this.#helloTimer = this.#context.clock.setTimer(HELLO_MS, () => {
      this.end(new KinglyError("DeadlineExceeded", "no Hello arrived", { limit: HELLO_MS }));
    });
    call.on("data", (message: AgentMessage) => this.#receive(message));
    call.on("drain", () => this.#unblock());
    call.on("end", () => {
      if (this.#ended) return;
      this.#finish();
      call.end();
    });
    for (const event of ["cancelled", "close", "error"]) call.on(event, () => this.#finish());
  }

  #receive(message: AgentMessage): void {
    if (this.#ended) return;
    try {
      this.#handle(message);
    } catch (error) {
      this.end(statusError(this.#context, error, "Session"));
    }
  }

  #handle(message: AgentMessage): void {
    const kind = message.message;
    if (this.#introduction === undefined && kind !== "hello") {
      throw new KinglyError("Usage", "the first message must be Hello", { field: "message" });
    }
    switch (kind) {
      case "hello":
        return this.#hello(message);
      case "ack":
        return this.#ack(message.ack ?? undefined);
      case "nack":
        return this.#nack(message.nack ?? undefined);
      case "submission":
        return this.#submission(message.submission ?? undefined);
      case "heartbeat":
        return this.#heartbeat(activeReports(message.heartbeat?.active ?? []));
      case "trialProgress":
        return this.#progress(message.trialProgress ?? Buffer.alloc(0));
      case undefined:
        throw new KinglyError("MalformedFrame", "an empty message", { field: "message" });
      default:
        return unreachable(kind, "agent message");
    }
  }

  #hello(message: AgentMessage): void {
    if (message.hello === null || message.hello === undefined) return;
    if (this.#introduction !== undefined) {
      throw new KinglyError("Usage", "Hello is said once per session", { field: "hello" });
    }
    const { replica } = this.#context;
    const { clusterId } = replica;
    const introduction = checkHello(message.hello, { clusterId, node: this.node });
    this.#requireNewest(introduction.incarnation);
    this.#introduction = introduction;
    this.#helloTimer?.cancel();
    this.#registry.register(this);
    this.#report(introduction.active);
    this.#write({
      welcome: { clusterId, memberId: replica.memberId, heartbeatMs: HEARTBEAT_MS },
    });
    for (const cancel of this.#state.staleTrials(introduction.active)) this.#write(cancel);
    this.refresh();
    this.#reportStatus();
    this.#context.logger.info("an agent connected", {
      node: this.node,
      incarnation: introduction.incarnation,
    });
  }

  /** A newer agent may be connected to another server: it counts while its lease lasts. */
  #requireNewest(incarnation: number): void {
    const { soft } = this.#context.replica;
    const heard = soft.heartbeat(this.node);
    const newer = heard !== undefined && heard.incarnation > incarnation;
    if (!newer || !soft.reachableNodes.has(this.node)) return;
    throw new KinglyError("Conflict", `a newer agent of ${this.node} is connected`, {
      field: "incarnation",
      limit: heard.incarnation,
      value: incarnation,
    });
  }

  refresh(): void {
    if (this.#ended || this.#blocked || this.#introduction === undefined) return;
    for (const message of this.#state.next()) this.#write(message);
  }

  #write(message: ServerMessageInput): void {
    if (this.#ended || this.#call.write(message) || this.#blocked) return;
    this.#blocked = true;
    this.#stallTimer = this.#context.clock.setTimer(STREAM_STALL_MS, () => {
      this.end(
        new KinglyError("Overloaded", "the agent takes nothing", { limit: STREAM_STALL_MS }),
      );
    });
  }

  #unblock(): void {
    this.#blocked = false;
    this.#stallTimer?.cancel();
    this.refresh();
  }

  #report(active: readonly ActiveConfigReport[]): void {
    const introduction = this.#introduction;
    if (introduction === undefined) return;
    const { incarnation, agentVersion, targets, signals } = introduction;
    const heartbeat = { node: this.node, incarnation, agentVersion, targets, signals, active };
    this.#context.replica.soft.reportHeartbeat(heartbeat);
  }

  #heartbeat(active: readonly ActiveConfigReport[]): void {
    this.#report(active);
    this.#acks.repeat(active);
  }

  #ack(ack: Ack | undefined): void {
    if (ack === undefined || ack.state === "STATE_UNSPECIFIED") {
      throw new KinglyError("InvalidField", "ack.state: must be set", { field: "ack.state" });
    }
    this.#context.metrics.pushes.inc({ result: "ack" });
    this.#acks.report({
      configUid: ack.configUid,
      version: safeUint(ack.version, "ack.version"),
      state: ACK_STATES[ack.state],
    });
  }

  #nack(nack: Nack | undefined): void {
    if (nack === undefined) return;
    this.#context.metrics.pushes.inc({ result: "nack" });
    const { configUid, reason, message } = nack;
    const version = safeUint(nack.version, "nack.version");
    this.#context.logger.warn("an agent refused an assignment", {
      node: this.node,
      configUid,
      version,
      reason: reason.slice(0, 80),
      message: message.slice(0, NACK_MESSAGE_CHARS_MAX),
    });
    const why = `${reason.slice(0, 80)}: ${message}`.slice(0, NACK_MESSAGE_CHARS_MAX);
    this.#acks.report({ configUid, version, state: "failed", message: why });
  }

  #progress(bytes: Uint8Array): void {
    this.#context.replica.soft.reportProgress(checkProgress(bytes, this.node));
  }

  #submission(submission: Submission | undefined): void {
    if (submission === undefined) return;
    const { idempotencyKey, kind } = submission;
    const answer = (error: KinglyError | undefined): void => {
      const code = error?.code ?? "";
      this.#context.metrics.submissions.inc({ kind: kind.slice(0, 20), code });
      const retry = error !== undefined && UNDECIDED.includes(error.code);
      const message = error?.message ?? "";
      this.#write({ submissionResult: { idempotencyKey, code, message, retry } });
    };
    if (this.#submissions >= SUBMISSIONS_IN_FLIGHT_MAX) {
      answer(
        new KinglyError("Overloaded", "too many submissions of this agent are open", {
          limit: SUBMISSIONS_IN_FLIGHT_MAX,
        }),
      );
      return;
    }
    this.#submissions += 1;
    this.#submit(submission)
      .then(answer, (error: unknown) => answer(statusError(this.#context, error, "Submission")))
      .finally(() => {
        this.#submissions -= 1;
      })
      .catch((error: unknown) => this.end(toKinglyError(error)));
  }

  /** The refusal that apply gave as an answer (a late vote is kept, but has no effect). */
  async #submit(submission: Submission): Promise<KinglyError | undefined> {
    const { replica } = this.#context;
    const { clusterId } = replica;
    const request = submissionRequest(submission, { clusterId, node: this.node });
    const deadlineMs = SUBMISSION_DEADLINE_MS;
    const { value } = await replica.submit(request, this.#actor(), { deadlineMs });
    if (!isJsonObject(value) || value["code"] !== "LateVote") return undefined;
    return new KinglyError("LateVote", textOf(value["message"]));
  }

  #actor(): Actor {
    return { name: this.node, method: "node", server: this.#context.replica.memberId };
  }

  /** Lets the cluster know what the node has bound, when that changed; tried until it is written. */
  #reportStatus(): void {
    const introduction = this.#introduction;
    if (this.#ended || introduction === undefined) return;
    const { replica } = this.#context;
    const { targets, signals, agentVersion } = introduction;
    const known = replica.state.object("Node", "", this.node)?.status;
    const same = JSON.stringify([known?.targets, known?.signals, known?.agentVersion]);
    if (same === JSON.stringify([targets, signals, agentVersion])) return;
    const body = { node: this.node, targets, signals, agentVersion };
    replica
      .submit({ command: "node-status", body: utf8Encode(JSON.stringify(body)) }, this.#actor(), {
        deadlineMs: SUBMISSION_DEADLINE_MS,
      })
      .catch((error: unknown) => {
        const { code, message } = toKinglyError(error);
        this.#context.logger.warn("could not record a node's status", {
          node: this.node,
          code,
          message,
        });
        if (!UNDECIDED.includes(code) || this.#ended) return;
        this.#statusTimer = this.#context.clock.setTimer(HEARTBEAT_MS, () => this.#reportStatus());
      });
  }

  end(error: KinglyError): void {
    if (this.#ended) return;
    this.#finish();
    failStream(this.#call as never, error);
  }

  #finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const timer of [this.#helloTimer, this.#stallTimer, this.#statusTimer]) timer?.cancel();
    this.#streams.remove(this);
    if (!this.#registry.unregister(this)) return;
    this.#context.replica.soft.reportGone(this.node);
    this.#context.logger.info("an agent went away", { node: this.node });
  }
}
