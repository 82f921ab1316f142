// Renders trace events as log lines in the wording that the published interaction scripts use, so
// that transcripts can be compared line by line. Node ids are hexadecimal, everything else decimal.
import { asV2 } from "./confchange/types.ts";
import type { ConfChange, ConfChangeTransition, ConfChangeType } from "./confchange/types.ts";
import type { NodeId } from "./ids.ts";
import { describeConfState, stateName } from "./describe.ts";
import { formatMajority } from "./quorum/majority.ts";
import { formatJoint } from "./quorum/joint.ts";
import type {
  ElectionEvent,
  LogEvent,
  Position,
  ReplicationEvent,
  RequestEvent,
  TraceEvent,
  TraceEventOf,
  TraceKind,
  VoteView,
} from "./trace.ts";
import type { ConfState, DropReason } from "./types.ts";

/** Severity of a rendered event. */
export type TraceLevel = "debug" | "info" | "warn" | "error";

/** A rendered event. */
export interface TraceLine {
  readonly level: TraceLevel;
  readonly text: string;
}

type EventOf<K extends TraceKind> = TraceEventOf<K>;
type Renderers = {
  readonly [K in TraceKind]: (event: EventOf<K>) => TraceLine | undefined;
};

const x = (id: NodeId): string => id.toString(16);
const line =
  (level: TraceLevel) =>
  (text: string): TraceLine => ({ level, text });
const debug = line("debug");
const info = line("info");
const warn = line("warn");
const error = line("error");

const at = (p: Position): string => `[index: ${p.index}, term: ${p.term}]`;

function config(state: ConfState): string {
  let text = `voters=${formatJoint({ incoming: state.voters, outgoing: state.votersOutgoing })}`;
  if (state.learners.length > 0) text += ` learners=${formatMajority(state.learners)}`;
  if (state.learnersNext.length > 0) text += ` learners_next=${formatMajority(state.learnersNext)}`;
  return state.autoLeave ? `${text} autoleave` : text;
}

function voter(e: VoteView): string {
  return `${x(e.id)} [logterm: ${e.lastTerm}, index: ${e.lastIndex}, vote: ${x(e.vote)}]`;
}

function candidate(e: VoteView): string {
  const { term, index } = e.candidate;
  return `${x(e.from)} [logterm: ${term}, index: ${index}] at term ${e.term}`;
}

const CHANGE_NAMES: Readonly<Record<ConfChangeType, string>> = {
  "add-node": "ConfChangeAddNode",
  "remove-node": "ConfChangeRemoveNode",
  "update-node": "ConfChangeUpdateNode",
  "add-learner-node": "ConfChangeAddLearnerNode",
};
const TRANSITION_NAMES: Readonly<Record<ConfChangeTransition, string>> = {
  auto: "ConfChangeTransitionAuto",
  "joint-implicit": "ConfChangeTransitionJointImplicit",
  "joint-explicit": "ConfChangeTransitionJointExplicit",
};

function change(cc: ConfChange): string {
  if (cc.version === 1) return `type:${CHANGE_NAMES[cc.type]} node_id:${cc.nodeId}`;
  const changes = asV2(cc).changes.map(
    (c) => ` changes:{type:${CHANGE_NAMES[c.type]} node_id:${c.nodeId}}`,
  );
  return `transition:${TRANSITION_NAMES[cc.transition]}${changes.join("")}`;
}

function confChangeFault(e: EventOf<"conf-change-ignored">): string {
  if (e.reason === "conf-change-pending") {
    return `possible unapplied conf change at index ${e.pendingIndex} (applied to ${e.applied})`;
  }
  return FAULTS[e.reason] ?? "not applicable";
}

const FAULTS: { readonly [R in DropReason]?: string } = {
  "conf-change-in-joint": "must transition out of joint config first",
  "conf-change-not-joint": "not in joint state; refusing empty conf change",
  "conf-change-stale": "it is meant for another configuration",
  "conf-change-no-voters": "no voter would be left",
  "conf-change-needs-joint": "several voters change only by way of a joint configuration",
  "conf-change-loses-quorum": "no majority of its voters was heard of lately",
  "conf-change-voter-behind": "a new voter is not a caught-up learner",
};

