// What an all-seeing observer knows of a cluster: for each server the log it has handed to its disk,
// the log whose durability was acknowledged, term, vote and progress; for the cluster the sequence of
// committed entries as the servers claimed them. Kept by the recorder, read by the checkers.

import type { RaftState } from "raft-ts";
import { LogMirror } from "./log-mirror.ts";
import { MemberHistory, NO_MEMBERS, everybody, isQuorum } from "./members.ts";
import type { Members } from "./members.ts";
import type { Place } from "./log-mirror.ts";

/** A write handed to the disk and not yet acknowledged. */
export interface WriteUnderWay {
  readonly term: number;
  readonly vote: number;
  readonly first: number;
  readonly places: readonly Place[];
  /** Position of a snapshot in the write; index 0: none. */
  readonly snapshot: { readonly index: number; readonly term: number };
}

/** One server as the observer sees it. */
export interface ServerView {
  readonly id: number;
  up: boolean;
  /** Starts so far. */
  life: number;
  /** The log handed to the disk in this life. */
  readonly handed: LogMirror;
  /** The log acknowledged as durable, over all lives. */
  durable: LogMirror;
  /** While the server recovers from damage: what it once acknowledged, as its mark says. */
  marked: LogMirror | undefined;
  underWay: WriteUnderWay[];
  /** Durable term and vote, as acknowledged. */
  durableTerm: number;
  durableVote: number;
  term: number;
  commit: number;
  applied: number;
  state: RaftState;
  /** The last term it led in this life; 0: none. */
  ledTerm: number;
  /** Durable batches were taken away since the last start. */
  damaged: boolean;
  /** Configurations in force since its last finished turn; the newest last. */
  members: readonly Members[];
}

/** Everything known. */
export class World {
  readonly servers: readonly ServerView[];
  readonly memberHistory: MemberHistory;
  /** Called once with the next server that begins to lead; for faults that wait for it. */
  onLeader: ((id: number) => void) | undefined;
  /** Committed entries; position 0 is index 1. Undefined where only a snapshot told of it. */
  readonly #committed: (Place | undefined)[] = [];

  /** `initial`: the members that the cluster begins with. */
  constructor(ids: readonly number[], initial: readonly number[]) {
    this.memberHistory = new MemberHistory(initial);
    this.servers = ids.map((id) => ({
      id,
      up: false,
      life: 0,
      handed: new LogMirror(),
      durable: new LogMirror(),
      marked: undefined,
      underWay: [],
      durableTerm: 0,
      durableVote: 0,
      term: 0,
      commit: 0,
      applied: 0,
      state: "follower",
      ledTerm: 0,
      damaged: false,
      members: [NO_MEMBERS],
    }));
  }

  /** The view of one server. */
  view(id: number): ServerView {
    const view = this.servers[id - 1];
    if (view === undefined) throw new Error(`no server ${id}`);
    return view;
  }

  /** Highest index that any server ever claimed to be committed. */
  get committedIndex(): number {
    return this.#committed.length;
  }

  /** The committed entry at an index, when known. */
  committedAt(index: number): Place | undefined {
    return this.#committed[index - 1];
  }

  /** Notes a committed entry; `place` undefined when it lies behind a snapshot. */
  noteCommitted(index: number, place: Place | undefined): void {
    this.#committed[index - 1] ??= place;
    if (index > this.#committed.length) this.#committed.length = index;
  }

  /** Who holds this entry durably, and is that a quorum in the eyes of `view`? */
  holders(view: ServerView, index: number, term: number): { ids: number[]; isQuorum: boolean } {
    const has = (id: number): boolean => this.holds(this.view(id), index, term);
    const ids = [...new Set(view.members.flatMap(everybody))].filter(has);
    return { ids, isQuorum: view.members.some((members) => isQuorum(members, has)) };
  }

  /** Does the server hold this entry durably, or a mark that stands for it? */
  holds(view: ServerView, index: number, term: number): boolean {
    return has(view.durable, index, term) || has(view.marked, index, term);
  }
}

function has(log: LogMirror | undefined, index: number, term: number): boolean {
  if (log === undefined) return false;
  // Only committed entries lie behind a base.
  return index < log.baseIndex || log.termAt(index) === term;
}
