// How the raft core is configured in a server: asynchronous storage, pre-vote and check-quorum on,
// no forwarding inside raft (writes are forwarded with their actor, above it).
import { randomInt } from "node:crypto";
import type { Storage } from "@kingly/storage";
import type { LogIndex, NodeId, RaftConfig } from "raft-ts";
import type { TimingConfig } from "../config.ts";
import { UNCOMMITTED_BYTES_MAX } from "../limits.ts";

/** Configuration of the core of member `raftId`, whose state reflects the log up to `applied`. */
export function raftConfigOf(
  raftId: number,
  applied: number,
  storage: Storage,
  timing: TimingConfig,
): RaftConfig {
  const mark = storage.log.recoveryMark;
  return {
    id: raftId as NodeId,
    electionTicks: timing.electionTicks,
    heartbeatTicks: 1,
    storage: storage.log,
    applied: applied as LogIndex,
    asyncStorageWrites: true,
    maxUncommittedBytes: UNCOMMITTED_BYTES_MAX,
    checkQuorum: true,
    preVote: true,
    disableProposalForwarding: true,
    stepDownOnRemoval: true,
    random: (bound) => randomInt(bound),
    ...(mark === undefined ? {} : { recoveryMark: mark }),
  };
}
