// The status of the cluster as one server sees it.
import type { StateMachine, StateMeta } from "@kingly/decision";
import type { Status } from "raft-ts";
import type { ServerConfig } from "../config.ts";
import type { Transport } from "../transport/types.ts";
import type { ClusterStatus, ServerRole } from "./replica.ts";

/** Version of the product that this server runs. */
export const SERVER_VERSION = "0.1.0";

/** Puts a status together. */
export function statusOf(view: {
  readonly config: ServerConfig;
  readonly raft: Status;
  readonly meta: StateMeta;
  readonly transport: Transport;
  readonly uptimeMs: number;
}): ClusterStatus {
  const { config, raft, meta, transport } = view;
  const role: ServerRole = raft.recovering ? "recovering" : raft.state;
  const voters = new Set<number>([...raft.confState.voters, ...raft.confState.votersOutgoing]);
  return {
    clusterId: config.clusterId,
    memberId: config.memberId,
    role,
    leaderId: config.members.find((member) => member.raftId === raft.lead)?.id ?? "",
    term: raft.term,
    commitIndex: raft.commit,
    appliedIndex: meta.appliedIndex,
    revision: meta.revision,
    members: config.members.map((member) => ({
      id: member.id,
      raftId: member.raftId,
      address: member.address,
      voter: voters.has(member.raftId),
      matchIndex: raft.progress.find((one) => one.id === member.raftId)?.match ?? 0,
      reachable: member.id === config.memberId || transport.isConnected(member.raftId),
    })),
    version: SERVER_VERSION,
    uptimeMs: Math.floor(view.uptimeMs),
  };
}

/** Number of proposals by phase. */
export function proposalsByPhase(state: StateMachine): ReadonlyMap<string, number> {
  const phases = new Map<string, number>();
  for (const proposal of state.objects("Proposal")) {
    const phase = proposal.status?.phase ?? "Pending";
    phases.set(phase, (phases.get(phase) ?? 0) + 1);
  }
  return phases;
}

/** 1 for each other server whose streams are up. */
export function connectedPeers(
  transport: Transport,
  config: ServerConfig,
): ReadonlyMap<string, number> {
  const peers = config.members.filter((member) => member.id !== config.memberId);
  return new Map(peers.map(({ id, raftId }) => [id, transport.isConnected(raftId) ? 1 : 0]));
}
