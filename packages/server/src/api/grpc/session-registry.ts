// The sessions of this server: one per node, the newer incarnation wins. Watches the state for changes
// that may concern agents and has the sessions look at it again, gathered and in slices, so that ten
// thousand agents do not stall the loop.

import { KinglyError, isJsonObject } from "@kingly/base";
import type { JsonValue, Timer } from "@kingly/base";
import type { RolloutStatus } from "@kingly/resources";
import type { Subscription, WatchEvent } from "../../replica/replica.ts";
import type { ApiContext } from "../core/context.ts";
import { PUSH_DEBOUNCE_MS, PUSH_SLICE_MS, SESSIONS_MAX } from "../limits.ts";

/** What the registry asks of a session. */
export interface RegisteredSession {
  readonly node: string;
  readonly incarnation: number;
  /** Sends what changed for this node. */
  refresh(): void;
  /** Ends the stream with a status. */
  end(error: KinglyError): void;
}

/** Kinds whose changes never change what an agent is told. */
const IGNORED = ["events/"];

/** All sessions of one server. */
export class SessionRegistry {
  readonly #context: ApiContext;
  readonly #sessions = new Map<string, RegisteredSession>();
  /** What of each rollout matters to agents, to skip the many that only count acknowledgements. */
  readonly #rollouts = new Map<string, string>();
  #subscription: Subscription | undefined;
  #timer: Timer | undefined;
  #queue: RegisteredSession[] = [];
  #dirty = false;
  #closed = false;

  constructor(context: ApiContext) {
    this.#context = context;
  }

  /** Begins to follow the state. */
  start(): void {
    if (this.#closed) return;
    const { replica } = this.#context;
    this.#subscription = replica.watch(
      { keyPrefix: "", fromRevision: replica.state.meta().revision },
      {
        deliver: (events) => {
          if (events.some((event) => this.#matters(event))) this.#mark();
          return true;
        },
        // Too slow or compacted: begin anew and look at everything.
        closed: () => {
          if (this.#closed) return;
          this.#timer ??= this.#context.clock.setTimer(PUSH_DEBOUNCE_MS, () => this.#restart());
        },
      },
    );
  }

  #restart(): void {
    this.#timer = undefined;
    try {
      this.start();
    } catch (error) {
      this.#context.logger.warn("cannot follow the state for agents", { error: String(error) });
      this.#timer = this.#context.clock.setTimer(1_000, () => this.#restart());
      return;
    }
    this.#mark();
  }

  #matters(event: WatchEvent): boolean {
    if (IGNORED.some((prefix) => event.key.startsWith(prefix))) return false;
    if (!event.key.startsWith("rollouts/")) return true;
    const mark = rolloutMark(event.value);
    if (event.type === "DELETED") return this.#rollouts.delete(event.key);
    if (this.#rollouts.get(event.key) === mark) return false;
    this.#rollouts.set(event.key, mark);
    return true;
  }

  #mark(): void {
    this.#dirty = true;
    this.#timer ??= this.#context.clock.setTimer(PUSH_DEBOUNCE_MS, () => this.#run());
  }

  #run(): void {
    this.#timer = undefined;
    if (this.#closed) return;
    if (this.#dirty) {
      this.#dirty = false;
      // Sessions that were still waiting for the last look are in it again.
      this.#queue = [...this.#sessions.values()];
    }
    const until = this.#context.clock.nowMs() + PUSH_SLICE_MS;
    while (this.#queue.length > 0 && this.#context.clock.nowMs() <= until) {
      const session = this.#queue.shift();
      if (session !== undefined && this.#sessions.get(session.node) === session) session.refresh();
    }
    if (this.#queue.length > 0 || this.#dirty) {
      this.#timer ??= this.#context.clock.setTimer(0, () => this.#run());
    }
  }

  /** Adds a session; an older one of the same node ends. Conflict when this one is the older. */
  register(session: RegisteredSession): void {
    const before = this.#sessions.get(session.node);
    if (before !== undefined && before.incarnation > session.incarnation) {
      throw new KinglyError("Conflict", `a newer agent of ${session.node} is connected`, {
        field: "incarnation",
        limit: before.incarnation,
        value: session.incarnation,
      });
    }
    if (before === undefined && this.#sessions.size >= SESSIONS_MAX) {
      throw new KinglyError("Overloaded", "too many agents on this server", {
        limit: SESSIONS_MAX,
        help: "connect to another server",
      });
    }
    this.#sessions.set(session.node, session);
    this.#context.metrics.sessions.set(this.#sessions.size);
    before?.end(
      new KinglyError("Conflict", `a newer session of ${session.node} took over`, {
        reason: "Superseded",
      }),
    );
  }

  /** Removes a session; true when it was the node's current one. */
  unregister(session: RegisteredSession): boolean {
    if (this.#sessions.get(session.node) !== session) return false;
    this.#sessions.delete(session.node);
    this.#context.metrics.sessions.set(this.#sessions.size);
    return true;
  }

  /** Stops following; sessions are ended by the stream set. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#subscription?.close();
  }
}

function rolloutMark(value: JsonValue): string {
  const status = isJsonObject(value) ? (value["status"] as unknown as RolloutStatus) : undefined;
  if (status === undefined) return "";
  const nodes = status.stages.map((stage) => stage.nodes.length).join(",");
  const marks = [status.phase, status.stage, nodes, status.vetoed.length, status.failed.length];
  return `${marks.join("/")}/${status.excluded.length}`;
}
