// Receiving side of snapshots: replace the log and the configuration, or see that it is not needed.
// Paper section 7.
import { assertSameConfState, restoreMembership } from "./confchange/restore.ts";
import { InvalidMessageError } from "./errors.ts";
import type { LogIndex } from "./ids.ts";
import { NO_NODE, term as makeTerm } from "./ids.ts";
import { switchToConfig } from "./membership.ts";
import type { Message } from "./messages.ts";
import type { Raft } from "./raft.ts";
import type { Snapshot } from "./types.ts";

/** Installs the snapshot in a MsgSnap if it helps, and acknowledges what the log then covers. */
export function handleSnapshot(raft: Raft, m: Message): void {
  const { snapshot } = m;
  if (snapshot === undefined) throw new InvalidMessageError("MsgSnap must carry a snapshot");
  const { index, term } = snapshot.metadata;
  const restored = restore(raft, snapshot);
  raft.trace?.({
    kind: "snapshot-handled",
    id: raft.id,
    commit: raft.log.committed,
    snapshot: { index, term },
    restored,
  });
  const covered = restored ? raft.log.lastIndex() : raft.log.committed;
  raft.send({ type: "MsgAppResp", to: m.from, index: covered });
}

/** False if the snapshot was not installed: outdated, already covered by the log, or not for us. */
function restore(raft: Raft, snapshot: Snapshot): boolean {
  const { log } = raft;
  const { index, term, confState } = snapshot.metadata;
  if (index <= log.committed) return false;
  if (raft.state !== "follower") {
    // Cannot happen: callers become followers first. A leader must never do this.
    raft.trace?.({ kind: "restore-refused-not-follower", id: raft.id });
    raft.becomeFollower(makeTerm(raft.term + 1), NO_NODE);
    return false;
  }
  const { voters, learners, votersOutgoing } = confState;
  if (![...voters, ...learners, ...votersOutgoing].includes(raft.id)) {
    raft.trace?.({ kind: "restore-refused-not-member", id: raft.id, confState });
    return false;
  }
  if (log.matches(index, term)) {
    traceRestore(raft, "restore-fast-forwarded", snapshot);
    log.commitTo(index);
    return false;
  }
  log.restore(snapshot);
  const membership = restoreMembership(raft.tracker, log.lastIndex(), confState);
  const configId = confState.configId ?? (0 as LogIndex);
  assertSameConfState(confState, switchToConfig(raft, membership, configId));
  traceRestore(raft, "restore-done", snapshot);
  return true;
}

function traceRestore(
  raft: Raft,
  kind: "restore-done" | "restore-fast-forwarded",
  snapshot: Snapshot,
): void {
  const last = raft.log.last();
  raft.trace?.({
    kind,
    id: raft.id,
    commit: raft.log.committed,
    lastIndex: last.index,
    lastTerm: last.term,
    snapshot: { index: snapshot.metadata.index, term: snapshot.metadata.term },
  });
}
