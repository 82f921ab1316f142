// What a node is started with. validate() is the only place where these values are checked; behind
// it the core works with a ResolvedConfig in which every default is filled in.
import { InvalidConfigError } from "./errors.ts";
import { isLocalTarget } from "./ids.ts";
import type { LogIndex, NodeId, Term } from "./ids.ts";
import { MAX_PROMOTION_ROUNDS, MAX_TIMEOUT_TICKS, NO_LIMIT } from "./limits.ts";
import type { LogStorage } from "./storage.ts";
import type { TraceSink } from "./trace.ts";

/**
 * How reads are confirmed. "safe": one heartbeat round to a quorum per batch of reads. "lease-based":
 * without a round while a quorum answered within the election timeout less `leaseDriftTicks`; relies
 * on bounded clock drift and needs checkQuorum on every node.
 */
export type ReadOnlyOption = "safe" | "lease-based";

/** End of the log that this node once acknowledged as durable; see RaftConfig.recoveryMark. */
export interface RecoveryMark {
  readonly term: Term;
  readonly index: LogIndex;
}

/** Configuration of one node. Optional fields have the default named in their comment. */
export interface RaftConfig {
  /** Own id; not 0 and not a local target. */
  readonly id: NodeId;
  /** Ticks without a leader before an election; > heartbeatTicks. The actual timeout is drawn from
   * [electionTicks, 2*electionTicks-1] at every change of role. */
  readonly electionTicks: number;
  /** Ticks between heartbeats; > 0. Ten times less than electionTicks is a good choice. */
  readonly heartbeatTicks: number;
  /** Read side of the durable log. */
  readonly storage: LogStorage;
  /** Last index the application has applied; entries up to it are not handed out again, and count as
   * committed. Within the stored log. Default 0. */
  readonly applied?: LogIndex;
  /** Storage writes and applies as messages (native mode). Default false: Ready/advance. */
  readonly asyncStorageWrites?: boolean;
  /** Bytes of entries per append message; 0 = one entry per message. Default 1 MiB. */
  readonly maxMessageBytes?: number;
  /** Bytes of committed entries out for apply, over all Readys; 0 = maxMessageBytes. Default 0. */
  readonly maxCommittedBytesPerReady?: number;
  /** Payload bytes in the leader's uncommitted tail; 0 = no limit. Default 0. */
  readonly maxUncommittedBytes?: number;
  /** Append messages in flight per follower; > 0. Default 256. */
  readonly maxInflightMessages?: number;
  /** Payload bytes in flight per follower; 0 = no limit, else >= maxMessageBytes. Default 0. */
  readonly maxInflightBytes?: number;
  /** Leader steps down without a quorum; voters ignore candidates while they hear a leader. Default
   * true. */
  readonly checkQuorum?: boolean;
  /** Ask before raising the term (thesis section 9.6). Default true. */
  readonly preVote?: boolean;
  /** Default "safe". */
  readonly readOnlyOption?: ReadOnlyOption;
  /**
   * Ticks taken off a lease: how much further than ours the clock of a voter may run within one
   * election timeout; < electionTicks. Must be given for "lease-based": there is no safe guess.
   */
  readonly leaseDriftTicks?: number;
  /** Followers drop proposals instead of forwarding them. Default false. */
  readonly disableProposalForwarding?: boolean;
  /** Leader does not check configuration changes when they are proposed. Default false. */
  readonly disableConfChangeValidation?: boolean;
  /** Leader steps down when it is removed or demoted. Default true. */
  readonly stepDownOnRemoval?: boolean;
  /**
   * Leader refuses membership changes after which the group might stand still: those whose voters
   * have no majority it heard of within an election timeout, and those that make a voter of anybody
   * but a caught-up learner. Default true.
   */
  readonly membershipGuard?: boolean;
  /** Consecutive rounds of catch-up, each within an election timeout, after which a learner is fit to
   * vote (thesis section 4.2.1); >= 1. Default 2. */
  readonly promotionRounds?: number;
  /** Asked by the leader for each learner that is fit to vote; true makes it propose to promote the
   * learner. Must not call back into the node. Default: never. */
  readonly autoPromote?: (learner: NodeId) => boolean;
  /** Rank of a node as leader; higher is better. A leader hands over to a better voter that keeps up
   * with it. Every node should answer alike. Default: all alike. */
  readonly leaderPriority?: (id: NodeId) => number;
  /**
   * Ticks for which a leader may have entries to write and its own disk not finish any, before it
   * hands over leadership; the second time it steps down. 0 = never. Default 2 * electionTicks.
   */
  readonly diskStallTicks?: number;
  /** Refused votes carry the voter's commit index, which can free a stranded group (see
   * commit-hint.ts). Default true. */
  readonly commitHints?: boolean;
  /**
   * Set when the intact log ends before what this node once acknowledged. Until the log reaches the
   * mark again the node does not campaign, judges candidates by the mark, and clamps the leader's
   * commit index to its own log.
   */
  readonly recoveryMark?: RecoveryMark;
  /** Draws an integer in [0, bound). The only source of chance. */
  readonly random: (bound: number) => number;
  /** Receives trace events. Must not call back into the node. */
  readonly trace?: TraceSink;
}