const DROPPED: {
  readonly [R in DropReason]?: (e: EventOf<"proposal-dropped">) => TraceLine;
} = {
  "no-leader": (e) => info(`${x(e.id)} no leader at term ${e.term}; dropping proposal`),
  "forwarding-disabled": (e) =>
    info(`${x(e.id)} not forwarding to leader ${x(e.lead)} at term ${e.term}; dropping proposal`),
  "transfer-in-progress": (e) =>
    debug(
      `${x(e.id)} [term ${e.term}] transfer leadership to ${x(e.transferee)} is in progress; ` +
        "dropping proposal",
    ),
  "uncommitted-limit": (e) =>
    warn(
      `${x(e.id)} appending new entries to log would exceed uncommitted entry size limit; ` +
        "dropping proposal",
    ),
};

function dropped(e: EventOf<"proposal-dropped">): TraceLine | undefined {
  return DROPPED[e.reason]?.(e);
}

const ELECTION: Pick<Renderers, ElectionEvent["kind"]> = {
  started: (e) =>
    info(
      `newRaft ${x(e.id)} [peers: [${e.voters.map(x).join(",")}], term: ${e.term}, ` +
        `commit: ${e.commit}, applied: ${e.applied}, lastindex: ${e.lastIndex}, ` +
        `lastterm: ${e.lastTerm}]`,
    ),
  became: (e) => info(`${x(e.id)} became ${e.state} at term ${e.term}`),
  "election-started": (e) => info(`${x(e.id)} is starting a new election at term ${e.term}`),
  "election-unpromotable": (e) => warn(`${x(e.id)} is unpromotable and can not campaign`),
  "election-conf-pending": (e) =>
    warn(
      `${x(e.id)} cannot campaign at term ${e.term} since there are still pending ` +
        "configuration changes to apply",
    ),
  "election-already-leader": (e) => debug(`${x(e.id)} ignoring MsgHup because already leader`),
  "vote-requested": (e) =>
    info(
      `${x(e.id)} [logterm: ${e.lastTerm}, index: ${e.lastIndex}] sent ${e.request} request ` +
        `to ${x(e.to)} at term ${e.term}`,
    ),
  "vote-answered": (e) =>
    info(
      `${x(e.id)} received ${e.answer}${e.granted ? "" : " rejection"} from ${x(e.from)} ` +
        `at term ${e.term}`,
    ),
  "votes-counted": (e) =>
    info(
      `${x(e.id)} has received ${e.granted} ${e.answer} votes and ` +
        `${e.rejected} vote rejections`,
    ),
  "vote-decided": (e) =>
    info(
      `${voter(e)} ${e.granted ? "cast" : "rejected"} ${e.request} ` +
        `${e.granted ? "for" : "from"} ${candidate(e)}`,
    ),
  "vote-ignored-in-lease": (e) =>
    info(
      `${voter(e)} ignored ${e.request} from ${candidate(e)}: lease is not expired ` +
        `(remaining ticks: ${e.remainingTicks})`,
    ),
  "higher-term": (e) =>
    info(
      `${x(e.id)} [term: ${e.term}] received a ${e.type} message with higher term from ` +
        `${x(e.from)} [term: ${e.messageTerm}]`,
    ),
  "lower-term-ignored": (e) =>
    info(
      `${x(e.id)} [term: ${e.term}] ignored a ${e.type} message with lower term from ` +
        `${x(e.from)} [term: ${e.messageTerm}]`,
    ),
  "stale-append-done": (e) =>
    info(
      `${x(e.id)} [term: ${e.term}] ignored entry appends from a ${e.type} message with ` +
        `lower term [term: ${e.messageTerm}]`,
    ),
  "quorum-lost": (e) => warn(`${x(e.id)} stepped down to follower since quorum is not active`),
  "leader-forgotten": (e) => info(`${x(e.id)} forgetting leader ${x(e.lead)} at term ${e.term}`),
  "forget-refused-lease": () => error("ignoring MsgForgetLeader due to ReadOnlyLeaseBased"),
  "timeout-now": (e) =>
    e.state === "follower"
      ? info(
          `${x(e.id)} [term ${e.term}] received MsgTimeoutNow from ${x(e.from)} and starts an ` +
            "election to get leadership.",
        )
      : debug(
          `${x(e.id)} [term ${e.term} state ${stateName(e.state)}] ignored MsgTimeoutNow ` +
            `from ${x(e.from)}`,
        ),
};

