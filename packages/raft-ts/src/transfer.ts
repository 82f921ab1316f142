// Leadership transfer on the leader's side: bring the target up to date, then tell it to campaign at
// once. Proposals are refused meanwhile; after one election timeout the transfer is given up (tick.ts).
// Thesis section 3.10.
import type { NodeId } from "./ids.ts";
import { NO_NODE } from "./ids.ts";
import type { Raft } from "./raft.ts";
import { maybeSendAppend, sendTimeoutNow } from "./replicate.ts";
import type { Progress } from "./tracker/progress.ts";
import type { DropReason } from "./types.ts";

type TransferEvent =
  | "transfer-to-learner"
  | "transfer-to-self"
  | "transfer-already-running"
  | "transfer-superseded"
  | "transfer-started"
  | "transfer-immediate"
  | "transfer-caught-up";

function trace(raft: Raft, kind: TransferEvent, transferee: NodeId): void {
  raft.trace?.({ kind, id: raft.id, term: raft.term, transferee });
}

/** Starts handing leadership to `target`, or says why not. Asked again for the same target, it goes
 * on with the transfer under way; another target takes over from it. */
export function startTransfer(raft: Raft, target: NodeId): DropReason | undefined {
  const pr = raft.tracker.get(target);
  if (pr === undefined) {
    raft.trace?.({ kind: "no-progress", id: raft.id, peer: target });
    return "transfer-to-stranger";
  }
  if (pr.isLearner) {
    trace(raft, "transfer-to-learner", target);
    return "transfer-to-learner";
  }
  if (raft.transferee !== NO_NODE) {
    if (raft.transferee === target) {
      trace(raft, "transfer-already-running", target);
      return undefined;
    }
    trace(raft, "transfer-superseded", raft.transferee);
    raft.transferee = NO_NODE;
  }
  if (target === raft.id) {
    trace(raft, "transfer-to-self", target);
    return "transfer-to-leader";
  }
  trace(raft, "transfer-started", target);
  raft.electionElapsed = 0;
  raft.transferee = target;
  if (pr.match === raft.log.lastIndex()) {
    sendTimeoutNow(raft, target);
    trace(raft, "transfer-immediate", target);
  } else {
    maybeSendAppend(raft, target, true);
  }
  return undefined;
}

/** The target acknowledged something: it may be up to date now. */
export function continueTransfer(raft: Raft, from: NodeId, pr: Progress): void {
  if (from !== raft.transferee || pr.match !== raft.log.lastIndex()) return;
  trace(raft, "transfer-caught-up", from);
  sendTimeoutNow(raft, from);
}
