// Membership changes as the application proposes them. Two generations, as in the log entry types:
// version 1 is exactly one change; version 2 is a list that may go through a joint configuration.
import type { LogIndex, NodeId } from "../ids.ts";
import { EMPTY_BYTES } from "../types.ts";

/** What happens to one node. "update-node" changes nothing here; it is a note for the application. */
export type ConfChangeType = "add-node" | "remove-node" | "update-node" | "add-learner-node";

/** One node's change. nodeId 0 is ignored. */
export interface ConfChangeSingle {
  /** What happens to it. */
  readonly type: ConfChangeType;
  /** Whom it happens to. */
  readonly nodeId: NodeId;
}

/**
 * How version 2 is carried out. "auto": single step if it is one change, else joint and left
 * automatically. "joint-implicit": joint, left automatically. "joint-explicit": joint, left by a
 * later empty change.
 */
export type ConfChangeTransition = "auto" | "joint-implicit" | "joint-explicit";

/** A single-step change (thesis section 4.3, one server at a time). */
export interface ConfChangeV1 {
  /** Generation. */
  readonly version: 1;
  /** What happens to the node. */
  readonly type: ConfChangeType;
  /** Whom it happens to; 0 is ignored. */
  readonly nodeId: NodeId;
  /** For the application; not interpreted. */
  readonly context: Uint8Array;
}

/** A list of changes made at once; empty with "auto" leaves a joint configuration. */
export interface ConfChangeV2 {
  /** Generation. */
  readonly version: 2;
  /** How it is carried out. */
  readonly transition: ConfChangeTransition;
  /** At most MAX_CONF_CHANGES, carried out in order. */
  readonly changes: readonly ConfChangeSingle[];
  /** For the application; not interpreted. */
  readonly context: Uint8Array;
  /**
   * ConfState.configId of the configuration the change is meant for (0 = the first one); refused as
   * "conf-change-stale" when another one is in force. Absent: for any.
   */
  readonly expectedConfigId?: LogIndex;
}

/** Either generation. */
export type ConfChange = ConfChangeV1 | ConfChangeV2;

/** The change that leaves a joint configuration. */
export const LEAVE_JOINT: ConfChangeV2 = Object.freeze({
  version: 2,
  transition: "auto",
  changes: [],
  context: EMPTY_BYTES,
});

/** The same change in version 2. */
export function asV2(cc: ConfChange): ConfChangeV2 {
  if (cc.version === 2) return cc;
  return {
    version: 2,
    transition: "auto",
    changes: [{ type: cc.type, nodeId: cc.nodeId }],
    context: cc.context,
  };
}

/** True if the change leaves a joint configuration. */
export function leavesJoint(cc: ConfChangeV2): boolean {
  return cc.transition === "auto" && cc.changes.length === 0;
}

/** Whether the change goes through a joint configuration, and if so whether it leaves by itself. */
export function entersJoint(cc: ConfChangeV2): { readonly autoLeave: boolean } | undefined {
  if (cc.transition === "auto" && cc.changes.length <= 1) return undefined;
  return { autoLeave: cc.transition !== "joint-explicit" };
}
