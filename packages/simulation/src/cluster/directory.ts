// Where the simulated servers keep their data and who they are.

import { initDirectory } from "@kingly/storage";
import type { ConfState, NodeId } from "raft-ts";
import type { SimDisk } from "./disk.ts";

/** Identity of every simulated cluster. */
export const CLUSTER_ID = "simulated";
/** The one directory of each simulated disk. */
export const DATA_DIRECTORY = "/data";

/** Creates the data directory of server `id`: a first member, or one that joins (undefined). */
export function createDirectory(
  disk: SimDisk,
  id: number,
  members: readonly number[] | undefined,
): Promise<void> {
  return initDirectory({
    dir: DATA_DIRECTORY,
    disk,
    clusterId: CLUSTER_ID,
    memberId: `server-${id}`,
    raftId: id,
    incarnation: `life-${id}`,
    ...(members === undefined ? {} : { bootstrap: { confState: confStateOf(members) } }),
  });
}

function confStateOf(members: readonly number[]): ConfState {
  return {
    voters: members as readonly NodeId[],
    learners: [],
    votersOutgoing: [],
    learnersNext: [],
    autoLeave: false,
  };
}