const peer = (e: { readonly peer: NodeId; readonly progress: string }): string =>
  `${x(e.peer)} [${e.progress}]`;

const REPLICATION: Pick<Renderers, ReplicationEvent["kind"]> = {
  "append-rejected": (e) =>
    debug(
      `${x(e.id)} [logterm: ${e.ownTerm}, index: ${e.index}] rejected MsgApp ` +
        `[logterm: ${e.term}, index: ${e.index}] from ${x(e.from)}`,
    ),
  "rejection-received": (e) =>
    debug(
      `${x(e.id)} received MsgAppResp(rejected, hint: (index ${e.hint.index}, ` +
        `term ${e.hint.term})) from ${x(e.from)} for index ${e.index}`,
    ),
  "progress-decreased": (e) =>
    debug(`${x(e.id)} decreased progress of ${x(e.peer)} to [${e.progress}]`),
  "replication-paused": (e) =>
    debug(`${x(e.id)} paused sending replication messages to ${peer(e)}`),
  "snapshot-recovered": (e) =>
    debug(
      `${x(e.id)} recovered from needing snapshot, resumed sending replication messages ` +
        `to ${peer(e)}`,
    ),
  "snapshot-succeeded": (e) =>
    debug(`${x(e.id)} snapshot succeeded, resumed sending replication messages to ${peer(e)}`),
  "snapshot-failed": (e) =>
    debug(`${x(e.id)} snapshot failed, resumed sending replication messages to ${peer(e)}`),
  "peer-unreachable": (e) =>
    debug(
      `${x(e.id)} failed to send message to ${x(e.peer)} because it is unreachable ` +
        `[${e.progress}]`,
    ),
  "learner-caught-up": (e) =>
    info(
      `${x(e.id)} learner ${x(e.peer)} keeps up after ${e.rounds} rounds, ` +
        `the last of ${e.lastRoundTicks} ticks`,
    ),
  "peer-restarted": (e) => info(`${x(e.id)} reset progress of restarted ${peer(e)}`),
  "snapshot-sent": (e) =>
    debug(
      `${x(e.id)} [firstindex: ${e.firstIndex}, commit: ${e.commit}] sent ` +
        `snapshot${at(e.snapshot)} to ${peer(e)}`,
    ),
  "snapshot-peer-inactive": (e) =>
    debug(`ignore sending snapshot to ${x(e.peer)} since it is not recently active`),
  "snapshot-unavailable": (e) =>
    debug(
      `${x(e.id)} failed to send snapshot to ${x(e.peer)} because snapshot is ` +
        "temporarily unavailable",
    ),
  "no-progress": (e) => debug(`${x(e.id)} no progress available for ${x(e.peer)}`),
};

const LOG: Pick<Renderers, LogEvent["kind"]> = {
  "conflict-found": (e) =>
    info(
      `found conflict at index ${e.index} [existing term: ${e.existing}, ` +
        `conflicting term: ${e.conflicting}]`,
    ),
  "unstable-replaced": (e) => info(`replace the unstable entries from index ${e.index}`),
  "unstable-truncated": (e) => info(`truncate the unstable entries before index ${e.index}`),
  "stable-missing": (e) => info(`entry at index ${e.index} missing from unstable log; ignoring`),
  "stable-is-snapshot": (e) =>
    info(`entry at index ${e.index} matched unstable snapshot; ignoring`),
  "stable-mismatch": (e) =>
    info(
      `entry at (index,term)=(${e.index},${e.term}) mismatched with entry at ` +
        `(${e.index},${e.unstableTerm}) in unstable log; ignoring`,
    ),
  "restore-started": (e) =>
    info(
      `log [committed=${e.committed}, applied=${e.applied}, applying=${e.applying}, ` +
        `unstable.offset=${e.offset}, unstable.offsetInProgress=${e.offsetInProgress}, ` +
        `len(unstable.Entries)=${e.unstableEntries}] starts to restore snapshot ${at(e.snapshot)}`,
    ),
  "restore-done": (e) =>
    info(
      `${x(e.id)} [commit: ${e.commit}, lastindex: ${e.lastIndex}, lastterm: ${e.lastTerm}] ` +
        `restored snapshot ${at(e.snapshot)}`,
    ),
  "restore-fast-forwarded": (e) =>
    info(
      `${x(e.id)} [commit: ${e.commit}, lastindex: ${e.lastIndex}, lastterm: ${e.lastTerm}] ` +
        `fast-forwarded commit to snapshot ${at(e.snapshot)}`,
    ),
  "snapshot-handled": (e) =>
    info(
      `${x(e.id)} [commit: ${e.commit}] ${e.restored ? "restored" : "ignored"} snapshot ` +
        at(e.snapshot),
    ),
  "restore-refused-not-follower": (e) =>
    warn(`${x(e.id)} attempted to restore snapshot as leader; should never happen`),
  "restore-refused-not-member": (e) =>
    warn(
      `${x(e.id)} attempted to restore snapshot but it is not in the ConfState ` +
        `${describeConfState(e.confState)}; should never happen`,
    ),
  recovered: (e) => info(`${x(e.id)} caught up with its durable mark ${at(e.mark)}`),
};

