// Options of `add-nodes`: what the new nodes are configured with and what they start from.
import { logIndex, nodeId, term } from "../ids.ts";
import { NO_LIMIT } from "../limits.ts";
import type { Snapshot } from "../types.ts";
import { EMPTY_BYTES } from "../types.ts";
import type { MemberConfig } from "./member.ts";
import { ScriptError, parseBoolean, parseNumber, valuesOf } from "./script.ts";
import type { Command } from "./script.ts";
import { encodeText } from "./text.ts";

const MAX_INT32 = 2_147_483_647;

function flag(command: Command, key: string): boolean {
  return parseBoolean(valuesOf(command, key)?.[0] ?? "false");
}

function size(command: Command, key: string, fallback: number): number {
  const value = valuesOf(command, key)?.[0];
  return value === undefined ? fallback : Math.min(parseNumber(value), NO_LIMIT);
}

/** Settings of the new nodes; three ticks to an election, one to a heartbeat, no limits. */
export function memberConfig(command: Command): MemberConfig {
  const readOnly = valuesOf(command, "read-only")?.[0] ?? "safe";
  if (readOnly !== "safe" && readOnly !== "lease-based") {
    throw new ScriptError(`invalid read-only option "${readOnly}"`);
  }
  return {
    electionTicks: 3,
    heartbeatTicks: 1,
    maxMessageBytes: size(command, "max-message-size", NO_LIMIT),
    maxInflightMessages: size(command, "inflight", MAX_INT32),
    maxCommittedBytesPerReady: size(command, "max-committed-size-per-ready", 0),
    maxUncommittedBytes: size(command, "max-uncommitted-size", 0),
    asyncStorageWrites: flag(command, "async-storage-writes"),
    preVote: flag(command, "prevote"),
    checkQuorum: flag(command, "checkquorum"),
    readOnlyOption: readOnly,
    disableConfChangeValidation: flag(command, "disable-conf-change-validation"),
    stepDownOnRemoval: flag(command, "step-down-on-removal"),
    // Nor guards of the membership and of the leader's disk; leases there are as long as timeouts.
    membershipGuard: flag(command, "membership-guard"),
    diskStallTicks: size(command, "disk-stall-ticks", 0),
    leaseDriftTicks: 0,
    disableProposalForwarding: flag(command, "disable-proposal-forwarding"),
    // The published scripts know no commit hints.
    commitHints: flag(command, "commit-hints"),
    random: () => 0,
  };
}

/** The snapshot the new nodes start from; undefined if the command gives none. */
export function memberSnapshot(command: Command): Snapshot | undefined {
  const ids = (key: string): readonly ReturnType<typeof nodeId>[] =>
    (valuesOf(command, key) ?? []).filter((v) => v !== "").map((v) => nodeId(parseNumber(v)));
  const voters = ids("voters");
  const learners = ids("learners");
  const index = valuesOf(command, "index")?.[0];
  const content = valuesOf(command, "content")?.[0];
  if (
    voters.length === 0 &&
    learners.length === 0 &&
    index === undefined &&
    content === undefined
  ) {
    return undefined;
  }
  return {
    data: content === undefined ? EMPTY_BYTES : encodeText(content),
    metadata: {
      index: logIndex(parseNumber(index ?? "0")),
      term: term(1),
      confState: { voters, learners, votersOutgoing: [], learnersNext: [], autoLeave: false },
    },
  };
}
