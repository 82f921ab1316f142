// Taking proposals into the leader's log: checks that may refuse them, each with a reason, and the
// quota of uncommitted bytes. Paper section 5.3; configuration changes thesis section 4.
import { confChangeOfEntry } from "./confchange/codec.ts";
import { asV2 } from "./confchange/types.ts";
import type { ConfChange, ConfChangeV2 } from "./confchange/types.ts";
import { ConfChangeDecodeError, InvalidConfChangeError, RaftInvariantError } from "./errors.ts";
import type { ConfChangeFault } from "./errors.ts";
import type { Term } from "./ids.ts";
import { NO_NODE, logIndex } from "./ids.ts";
import { nextMembership } from "./membership.ts";
import { guardMembership } from "./membership-guard.ts";
import type { Message } from "./messages.ts";
import { isJoint } from "./quorum/joint.ts";
import type { Raft } from "./raft.ts";
import { broadcastAppend } from "./replicate.ts";
import type { DropReason, Entry } from "./types.ts";
import { EMPTY_BYTES, payloadBytes } from "./types.ts";

/** An entry before it has a place in the log. */
type Unplaced = Pick<Entry, "type" | "data">;

/** Reports a dropped proposal and returns its reason. */
export function dropProposal(raft: Raft, reason: DropReason): DropReason {
  raft.trace?.({
    kind: "proposal-dropped",
    id: raft.id,
    reason,
    term: raft.term,
    lead: raft.lead,
    transferee: raft.transferee,
  });
  return reason;
}

/**
 * Leader's handling of MsgProp. Returns the reason if nothing was appended, or if a configuration
 * change was refused: then an empty entry took its place in the log.
 */
export function proposeEntries(raft: Raft, m: Message): DropReason | undefined {
  if (raft.tracker.get(raft.id) === undefined) return dropProposal(raft, "not-a-member");
  if (raft.transferee !== NO_NODE) return dropProposal(raft, "transfer-in-progress");
  let refusal: DropReason | undefined;
  const checked: Unplaced[] = [];
  const pendingBefore = raft.pendingConfIndex;
  for (const entry of m.entries) {
    const cc = decode(entry);
    if (cc === "malformed") {
      raft.pendingConfIndex = pendingBefore;
      return dropProposal(raft, "conf-change-malformed");
    }
    const refused = cc === undefined ? undefined : checkConfChange(raft, cc, checked.length);
    refusal ??= refused;
    checked.push(refused === undefined ? entry : { type: "normal", data: EMPTY_BYTES });
  }
  if (!appendEntries(raft, checked)) {
    raft.pendingConfIndex = pendingBefore;
    return dropProposal(raft, "uncommitted-limit");
  }
  broadcastAppend(raft);
  return refusal;
}

function decode(entry: Entry): ConfChange | undefined | "malformed" {
  try {
    return confChangeOfEntry(entry);
  } catch (error) {
    if (error instanceof ConfChangeDecodeError) return "malformed";
    throw error;
  }
}

/**
 * Only one configuration change may be in the log unapplied, and its kind must fit the configuration
 * in force. Returns the reason for a refusal, else reserves the entry's position.
 */
function checkConfChange(raft: Raft, cc: ConfChange, offset: number): DropReason | undefined {
  const reason = confChangeRefusal(raft, asV2(cc));
  if (reason === undefined || raft.config.disableConfChangeValidation) {
    raft.pendingConfIndex = logIndex(raft.log.lastIndex() + offset + 1);
    return undefined;
  }
  raft.trace?.({
    kind: "conf-change-ignored",
    id: raft.id,
    reason,
    change: cc,
    config: raft.tracker.confState(),
    pendingIndex: raft.pendingConfIndex,
    applied: raft.log.applied,
  });
  return reason;
}

/**
 * Why the leader would refuse a change now; undefined if it would take it. It is tried on the
 * configuration in force, and the verdict holds: no other change can come between now and its
 * application.
 */
export function confChangeRefusal(raft: Raft, cc: ConfChangeV2): DropReason | undefined {
  const { tracker } = raft;
  const joint = isJoint(tracker.config.voters);
  const leaving = cc.changes.length === 0;
  if (raft.pendingConfIndex > raft.log.applied) return "conf-change-pending";
  if (cc.expectedConfigId !== undefined && cc.expectedConfigId !== tracker.configId) {
    return "conf-change-stale";
  }
  if (joint && !leaving) return "conf-change-in-joint";
  if (!joint && leaving) return "conf-change-not-joint";
  try {
    return guardMembership(raft, cc, nextMembership(raft, cc));
  } catch (error) {
    if (error instanceof InvalidConfChangeError) return FAULT_REASONS[error.fault];
    throw error;
  }
}

const FAULT_REASONS: Readonly<Record<ConfChangeFault, DropReason>> = {
  "already-joint": "conf-change-in-joint",
  "not-joint": "conf-change-not-joint",
  "no-voters": "conf-change-no-voters",
  "several-voters": "conf-change-needs-joint",
  "too-large": "conf-change-invalid",
};

/**
 * Appends entries to the leader's log in its term; false if the byte quota refuses them. The own
 * acknowledgement is queued like a follower's: it counts once the entries are durable.
 */
export function appendEntries(raft: Raft, entries: readonly Unplaced[]): boolean {
  const first = raft.log.lastIndex() + 1;
  const term: Term = raft.term;
  const placed = entries.map(({ type, data }, i): Entry => {
    return { term, index: logIndex(first + i), type, data };
  });
  if (!takeQuota(raft, placed)) return false;
  const index = raft.log.append(placed);
  raft.send({ type: "MsgAppResp", to: raft.id, index });
  return true;
}

/**
 * Empty payloads are never refused (a new leader's first entry, leaving a joint configuration), and
 * one proposal of any size is taken when nothing else is pending.
 */
function takeQuota(raft: Raft, entries: readonly Entry[]): boolean {
  const bytes = payloadBytes(entries);
  const total = raft.uncommittedBytes + bytes;
  if (raft.uncommittedBytes > 0 && bytes > 0 && total > raft.config.maxUncommittedBytes) {
    return false;
  }
  raft.uncommittedBytes = total;
  return true;
}

/** Gives back the quota of entries that were applied. */
export function releaseQuota(raft: Raft, entries: readonly Entry[]): void {
  raft.uncommittedBytes = Math.max(0, raft.uncommittedBytes - payloadBytes(entries));
}

/** Guards against a proposal without entries, which only a bug produces. */
export function assertProposal(m: Message): void {
  if (m.entries.length === 0) throw new RaftInvariantError("proposal without entries");
}
