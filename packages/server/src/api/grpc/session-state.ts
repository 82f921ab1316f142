// What an agent has been told already, and so what is still to be said: its desired state, the trials
// that wait for its vote, trials that ended under it, requests for a veto. Level-triggered: looked at
// again after every change, nothing is lost when a look is skipped.

import { randomUUID } from "node:crypto";
import { utf8Encode } from "@kingly/base";
import type { ServerMessageInput } from "@kingly/protocol";
import type { AssignmentPush, Proposal, TrialOrder } from "@kingly/resources";
import type { ActiveConfigReport } from "../../replica/replica.ts";
import type { ApiContext } from "../core/context.ts";
import { openVetoWishes } from "../core/veto-requests.ts";
import { assignmentsOf, trialOrdersOf } from "../core/views.ts";

interface ToldOrder {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly attempt: number;
}

/** Memory of one session. */
export class SessionState {
  readonly #context: ApiContext;
  readonly #node: string;
  readonly #orders = new Map<string, ToldOrder>();
  readonly #wishes = new Set<string>();
  #pushed = "";
  #push: AssignmentPush | undefined;

  constructor(context: ApiContext, node: string) {
    this.#context = context;
    this.#node = node;
  }

  /** The desired state that was pushed last. */
  get pushed(): AssignmentPush | undefined {
    return this.#push;
  }

  /** Messages that bring the agent up to date; they count as said. */
  next(): ServerMessageInput[] {
    return [...this.#nextPush(), ...this.#nextOrders(), ...this.#nextWishes()];
  }

  #nextPush(): ServerMessageInput[] {
    const push = assignmentsOf(this.#context.replica.state, this.#node);
    const text = JSON.stringify(push);
    if (text === this.#pushed) return [];
    this.#pushed = text;
    this.#push = push;
    this.#context.metrics.pushes.inc({ result: "push" });
    return [{ push: { nonce: randomUUID(), document: Buffer.from(utf8Encode(text)) } }];
  }

  #nextOrders(): ServerMessageInput[] {
    const open = new Map<string, TrialOrder>();
    for (const order of trialOrdersOf(this.#context.replica.state, this.#node)) {
      open.set(`${order.proposal.uid}/${order.attempt}`, order);
    }
    const messages: ServerMessageInput[] = [];
    for (const [id, told] of this.#orders) {
      if (open.has(id)) continue;
      this.#orders.delete(id);
      const cancel = this.#cancel(told);
      if (cancel !== undefined) messages.push(cancel);
    }
    for (const [id, order] of open) {
      if (this.#orders.has(id)) continue;
      this.#orders.set(id, { ...order.proposal, attempt: order.attempt });
      messages.push({ trialOrder: Buffer.from(utf8Encode(JSON.stringify(order))) });
    }
    return messages;
  }

  /** An order that is gone: the node has voted (nothing to say), or the trial ended without it. */
  #cancel(told: ToldOrder): ServerMessageInput | undefined {
    const { state } = this.#context.replica;
    const vote = `${told.name}-a${told.attempt}-${this.#node}`;
    if (state.object("Vote", told.namespace, vote) !== undefined) return undefined;
    const proposal = state.object("Proposal", told.namespace, told.name);
    const reason =
      proposal?.metadata.uid === told.uid
        ? `the proposal is ${proposal.status?.phase ?? "gone"}`
        : "the proposal was deleted";
    return { trialCancel: { proposalUid: told.uid, attempt: told.attempt, reason } };
  }

  #nextWishes(): ServerMessageInput[] {
    const node = this.#context.replica.state.object("Node", "", this.#node);
    if (node === undefined) return [];
    return openVetoWishes(this.#context, node)
      .filter((wish) => {
        const id = `${wish.configUid}/${wish.version}/${wish.atMs}`;
        const fresh = !this.#wishes.has(id);
        this.#wishes.add(id);
        return fresh;
      })
      .map(({ configUid, version, reason, requestedBy }) => ({
        vetoRequest: { configUid, version, reason, requestedBy },
      }));
  }

  /** Cancels for trials that the agent still runs, as it says itself, and that are over. */
  staleTrials(active: readonly ActiveConfigReport[]): ServerMessageInput[] {
    const trying = new Set(
      active.filter((one) => one.state === "trial").map((one) => one.configUid),
    );
    if (trying.size === 0) return [];
    const { state } = this.#context.replica;
    for (const order of trialOrdersOf(state, this.#node)) trying.delete(order.config.uid);
    const names = new Set(
      state
        .objects("Config")
        .filter((config) => trying.has(config.metadata.uid))
        .map((config) => `${config.metadata.namespace}/${config.metadata.name}`),
    );
    if (names.size === 0) return [];
    return state
      .objects("Proposal")
      .filter((one) => names.has(`${one.metadata.namespace}/${one.spec.config}`))
      .filter((one) => this.#tookPart(one))
      .map((one) => ({
        trialCancel: {
          proposalUid: one.metadata.uid,
          attempt: one.status?.trial?.attempt ?? 0,
          reason: `the proposal is ${one.status?.phase ?? "over"}`,
        },
      }));
  }

  #tookPart(proposal: Proposal): boolean {
    const trial = proposal.status?.trial;
    return trial !== undefined && trial.nodes.includes(this.#node);
  }
}
