// From a push to a checkpoint: identity, generation, binding, hash, rules, the owner's limits, a dry
// check at the target; then the version is pending on disk and acknowledged. Rollout takes over from
// there. Only a higher generation changes anything, from whichever server it comes.

import { contentHash, KinglyError } from "@kingly/base";
import type { Assignment, AssignmentPush } from "@kingly/resources";
import type { Actuator } from "./actuator.ts";
import { sendAck, sendNack } from "./answers.ts";
import { effectiveContent, isVetoed, refuseByOwner, refuseKeys } from "./content.ts";
import type { Context } from "./context.ts";
import { SLOTS_MAX } from "./limits.ts";
import { activeContent, lastKnownGood, type SlotState } from "./state.ts";
import type { Content, NackReason } from "./types.ts";

/** What the rest of the core is told. */
export interface ReconcileHooks {
  /** Another version comes, or none: whatever tries something on this slot ends. */
  readonly preempt: (slot: SlotState, reason: string) => void;
}

interface Checking {
  readonly token: number;
  readonly assignment: Assignment;
  readonly nonce: string;
  readonly content: Content;
}

/** Keeps each slot in step with what the servers assigned. */
export class Reconcile {
  readonly #context: Context;
  readonly #actuator: Actuator;
  readonly #hooks: ReconcileHooks;
  /** Read just now, for the assignment that waited for it; by target. */
  readonly #captured = new Map<string, Content>();
  /** Assignments that wait until their target was read once, by target. */
  readonly #held = new Map<string, { readonly assignment: Assignment; readonly nonce: string }>();
  readonly #checking = new Map<string, Checking>();

  constructor(context: Context, actuator: Actuator, hooks: ReconcileHooks) {
    this.#context = context;
    this.#actuator = actuator;
    this.#hooks = hooks;
  }

  onCaptured(target: string, content: Content): void {
    const slot = this.#context.slotOfTarget(target);
    if (slot !== undefined && !slot.touched) {
      slot.asFound = { ...content, version: 0 };
      this.#actuator.assume(target, content.hash);
      this.#context.touch();
    }
    const held = this.#held.get(target);
    if (held === undefined) return;
    this.#held.delete(target);
    this.#captured.set(target, content);
    this.#assign(held.assignment, held.nonce);
    this.#captured.delete(target);
  }

  /** Targets that we never touched may have changed while we were away. */
  onStarted(): void {
    for (const slot of this.#context.slots()) {
      if (!slot.touched) this.#context.emit({ type: "capture", target: slot.target });
    }
  }

