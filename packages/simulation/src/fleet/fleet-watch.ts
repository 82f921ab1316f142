// Invariants of a fleet, checked at every step from outside: what nodes really run against what was
// committed, tried or known good; whom votes protect; and that documents count once.

import { equalJson } from "@kingly/base";
import type { JsonObject } from "@kingly/base";
import { renderAssignments } from "@kingly/decision";
import type { ApplyResult, StateMachine } from "@kingly/decision";
import type { Content, OutgoingMessage } from "@kingly/node-core";
import type { AssignmentPush, TrialOrder, Vote } from "@kingly/resources";
import { Violation } from "../engine/violation.ts";
import { REVERT_BEGIN_MS_MAX, TRIAL_END_GRACE_MS } from "./limits.ts";
import type { ControlWatch } from "./control-plane.ts";
import type { SimNode } from "./sim-node.ts";

interface NodeKnowledge {
  /** Contents this node was told to run, and what it was found with. */
  readonly good: Set<string>;
  /** Candidates this node was asked to try. */
  readonly candidates: Set<string>;
  /** Candidates this node voted against. */
  readonly rejected: Set<string>;
  /** Since when it runs a candidate outside a trial; undefined: it does not. */
  strayingSinceMs: number | undefined;
}

/** Counts for the report. */
export interface FleetCounts {
  votes: number;
  vetoes: number;
  trialApplies: number;
}

/** The observer of a fleet. */
export class FleetWatch implements ControlWatch {
  readonly counts: FleetCounts = { votes: 0, vetoes: 0, trialApplies: 0 };
  readonly #nodes = new Map<string, NodeKnowledge>();
  readonly #counted = new Map<string, number>();
  /** The state, once there is one. */
  state: StateMachine | undefined;

  #node(name: string): NodeKnowledge {
    let known = this.#nodes.get(name);
    if (known === undefined) {
      known = {
        good: new Set(),
        candidates: new Set(),
        rejected: new Set(),
        strayingSinceMs: undefined,
      };
      this.#nodes.set(name, known);
    }
    return known;
  }

  /** What a node runs before anybody touches it. */
  found(name: string, content: Content): void {
    this.#node(name).good.add(content.hash);
  }

  pushed(name: string, push: AssignmentPush): void {
    const known = this.#node(name);
    for (const { config, version, contentHash } of push.assignments) {
      if (version === 0) continue;
      const object = `${config.name}-v${version}`;
      if (this.state?.object("ConfigVersion", config.namespace, object) === undefined) {
        const text = `node ${name} is assigned version ${version}, which was never committed`;
        throw new Violation("active-version", text);
      }
      known.good.add(contentHash);
    }
  }

  ordered(name: string, order: TrialOrder): void {
    this.#node(name).candidates.add(order.candidate.hash);
  }

  applied({ changes }: ApplyResult): void {
    for (const change of changes) {
      if (change.type === "ADDED" && change.key.startsWith("votes/")) {
        this.counts.votes += 1;
        const { spec } = change.value as unknown as Vote;
        if (spec.decision === "Reject") this.#node(spec.node).rejected.add(spec.candidateHash);
      }
      if (change.type === "ADDED" && change.key.startsWith("vetoes/")) this.counts.vetoes += 1;
    }
    if (changes.length > 0) this.#checkRejected();
  }

  /** No node is assigned what it voted against. */
  #checkRejected(): void {
    const { state } = this;
    if (state === undefined) return;
    for (const [name, { rejected }] of this.#nodes) {
      if (rejected.size === 0) continue;
      for (const { version, contentHash, data } of renderAssignments(state, name).assignments) {
        if (!rejected.has(contentHash)) continue;
        const text = `node ${name} voted Reject and is assigned version ${version}`;
        throw new Violation("reject-not-assigned", `${text} ${JSON.stringify(data)}`);
      }
    }
  }

  submitted(key: string, { outcome, changes }: ApplyResult): void {
    const counts = changes.some(
      ({ type, key: row }) =>
        type === "ADDED" && (row.startsWith("votes/") || row.startsWith("vetoes/")),
    );
    if (!outcome.ok || !counts) return;
    const times = (this.#counted.get(key) ?? 0) + 1;
    this.#counted.set(key, times);
    if (times > 1) throw new Violation("delivered-once", `document ${key} counted ${times} times`);
  }

  /** A node has written a document. */
  wrote(name: string, message: Extract<OutgoingMessage, { type: "submission" }>): void {
    if (message.kind !== "Veto") return;
    const document = JSON.parse(message.document) as { readonly revertDelayMs?: number };
    const delayMs = document.revertDelayMs ?? 0;
    if (delayMs <= REVERT_BEGIN_MS_MAX) return;
    const text = `node ${name} began to revert ${delayMs} ms after its evidence`;
    throw new Violation("active-version", text);
  }

  /** A node's service runs a content from now on. */
  runs(node: SimNode, content: Content): void {
    const known = this.#node(node.name);
    if (known.good.has(content.hash)) {
      known.strayingSinceMs = undefined;
      return;
    }
    if (!known.candidates.has(content.hash)) {
      const text = `node ${node.name} runs ${JSON.stringify(content.data)}, which was neither`;
      throw new Violation("active-version", `${text} committed, found there nor to be tried`);
    }
    this.counts.trialApplies += 1;
  }

  /** Looks at all nodes; call it regularly. */
  look(nodes: readonly SimNode[], nowMs: number): void {
    for (const node of nodes) {
      const known = this.#node(node.name);
      const { content } = node.plant;
      const trying = node.active.some((one) => one.state === "trial");
      if (known.good.has(content.hash) || trying || !node.alive) {
        known.strayingSinceMs = undefined;
        continue;
      }
      known.strayingSinceMs ??= nowMs;
      if (nowMs - known.strayingSinceMs <= TRIAL_END_GRACE_MS) continue;
      const text = `node ${node.name} still runs ${JSON.stringify(content.data)} of a trial`;
      throw new Violation("active-version", `${text} that is over`);
    }
  }

  /**
   * Nodes that do not run what they are assigned, though no veto of their own keeps them from it. A
   * guard may be comparing a version with the one before: then a node is here now and then.
   */
  astray(nodes: readonly SimNode[], state: StateMachine): readonly SimNode[] {
    return nodes.filter((node) => {
      const [assigned] = renderAssignments(state, node.name).assignments;
      const { data } = node.plant.content;
      if (assigned === undefined || assigned.version === 0) return false;
      if (equalJson(data, assigned.data as JsonObject)) return false;
      return !state.objects("Veto").some(({ spec }) => spec.node === node.name);
    });
  }
}
