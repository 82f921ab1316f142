// Acknowledgements of one node. They are soft until the leader has written them, so an agent repeats
// its state in every heartbeat; what the replicated state says already, or was passed on a moment ago,
// is not passed on again.

import type { Config, RolloutStatus } from "@kingly/resources";
import type { ActiveConfigReport, NodeAck } from "../../replica/replica.ts";
import type { ApiContext } from "../core/context.ts";
import { ACK_REPEAT_MS, REPORTED_ITEMS_MAX } from "../limits.ts";

type AckState = NodeAck["state"];

const ORDER: readonly AckState[] = ["received", "applied", "confirmed"];

function isAckState(state: string): state is AckState {
  return state === "failed" || ORDER.some((known) => known === state);
}

interface Sent {
  readonly id: string;
  readonly atMs: number;
  readonly message: string | undefined;
}

/** Passes acknowledgements of one node on to the leader. */
export class AckRepeater {
  readonly #context: ApiContext;
  readonly #node: string;
  /** What was passed on last, and when, by Config; heartbeats do not say again why it failed. */
  readonly #sent = new Map<string, Sent>();

  constructor(context: ApiContext, node: string) {
    this.#context = context;
    this.#node = node;
  }

  /** Passes on what the agent just said, unless the state says it already. */
  report(ack: Omit<NodeAck, "node">): void {
    if (this.#isKnown(ack)) return;
    this.#send(ack);
  }

  /** Passes on again what heartbeats say and the state does not know yet. */
  repeat(active: readonly ActiveConfigReport[]): void {
    for (const { configUid, version, state } of active) {
      if (version === 0 || !isAckState(state)) continue;
      const last = this.#sent.get(configUid);
      const sent = last?.id === `${version}/${state}` ? last : undefined;
      const message = sent?.message;
      const ack = { configUid, version, state, ...(message === undefined ? {} : { message }) };
      const recent = sent !== undefined && this.#context.clock.nowMs() - sent.atMs < ACK_REPEAT_MS;
      if (!recent && !this.#isKnown(ack)) this.#send(ack);
    }
  }

  #send(ack: Omit<NodeAck, "node">): void {
    const { configUid, version, state, message } = ack;
    if (!this.#sent.has(configUid) && this.#sent.size >= REPORTED_ITEMS_MAX) this.#sent.clear();
    const atMs = this.#context.clock.nowMs();
    this.#sent.set(configUid, { id: `${version}/${state}`, atMs, message });
    this.#context.replica.soft.reportAck({ ...ack, node: this.#node });
  }

  /** True when the rollout has this node in the state or further, or knows no such rollout. */
  #isKnown(ack: Omit<NodeAck, "node">): boolean {
    const { state } = this.#context.replica;
    const config = state.objects("Config").find((one) => one.metadata.uid === ack.configUid);
    const status = config === undefined ? undefined : this.#rollout(config, ack.version);
    if (status === undefined) return true;
    if (status.failed.includes(this.#node)) return ack.state === "failed";
    if (status.vetoed.includes(this.#node)) return true;
    const at = ORDER.findIndex((name) => reached(status, name).includes(this.#node));
    return ack.state !== "failed" && at >= ORDER.indexOf(ack.state);
  }

  #rollout(config: Config, version: number): RolloutStatus | undefined {
    const { name, namespace = "" } = config.metadata;
    return this.#context.replica.state.object("Rollout", namespace, `${name}-v${version}`)?.status;
  }
}

function reached(status: RolloutStatus, state: AckState): readonly string[] {
  return status[state];
}