  onPush(push: AssignmentPush, nonce: string): void {
    const { clusterId, node } = this.#context.options;
    if (push.clusterId !== clusterId || push.node !== node) {
      const message = `push for cluster ${push.clusterId}, node ${push.node}; this is ${clusterId}, ${node}`;
      for (const assignment of push.assignments) {
        sendNack(this.#context, assignment, nonce, { reason: "WrongCluster", message });
      }
      return;
    }
    const assigned = new Set<string>();
    for (const assignment of push.assignments) {
      assigned.add(assignment.config.uid);
      this.#assign(assignment, nonce);
    }
    for (const slot of this.#context.slots()) {
      if (!assigned.has(slot.config.uid)) this.#orphan(slot);
    }
  }

  /** True while a new version is being checked: nothing else should begin on the slot. */
  isChecking(slot: SlotState): boolean {
    return this.#checking.has(slot.config.uid);
  }

  onCheck(token: number, problem: string): void {
    for (const [uid, checking] of this.#checking) {
      if (checking.token !== token) continue;
      this.#checking.delete(uid);
      const slot = this.#context.state.slots[uid];
      if (slot === undefined) return;
      if (problem === "") this.#checkpoint(slot, checking);
      else this.#refuse(slot, checking.assignment, { reason: "CheckFailed", message: problem });
      return;
    }
  }

  /** After a hand edit was undone: what was held back is taken up again. */
  onEditCleared(slot: SlotState): void {
    const { assignment, nonce } = slot;
    if (assignment !== null) this.#take(slot, assignment, nonce);
  }

  #assign(assignment: Assignment, nonce: string): void {
    const { context, problem } = { context: this.#context, problem: this.#problem(assignment) };
    if (problem !== null) {
      sendNack(context, assignment, nonce, problem);
      return;
    }
    const slot = context.state.slots[assignment.config.uid] ?? this.#adopt(assignment, nonce);
    if (slot === undefined) return;
    // Servers forget a node that a config ceased to select; its generations begin anew.
    const known = slot.orphaned ? null : slot.assignment;
    if (known !== null && assignment.generation < known.generation) {
      const message = `generation ${assignment.generation} is older than ${known.generation}`;
      sendNack(context, assignment, nonce, { reason: "OldGeneration", message });
      return;
    }
    slot.orphaned = false;
    if (known !== null && assignment.generation === known.generation) {
      this.#repeat(slot, assignment, nonce);
      return;
    }
    slot.failure = null;
    this.#take(slot, assignment, nonce);
  }

  /** Whatever refuses an assignment before its slot matters. */
  #problem(
    assignment: Assignment,
  ): { readonly reason: NackReason; readonly message: string } | null {
    const { options } = this.#context;
    const { target } = assignment;
    if (!options.targets.includes(target)) {
      return { reason: "Unbound", message: `target ${target} is not bound on this node` };
    }
    if (assignment.version === 0) return null;
    const hash = hashOf(assignment, this.#context);
    if (hash !== assignment.contentHash) {
      const message = `data has hash ${hash}, the assignment says ${assignment.contentHash}`;
      return { reason: "SchemaViolation", message };
    }
    const broken = refuseKeys(assignment.data, assignment.keys);
    if (broken !== "") return { reason: "SchemaViolation", message: broken };
    const owner = refuseByOwner(assignment.data, options, target);
    return owner === "" ? null : { reason: "CheckFailed", message: owner };
  }

  /** A slot for a Config seen for the first time; undefined while its target was never read. */
  #adopt(assignment: Assignment, nonce: string): SlotState | undefined {
    const context = this.#context;
    const { target, config } = assignment;
    const before = context.slotOfTarget(target);
    if (before !== undefined && !before.orphaned) {
      const message = `target ${target} is taken by config ${before.config.name}`;
      sendNack(context, assignment, nonce, { reason: "Unbound", message });
      return undefined;
    }
    const asFound = before === undefined ? this.#captured.get(target) : activeContent(before);
    if (asFound === undefined) {
      this.#held.set(target, { assignment, nonce });
      context.emit({ type: "capture", target });
      return undefined;
    }
    if (Object.keys(context.state.slots).length >= SLOTS_MAX) {
      const message = `this node carries ${SLOTS_MAX} configs already`;
      sendNack(context, assignment, nonce, { reason: "Unbound", message });
      return undefined;
    }
    if (before !== undefined) delete context.state.slots[before.config.uid];
    else this.#actuator.assume(target, asFound.hash);
    const slot: SlotState = {
      config,
      target,
      assignment: null,
      nonce,
      asFound: { ...asFound, version: 0 },
      confirmed: [],
      pending: null,
      guard: null,
      vetoes: [],
      touched: before?.touched ?? false,
      orphaned: false,
      overridden: before?.overridden ?? false,
      failure: null,
      revertedAtMs: 0,
    };
    context.state.slots[config.uid] = slot;
    context.touch();
    context.log("info", "Adopted", `${config.name} manages ${target}; as-found is kept`, {
      config: config.name,
      target,
      asFound: asFound.hash,
    });
    return slot;
  }

