// The leader's controller: level-triggered and without memory of its own. It looks at the replicated
// state for work that is due (trials to start, deadlines, rollout stages, veto budgets) and submits
// commands; apply ignores what is not due any more. On election a new leader simply looks again.
import { randomBytes } from "node:crypto";
import { KinglyError, utf8Encode } from "@kingly/base";
import type { Clock, Logger } from "@kingly/base";
import { pendingWork } from "@kingly/decision";
import type { GenesisBody, PendingCommand, StateMachine } from "@kingly/decision";
import {
  CONTROLLER_INTERVAL_MS,
  CONTROLLER_IN_FLIGHT_MAX,
  CONTROLLER_PAUSE_MS,
  CONTROLLER_REST_FACTOR,
  SUBMIT_DEADLINE_MS,
} from "../limits.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { Actor, SubmitResult, WriteRequest } from "./replica.ts";
import type { LeadOptions } from "./submitter.ts";

/** What the controller works with. */
export interface ControllerPorts {
  readonly memberId: string;
  readonly genesis: GenesisBody;
  readonly soft: { readonly reachableNodes: ReadonlySet<string> };
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  state(): StateMachine;
  isLeader(): boolean;
  /** The state machine's views threw: a defect that must not go on silently. */
  fatal(error: unknown): void;
  lead(request: WriteRequest, actor: Actor, options: LeadOptions): Promise<SubmitResult>;
}

/** Refusals that are everyday life of a level-triggered controller: somebody was faster. */
const EXPECTED_CODES: ReadonlySet<string> = new Set([
  "Conflict",
  "NotFound",
  "Unchanged",
  "Retry",
  "NotLeader",
  "NoLeader",
  "Unavailable",
  "Overloaded",
  "Indeterminate",
  "DeadlineExceeded",
]);

/** Drives decisions forward while this server leads. */
export class LeaderController {
  readonly #ports: ControllerPorts;
  readonly #inFlight = new Set<string>();
  /** Key of the last refusal that was logged loudly: one line each, not one per attempt. */
  #lastSaid = "";
  #timer: NodeJS.Timeout | undefined;
  #kicked: NodeJS.Timeout | undefined;
  /** performance.now() before which the next look would take more than its share of the loop. */
  #restUntil = 0;

  constructor(ports: ControllerPorts) {
    this.#ports = ports;
  }

  start(): void {
    this.#timer = setInterval(() => this.#guardedLook(), CONTROLLER_INTERVAL_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#kicked);
    this.#kicked = undefined;
    this.#timer = undefined;
  }

  /** The state changed: look soon, but never for more than a tenth of the loop's time. */
  kick(): void {
    if (this.#kicked !== undefined || this.#timer === undefined) return;
    const rest = Math.max(CONTROLLER_PAUSE_MS, this.#restUntil - performance.now());
    this.#kicked = setTimeout(() => {
      this.#kicked = undefined;
      if (this.#timer !== undefined) this.#guardedLook();
    }, rest);
  }

  #guardedLook(): void {
    const startedAt = performance.now();
    if (startedAt < this.#restUntil) return;
    try {
      this.#look();
      const now = performance.now();
      this.#restUntil = now + CONTROLLER_REST_FACTOR * (now - startedAt);
    } catch (error) {
      this.#ports.fatal(error);
    }
  }

  #look(): void {
    const { soft, clock, genesis } = this.#ports;
    if (!this.#ports.isLeader()) return;
    const state = this.#ports.state();
    if (state.meta().clusterId === "") {
      this.#submit("genesis", { command: "genesis", body: utf8Encode(JSON.stringify(genesis)) });
      return;
    }
    // Deadlines are judged by the time that the command would be stamped with.
    const nowMs = Math.max(Math.floor(clock.nowMs()), state.meta().timeMs);
    for (const work of pendingWork(state, soft, nowMs)) {
      if (this.#inFlight.size >= CONTROLLER_IN_FLIGHT_MAX) return;
      this.#submit(work.dedupeKey, requestOf(work), work.needsEntropy);
    }
  }

  #submit(key: string, request: WriteRequest, needsEntropy: boolean = false): void {
    if (this.#inFlight.has(key)) return;
    this.#inFlight.add(key);
    const { logger, metrics, memberId } = this.#ports;
    const actor: Actor = { name: "system:leader", method: "system", server: memberId };
    const entropy = needsEntropy ? { entropy: new Uint8Array(randomBytes(32)) } : {};
    const type = request.command;
    this.#ports
      .lead(request, actor, { deadlineMs: SUBMIT_DEADLINE_MS, ...entropy })
      .then(() => metrics.controllerCommands.inc({ type, result: "ok" }))
      .catch((error: unknown) => {
        const code = error instanceof KinglyError ? error.code : "Internal";
        metrics.controllerCommands.inc({ type, result: code });
        const reason = error instanceof Error ? error.message : String(error);
        const said = this.#lastSaid === key;
        const expected = EXPECTED_CODES.has(code) && type !== "genesis";
        if (!expected) this.#lastSaid = key;
        logger[expected || said ? "debug" : "warn"]("a controller command was refused", {
          type,
          key,
          code,
          reason,
        });
      })
      .finally(() => this.#inFlight.delete(key));
  }
}

function requestOf(work: PendingCommand): WriteRequest {
  return { command: work.type, body: work.body };
}
