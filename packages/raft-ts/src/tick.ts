// The clock of a node: one call per tick. Followers and candidates count towards an election, leaders
// towards heartbeats, the quorum check, the end of a leadership transfer, and reasons to hand over.
import { hup } from "./election.ts";
import { NO_NODE } from "./ids.ts";
import { promoteLearners } from "./learners.ts";
import type { Raft } from "./raft.ts";
import { broadcastHeartbeat } from "./replicate.ts";
import { checkQuorum } from "./step-leader.ts";
import { checkOwnDisk, preferBetterLeader } from "./succession.ts";

/** Advances the clock by one tick. */
export function tick(raft: Raft): void {
  raft.tickCount++;
  if (raft.state === "leader") tickLeader(raft);
  else tickOther(raft);
}

function tickOther(raft: Raft): void {
  raft.electionElapsed++;
  if (!raft.promotable() || raft.electionElapsed < raft.randomizedElectionTicks) return;
  raft.electionElapsed = 0;
  hup(raft, raft.config.preVote ? "pre-election" : "election");
}

function tickLeader(raft: Raft): void {
  raft.heartbeatElapsed++;
  raft.electionElapsed++;
  if (raft.electionElapsed >= raft.config.electionTicks) electionTimeout(raft);
  if (raft.state === "leader") checkOwnDisk(raft);
  if (raft.state !== "leader" || raft.heartbeatElapsed < raft.config.heartbeatTicks) return;
  raft.heartbeatElapsed = 0;
  broadcastHeartbeat(raft);
  promoteLearners(raft);
}

function electionTimeout(raft: Raft): void {
  raft.electionElapsed = 0;
  if (raft.config.checkQuorum) checkQuorum(raft);
  if (raft.state !== "leader") return;
  // A transfer that did not happen within an election timeout is given up.
  raft.transferee = NO_NODE;
  preferBetterLeader(raft);
}