  /** The same assignment again, after a reconnect: answered with the state of this moment. */
  #repeat(slot: SlotState, assignment: Assignment, nonce: string): void {
    if (slot.assignment?.contentHash !== assignment.contentHash) {
      const message = `generation ${assignment.generation} came with two contents`;
      sendNack(this.#context, assignment, nonce, { reason: "OldGeneration", message });
      return;
    }
    slot.nonce = nonce;
    if (slot.failure?.retry === true) {
      slot.failure = null;
      this.#take(slot, assignment, nonce);
    } else if (slot.failure !== null) sendNack(this.#context, assignment, nonce, slot.failure);
    else if (slot.pending !== null) {
      sendAck(this.#context, slot, slot.pending.appliedAtMs > 0 ? "APPLIED" : "RECEIVED");
    } else if (assignment.version === lastKnownGood(slot).version) {
      sendAck(this.#context, slot, "CONFIRMED");
    } else if (!this.#checking.has(slot.config.uid)) {
      // We stopped between remembering the assignment and its checkpoint: begin again.
      this.#take(slot, assignment, nonce);
    }
  }

  /** A new assignment: nothing to do, not to be run here, or to be checked. */
  #take(slot: SlotState, assignment: Assignment, nonce: string): void {
    const context = this.#context;
    slot.config = assignment.config;
    slot.assignment = assignment;
    slot.nonce = nonce;
    context.touch();
    this.#checking.delete(slot.config.uid);
    const content = effectiveContent(slot, assignment, context);
    if (assignment.version === 0 && slot.confirmed.length > 0) this.#forgetVersions(slot);
    const newest = lastKnownGood(slot);
    const isNewest =
      assignment.version === 0 ||
      (newest.version === assignment.version && newest.hash === content.hash);
    if (isNewest || isVetoed(slot, content, context.nowMs)) {
      if (slot.pending !== null) this.#drop(slot, "the assignment went back");
      if (isNewest) sendAck(context, slot, "CONFIRMED");
      return;
    }
    if (
      slot.pending?.content.hash === content.hash &&
      slot.pending.content.version === content.version
    ) {
      sendAck(context, slot, slot.pending.appliedAtMs > 0 ? "APPLIED" : "RECEIVED");
      return;
    }
    if (slot.overridden) {
      const message = `${slot.target} was edited by hand (Overridden); undo the edit to go on`;
      this.#refuse(slot, assignment, { reason: "CheckFailed", message });
      return;
    }
    const token = context.nextToken();
    this.#checking.set(slot.config.uid, { token, assignment, nonce, content });
    context.emit({ type: "check", token, target: slot.target, content });
  }

  /** The fleet took its first versions back: what was found is what is good again. */
  #forgetVersions(slot: SlotState): void {
    this.#hooks.preempt(slot, "no version is assigned any more");
    slot.confirmed = [];
    slot.guard = null;
    this.#context.log("info", "BackToFound", `${slot.config.name}: as found again`, {
      config: slot.config.name,
    });
  }

  #refuse(
    slot: SlotState,
    assignment: Assignment,
    failure: { readonly reason: NackReason; readonly message: string },
  ): void {
    slot.failure = { ...failure, retry: false };
    this.#context.touch();
    sendNack(this.#context, assignment, slot.nonce, slot.failure);
  }

  /** The version is pending on disk before it is acknowledged and before it is applied. */
  #checkpoint(slot: SlotState, checking: Checking): void {
    const context = this.#context;
    const { assignment, content } = checking;
    this.#hooks.preempt(slot, `version ${assignment.version} was assigned`);
    slot.pending = {
      content,
      generation: assignment.generation,
      nonce: slot.nonce,
      receivedAtMs: context.nowMs,
      appliedAtMs: 0,
      starts: 0,
    };
    slot.touched = true;
    context.touch();
    context.log("info", "VersionReceived", `${slot.config.name} v${assignment.version} checked`, {
      config: slot.config.name,
      version: assignment.version,
      generation: assignment.generation,
    });
    sendAck(context, slot, "RECEIVED");
  }

  #drop(slot: SlotState, reason: string): void {
    this.#hooks.preempt(slot, reason);
    slot.pending = null;
    slot.guard = null;
    this.#context.touch();
  }

  #orphan(slot: SlotState): void {
    this.#checking.delete(slot.config.uid);
    if (slot.orphaned) return;
    this.#drop(slot, "the config no longer selects this node");
    slot.orphaned = true;
    this.#context.log("warn", "Orphaned", `${slot.config.name} no longer selects this node`, {
      config: slot.config.name,
      target: slot.target,
    });
  }
}

function hashOf(assignment: Assignment, context: Context): string {
  try {
    return contentHash(assignment.data, context.options.crypto);
  } catch (error) {
    if (error instanceof KinglyError) return `none (${error.message})`;
    throw error;
  }
}