const REQUESTS: Pick<Renderers, RequestEvent["kind"]> = {
  "proposal-dropped": dropped,
  "conf-change-ignored": (e) =>
    info(
      `${x(e.id)} ignoring conf change ${change(e.change)} at config ${config(e.config)}: ` +
        confChangeFault(e),
    ),
  "learner-promoted": (e) =>
    e.dropped === undefined
      ? info(`${x(e.id)} proposed to promote learner ${x(e.peer)}`)
      : debug(`${x(e.id)} could not propose to promote learner ${x(e.peer)}: ${e.dropped}`),
  "leader-disk-stalled": (e) =>
    warn(
      `${x(e.id)} wrote nothing of its log beyond ${e.match} of ${e.lastIndex} for too long; ` +
        (e.steppingDown ? "stepping down" : `handing over to ${x(e.successor)}`),
    ),
  "leader-preferred": (e) => info(`${x(e.id)} hands over to preferred leader ${x(e.preferred)}`),
  "config-switched": (e) => info(`${x(e.id)} switched to configuration ${config(e.config)}`),
  "auto-leave": (e) =>
    e.dropped === undefined
      ? info(`initiating automatic transition out of joint configuration ${config(e.config)}`)
      : debug(
          `not initiating automatic transition out of joint configuration ${config(e.config)}: ` +
            "raft proposal dropped",
        ),
  "transfer-to-learner": (e) => debug(`${x(e.id)} is learner. Ignored transferring leadership`),
  "transfer-to-self": (e) =>
    debug(`${x(e.id)} is already leader. Ignored transferring leadership to self`),
  "transfer-already-running": (e) =>
    info(
      `${x(e.id)} [term ${e.term}] transfer leadership to ${x(e.transferee)} is in progress, ` +
        `ignores request to same node ${x(e.transferee)}`,
    ),
  "transfer-superseded": (e) =>
    info(
      `${x(e.id)} [term ${e.term}] abort previous transferring leadership to ${x(e.transferee)}`,
    ),
  "transfer-started": (e) =>
    info(`${x(e.id)} [term ${e.term}] starts to transfer leadership to ${x(e.transferee)}`),
  "transfer-immediate": (e) =>
    info(
      `${x(e.id)} sends MsgTimeoutNow to ${x(e.transferee)} immediately as ` +
        `${x(e.transferee)} already has up-to-date log`,
    ),
  "transfer-caught-up": (e) =>
    info(`${x(e.id)} sent MsgTimeoutNow to ${x(e.transferee)} after received MsgAppResp`),
  "transfer-no-leader": (e) =>
    info(`${x(e.id)} no leader at term ${e.term}; dropping leader transfer msg`),
  "read-no-leader": (e) =>
    info(`${x(e.id)} no leader at term ${e.term}; dropping index reading msg`),
  "read-answer-malformed": (e) =>
    error(
      `${x(e.id)} invalid format of MsgReadIndexResp from ${x(e.from)}, ` +
        `entries count: ${e.entries}`,
    ),
};

const RENDERERS: Renderers = { ...ELECTION, ...REPLICATION, ...LOG, ...REQUESTS };

/** Renders one event as a log line; undefined for the few that have none in the scripts. */
export function renderTrace(event: TraceEvent): TraceLine | undefined {
  const render = RENDERERS[event.kind] as (event: TraceEvent) => TraceLine | undefined;
  return render(event);
}
