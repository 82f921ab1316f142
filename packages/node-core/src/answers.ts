// ACK and NACK, after Envoy's xDS: each names nonce, version and generation of the push it answers.
// An ACK leaves only after what it claims is on disk. Nothing is queued for a server that is away: a
// new connection brings a new push, which is answered with the state of that moment.

import type { Assignment } from "@kingly/resources";
import type { Context } from "./context.ts";
import { MESSAGE_LENGTH_MAX } from "./limits.ts";
import { inProbation, lastKnownGood, type SlotState } from "./state.ts";
import { standingVetoes } from "./content.ts";
import type { AckState, ActiveState, NackReason } from "./types.ts";

/** Sends an ACK for the slot's assignment once the state is durable. */
export function sendAck(context: Context, slot: SlotState, state: AckState): void {
  const { assignment, nonce } = slot;
  if (assignment === null || !context.connected) return;
  const { version, generation } = assignment;
  const configUid = slot.config.uid;
  context.emitDurable({
    type: "send",
    message: { type: "ack", nonce, configUid, version, generation, state },
  });
}

/** Sends a NACK for any assignment, also one that never became a slot. */
export function sendNack(
  context: Context,
  assignment: Assignment,
  nonce: string,
  failure: { readonly reason: NackReason; readonly message: string },
): void {
  const { version, generation, config } = assignment;
  const slot = context.state.slots[config.uid];
  const message = failure.message.slice(0, MESSAGE_LENGTH_MAX);
  context.log("warn", "AssignmentRefused", `${config.name} v${version}: ${message}`, {
    config: config.name,
    version,
    generation,
    reason: failure.reason,
  });
  if (!context.connected) return;
  context.emitDurable({
    type: "send",
    message: {
      type: "nack",
      nonce,
      configUid: config.uid,
      version,
      generation,
      reason: failure.reason,
      message,
      lastGoodVersion: slot === undefined ? 0 : lastKnownGood(slot).version,
    },
  });
}

/** What runs for a slot, in the words of the protocol. */
export function activeState(slot: SlotState, context: Context, inTrial: boolean): ActiveState {
  const lastGood = lastKnownGood(slot).version;
  return {
    configUid: slot.config.uid,
    config: slot.config.name,
    version: slot.pending?.content.version ?? lastGood,
    generation: slot.assignment?.generation ?? 0,
    state: stateWord(slot, context.nowMs, inTrial),
    lastKnownGood: inProbation(slot, context.nowMs)
      ? (slot.confirmed[1]?.content.version ?? 0)
      : lastGood,
    message: slot.orphaned ? "Orphaned" : (slot.failure?.message ?? ""),
  };
}

function stateWord(slot: SlotState, nowMs: number, inTrial: boolean): ActiveState["state"] {
  if (slot.overridden) return "overridden";
  if (inTrial) return "trial";
  if (slot.pending !== null) return slot.pending.appliedAtMs > 0 ? "applied" : "received";
  const assigned = slot.assignment?.version ?? 0;
  if (standingVetoes(slot, nowMs).some((veto) => veto.version === assigned)) return "vetoed";
  if (slot.failure !== null) return "failed";
  return assigned === lastKnownGood(slot).version ? "confirmed" : "pending";
}
