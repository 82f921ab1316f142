// Receiving side of replication: appends and heartbeats from the leader of our term. Paper section
// 5.3 (consistency check, conflicting entries) and figure 2.
import { InvalidMessageError } from "./errors.ts";
import type { Message } from "./messages.ts";
import type { LogIndex } from "./ids.ts";
import { logIndex } from "./ids.ts";
import type { Raft } from "./raft.ts";

/** Checks that an append is what a leader can have sent; before anything is changed by it. */
function checkAppend(m: Message): void {
  let prevTerm = m.logTerm;
  let index = m.index;
  for (const entry of m.entries) {
    index = logIndex(index + 1);
    if (entry.index !== index) {
      throw new InvalidMessageError(`MsgApp entry has index ${entry.index}, must be ${index}`);
    }
    if (entry.term < prevTerm || entry.term > m.term) {
      throw new InvalidMessageError(
        `MsgApp entry ${index} has term ${entry.term}, must be from ${prevTerm} to ${m.term}`,
      );
    }
    prevTerm = entry.term;
  }
}

/** Appends the leader's entries and acknowledges, or rejects with a hint where the logs may meet. */
export function handleAppend(raft: Raft, m: Message): void {
  checkAppend(m);
  const { log } = raft;
  if (m.index < log.committed) {
    // What is committed matches by definition.
    raft.send({ type: "MsgAppResp", to: m.from, index: log.committed });
    return;
  }
  const last = log.maybeAppend({ index: m.index, term: m.logTerm }, m.commit, m.entries);
  if (last !== undefined) {
    raft.send({ type: "MsgAppResp", to: m.from, index: last });
    return;
  }
  raft.trace?.({
    kind: "append-rejected",
    id: raft.id,
    ownTerm: log.termOrZero(m.index),
    index: m.index,
    term: m.logTerm,
    from: m.from,
  });
  // All entries of the leader before the anchor have at most the anchor's term, so ours with higher
  // terms cannot match: skip them at once.
  const lastIndex = log.lastIndex();
  const from: LogIndex = m.index < lastIndex ? m.index : lastIndex;
  const hint = log.findConflictByTerm(from, m.logTerm);
  raft.send({
    type: "MsgAppResp",
    to: m.from,
    index: m.index,
    reject: true,
    rejectHint: hint.index,
    logTerm: hint.term,
  });
}

/** Takes the commit index and echoes the leader's read token. */
export function handleHeartbeat(raft: Raft, m: Message): void {
  const { log } = raft;
  // While recovering, the leader may still believe that we hold what we lost, and what is left may
  // end in entries that were replaced before the loss: only an append that matches may commit.
  if (raft.recoveryMark === undefined) log.commitTo(m.commit);
  raft.send({ type: "MsgHeartbeatResp", to: m.from, context: m.context });
}
