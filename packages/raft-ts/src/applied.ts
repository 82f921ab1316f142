// What follows when the application has applied entries or a snapshot: positions advance, and a
// leader leaves a joint configuration that was meant to be left automatically.
import { isJoint } from "./quorum/joint.ts";
import type { LogIndex } from "./ids.ts";
import { makeMessage } from "./messages.ts";
import { proposeEntries } from "./propose.ts";
import type { Raft } from "./raft.ts";
import type { Snapshot } from "./types.ts";
import { EMPTY_BYTES } from "./types.ts";

/** Everything up to `index` is applied; `bytes` of apply quota come back. */
export function appliedTo(raft: Raft, index: LogIndex, bytes: number): void {
  const { log, tracker } = raft;
  log.appliedTo(index > log.applied ? index : log.applied, bytes);
  const { config } = tracker;
  if (!config.autoLeave || raft.state !== "leader" || log.applied < raft.pendingConfIndex) return;
  if (!isJoint(config.voters)) return;
  // Refused only while a transfer runs or after our removal; tried again at every later apply.
  const entry = { term: raft.term, index, type: "conf-change-v2", data: EMPTY_BYTES } as const;
  const dropped = proposeEntries(
    raft,
    makeMessage({ type: "MsgProp", from: raft.id, entries: [entry] }),
  );
  raft.trace?.({ kind: "auto-leave", id: raft.id, config: tracker.confState(), dropped });
}

/** The snapshot is installed in storage and state machine. */
export function appliedSnapshot(raft: Raft, snapshot: Snapshot): void {
  const { index } = snapshot.metadata;
  raft.log.unstable.stableSnapshotTo(index);
  appliedTo(raft, index, 0);
  raft.clearReachedMark();
}
