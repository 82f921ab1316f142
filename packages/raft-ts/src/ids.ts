// Branded numbers for terms, log positions and node ids. All are safe integers; the brand only keeps
// them from being mixed up at compile time and costs nothing at run time.
import { RaftInvariantError } from "./errors.ts";

/** A Raft term. 0 = before the first election (paper section 5.1). */
export type Term = number & { readonly $brand: "Term" };
/** A position in the log. The first entry has index 1; 0 = before the first entry. */
export type LogIndex = number & { readonly $brand: "LogIndex" };
/** The id of a node, unique in the life of the cluster. 0 = no node. */
export type NodeId = number & { readonly $brand: "NodeId" };

/** No node: no leader is known, no vote was cast, no transfer is under way. */
export const NO_NODE: NodeId = 0 as NodeId;
/** Target of MsgStorageAppend: whatever writes log, hard state and snapshots to disk. */
export const LOCAL_APPEND_THREAD: NodeId = Number.MAX_SAFE_INTEGER as NodeId;
/** Target of MsgStorageApply: whatever applies committed entries to the state machine. */
export const LOCAL_APPLY_THREAD: NodeId = (Number.MAX_SAFE_INTEGER - 1) as NodeId;

function checked(n: number, what: string): number {
  if (!Number.isSafeInteger(n) || n < 0) {
    throw new RaftInvariantError(`${what} must be an integer from 0 to 2^53-1, got ${n}`);
  }
  return n;
}

/** Makes a Term. Throws RaftInvariantError unless n is a safe integer of at least 0. */
export function term(n: number): Term {
  return checked(n, "term") as Term;
}

/** Makes a LogIndex. Throws RaftInvariantError unless n is a safe integer of at least 0. */
export function logIndex(n: number): LogIndex {
  return checked(n, "log index") as LogIndex;
}

/** Makes a NodeId. Throws RaftInvariantError unless n is a safe integer of at least 0. */
export function nodeId(n: number): NodeId {
  return checked(n, "node id") as NodeId;
}

/** True for the two local targets that stand for storage and state machine, not for a peer. */
export function isLocalTarget(id: NodeId): boolean {
  return id === LOCAL_APPEND_THREAD || id === LOCAL_APPLY_THREAD;
}

/** Order of node ids; for sorting wherever order reaches output. */
export function compareIds(a: NodeId, b: NodeId): number {
  return a - b;
}
