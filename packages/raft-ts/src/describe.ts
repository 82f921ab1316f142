// Human-readable one-line forms of messages, entries, states and Readys, in the notation that the
// published interaction scripts use ("1->2 MsgApp Term:1 Log:1/11 ..."). For transcripts and logs.
import { ConfChangeDecodeError } from "./errors.ts";
import { confChangeOfEntry } from "./confchange/codec.ts";
import { asV2 } from "./confchange/types.ts";
import type { ConfChangeSingle } from "./confchange/types.ts";
import { LOCAL_APPEND_THREAD, LOCAL_APPLY_THREAD, NO_NODE } from "./ids.ts";
import type { NodeId } from "./ids.ts";
import type { Message } from "./messages.ts";
import { quoteBytes } from "./quote.ts";
import type { Ready } from "./ready.ts";
import type {
  ConfState,
  Entry,
  EntryType,
  HardState,
  RaftState,
  ReadState,
  Snapshot,
  SoftState,
} from "./types.ts";
import { isEmptyHardState, isEmptySnapshot } from "./types.ts";

const STATE_NAMES: Readonly<Record<RaftState, string>> = {
  follower: "StateFollower",
  "pre-candidate": "StatePreCandidate",
  candidate: "StateCandidate",
  leader: "StateLeader",
};

const ENTRY_NAMES: Readonly<Record<EntryType, string>> = {
  normal: "EntryNormal",
  "conf-change": "EntryConfChange",
  "conf-change-v2": "EntryConfChangeV2",
};

const CHANGE_LETTERS: Readonly<Record<ConfChangeSingle["type"], string>> = {
  "add-node": "v",
  "add-learner-node": "l",
  "remove-node": "r",
  "update-node": "u",
};

/** "StateLeader". */
export function stateName(state: RaftState): string {
  return STATE_NAMES[state];
}

function target(id: NodeId): string {
  if (id === NO_NODE) return "None";
  if (id === LOCAL_APPEND_THREAD) return "AppendThread";
  if (id === LOCAL_APPLY_THREAD) return "ApplyThread";
  return id.toString(16);
}

/** "Lead:1 State:StateLeader". */
export function describeSoftState(state: SoftState): string {
  return `Lead:${state.lead} State:${stateName(state.state)}`;
}

/** "Term:1 Vote:1 Commit:2"; Vote is left out if there is none. */
export function describeHardState(state: HardState): string {
  const vote = state.vote === NO_NODE ? "" : ` Vote:${state.vote}`;
  return `Term:${state.term}${vote} Commit:${state.commit}`;
}

const list = (ids: readonly NodeId[]): string => `[${ids.join(" ")}]`;

/** "Voters:[1 2] VotersOutgoing:[] Learners:[] LearnersNext:[] AutoLeave:false". */
export function describeConfState(state: ConfState): string {
  return (
    `Voters:${list(state.voters)} VotersOutgoing:${list(state.votersOutgoing)} ` +
    `Learners:${list(state.learners)} LearnersNext:${list(state.learnersNext)} ` +
    `AutoLeave:${state.autoLeave}`
  );
}

/** "Index:4 Term:1 ConfState:...". */
export function describeSnapshot(snapshot: Snapshot): string {
  const { index, term, confState } = snapshot.metadata;
  return `Index:${index} Term:${term} ConfState:${describeConfState(confState)}`;
}

/** "v1 l2 r3". */
export function describeChanges(changes: readonly ConfChangeSingle[]): string {
  return changes.map((c) => `${CHANGE_LETTERS[c.type]}${c.nodeId}`).join(" ");
}

function describePayload(entry: Entry): string {
  if (entry.type === "normal") return quoteBytes(entry.data);
  try {
    const cc = confChangeOfEntry(entry);
    return cc === undefined ? "" : describeChanges(asV2(cc).changes);
  } catch (error) {
    if (error instanceof ConfChangeDecodeError) return error.message;
    throw error;
  }
}

/** `1/12 EntryNormal "foo"` (term/index type payload). */
export function describeEntry(entry: Entry): string {
  const payload = describePayload(entry);
  const text = `${entry.term}/${entry.index} ${ENTRY_NAMES[entry.type]}`;
  return payload === "" ? text : `${text} ${payload}`;
}

/** One line per entry, each ended by a newline. */
export function describeEntries(entries: readonly Entry[]): string {
  return entries.map((e) => `${describeEntry(e)}\n`).join("");
}

/** A message; entries, snapshot and responses go on indented lines of their own if needed. */
export function describeMessage(m: Message, indent = ""): string {
  let text =
    `${indent}${target(m.from)}->${target(m.to)} ${m.type} ` +
    `Term:${m.term} Log:${m.logTerm}/${m.index}`;
  if (m.reject) text += ` Rejected (Hint: ${m.rejectHint})`;
  if (m.commit !== 0) text += ` Commit:${m.commit}`;
  if (m.vote !== 0) text += ` Vote:${m.vote}`;
  const [only] = m.entries;
  if (only !== undefined && m.entries.length === 1) {
    text += ` Entries:[${describeEntry(only)}]`;
  } else if (m.entries.length > 1) {
    text += " Entries:[";
    for (const entry of m.entries) text += `\n${indent}  ${describeEntry(entry)}`;
    text += `\n${indent}]`;
  }
  if (m.snapshot !== undefined && !isEmptySnapshot(m.snapshot)) {
    text += `\n${indent}  Snapshot: ${describeSnapshot(m.snapshot)}`;
  }
  if (m.responses.length > 0) {
    text += " Responses:[";
    for (const response of m.responses) text += `\n${describeMessage(response, `${indent}  `)}`;
    text += `\n${indent}]`;
  }
  return text;
}

/** "[{5 [99 116 120]}]": index and the bytes of the context of each. */
export function describeReadStates(states: readonly ReadState[]): string {
  return `[${states.map((s) => `{${s.index} [${[...s.context].join(" ")}]}`).join(" ")}]`;
}

/** A Ready over several lines, each ended by a newline; "<empty Ready>" if there is nothing. */
export function describeReady(ready: Ready): string {
  let text = "";
  if (ready.softState !== undefined) text += `${describeSoftState(ready.softState)}\n`;
  if (ready.hardState !== undefined && !isEmptyHardState(ready.hardState)) {
    text += `HardState ${describeHardState(ready.hardState)}\n`;
  }
  if (ready.readStates.length > 0) text += `ReadStates ${describeReadStates(ready.readStates)}\n`;
  if (ready.entries.length > 0) text += `Entries:\n${describeEntries(ready.entries)}`;
  if (ready.snapshot !== undefined) text += `Snapshot ${describeSnapshot(ready.snapshot)}\n`;
  if (ready.committedEntries.length > 0) {
    text += `CommittedEntries:\n${describeEntries(ready.committedEntries)}`;
  }
  if (ready.messages.length > 0) {
    text += `Messages:\n${ready.messages.map((m) => `${describeMessage(m)}\n`).join("")}`;
  }
  return text === "" ? "<empty Ready>" : `Ready MustSync=${ready.mustSync}:\n${text}`;
}