/** A validated configuration with every default filled in. */
export type ResolvedConfig = Required<Omit<RaftConfig, Optional>> & {
  readonly [K in Optional]: RaftConfig[K] | undefined;
};

/** Fields without a default. */
type Optional = "trace" | "recoveryMark" | "autoPromote" | "leaderPriority";

const DEFAULT_PROMOTION_ROUNDS = 2;
const DEFAULT_MESSAGE_BYTES = 1024 * 1024;
const DEFAULT_INFLIGHT_MESSAGES = 256;

function integer(field: string, value: number, least: number, most: number): number {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw new InvalidConfigError(field, `an integer from ${least} to ${most}`, value);
  }
  return value;
}

/**
 * Checks a configuration and fills in defaults. Throws InvalidConfigError naming field, limit and
 * value.
 */
export function validate(config: RaftConfig): ResolvedConfig {
  const { id, heartbeatTicks, electionTicks } = config;
  integer("id", id, 1, NO_LIMIT);
  if (isLocalTarget(id)) throw new InvalidConfigError("id", "no local target", id);
  integer("heartbeatTicks", heartbeatTicks, 1, MAX_TIMEOUT_TICKS);
  integer("electionTicks", electionTicks, heartbeatTicks + 1, MAX_TIMEOUT_TICKS);
  const maxMessageBytes = integer(
    "maxMessageBytes",
    config.maxMessageBytes ?? DEFAULT_MESSAGE_BYTES,
    0,
    NO_LIMIT,
  );
  const committed = config.maxCommittedBytesPerReady ?? 0;
  integer("maxCommittedBytesPerReady", committed, 0, NO_LIMIT);
  const uncommitted = config.maxUncommittedBytes ?? 0;
  integer("maxUncommittedBytes", uncommitted, 0, NO_LIMIT);
  const inflightMessages = config.maxInflightMessages ?? DEFAULT_INFLIGHT_MESSAGES;
  integer("maxInflightMessages", inflightMessages, 1, NO_LIMIT);
  const inflightBytes = config.maxInflightBytes ?? 0;
  if (inflightBytes !== 0) integer("maxInflightBytes", inflightBytes, maxMessageBytes, NO_LIMIT);
  const readOnlyOption = config.readOnlyOption ?? "safe";
  const checkQuorum = config.checkQuorum ?? true;
  if (readOnlyOption === "lease-based") {
    if (!checkQuorum) {
      throw new InvalidConfigError("checkQuorum", "true for lease-based reads", checkQuorum);
    }
    if (config.leaseDriftTicks === undefined) {
      throw new InvalidConfigError("leaseDriftTicks", "given for lease-based reads", undefined);
    }
  }
  return {
    id,
    electionTicks,
    heartbeatTicks,
    storage: config.storage,
    applied: integer("applied", config.applied ?? 0, 0, NO_LIMIT) as LogIndex,
    asyncStorageWrites: config.asyncStorageWrites ?? false,
    maxMessageBytes,
    maxCommittedBytesPerReady: Math.max(1, committed === 0 ? maxMessageBytes : committed),
    maxUncommittedBytes: uncommitted === 0 ? NO_LIMIT : uncommitted,
    maxInflightMessages: inflightMessages,
    maxInflightBytes: inflightBytes === 0 ? NO_LIMIT : inflightBytes,
    checkQuorum,
    preVote: config.preVote ?? true,
    readOnlyOption,
    leaseDriftTicks: integer("leaseDriftTicks", config.leaseDriftTicks ?? 0, 0, electionTicks - 1),
    disableProposalForwarding: config.disableProposalForwarding ?? false,
    disableConfChangeValidation: config.disableConfChangeValidation ?? false,
    stepDownOnRemoval: config.stepDownOnRemoval ?? true,
    membershipGuard: config.membershipGuard ?? true,
    promotionRounds: integer(
      "promotionRounds",
      config.promotionRounds ?? DEFAULT_PROMOTION_ROUNDS,
      1,
      MAX_PROMOTION_ROUNDS,
    ),
    autoPromote: config.autoPromote,
    leaderPriority: config.leaderPriority,
    diskStallTicks: integer(
      "diskStallTicks",
      config.diskStallTicks ?? 2 * electionTicks,
      0,
      2 * MAX_TIMEOUT_TICKS,
    ),
    commitHints: config.commitHints ?? true,
    recoveryMark: config.recoveryMark,
    random: config.random,
    trace: config.trace,
  };
}
