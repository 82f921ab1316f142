// Where the simulated servers report what they do. The recorder keeps the observer's world up to date
// and asks each checker at the moment its property could break. It sits outside the code under test:
// it sees writes handed to the disk, acknowledgements, roles, progress and results, nothing inside.

import type { BasicStatus, ConfChange, ConfState, Entry, Message } from "raft-ts";
import { checkCommitted, checkNotReplaced } from "./commitment.ts";
import { ElectionSafety } from "./election-safety.ts";
import { ExactlyOnce } from "./exactly-once.ts";
import { checkLeaderCompleteness } from "./leader-completeness.ts";
import { LogMatching } from "./log-matching.ts";
import { LogMirror, placeOf } from "./log-mirror.ts";
import { membersOf } from "./members.ts";
import { checkPersistence } from "./persistence.ts";
import { checkProgress } from "./progress.ts";
import { checkReadIndex } from "./read-index.ts";
import { StateMachineSafety } from "./state-machine-safety.ts";
import { World } from "./world.ts";
import type { ServerView, WriteUnderWay } from "./world.ts";

/** What a server found when it started. */
export interface StartReport {
  readonly status: BasicStatus;
  readonly base: { readonly index: number; readonly term: number };
  readonly entries: readonly Entry[];
  /** Storage says that the log is below its mark. */
  readonly recovering: boolean;
  readonly rowsPrint: number;
  /** Members as of the applied index. */
  readonly members: ConfState;
}

/** All checkers of one cluster. */
export class Recorder {
  readonly world: World;
  readonly elections: ElectionSafety = new ElectionSafety();
  readonly requests: ExactlyOnce = new ExactlyOnce();
  /** Snapshots that servers installed. */
  snapshots = 0;
  readonly #matching = new LogMatching();
  readonly #states = new StateMachineSafety();

  constructor(ids: readonly number[], initial: readonly number[]) {
    this.world = new World(ids, initial);
  }

  /** A server runs (again), with this on its disk. */
  started(id: number, report: StartReport): void {
    const view = this.world.view(id);
    const { status, base, entries, recovering } = report;
    const log = new LogMirror();
    log.reset(base.index, base.term);
    log.write(base.index + 1, entries.map(placeOf));
    checkPersistence(view, { term: status.term, vote: status.vote, log, recovering });
    this.#checkMatching(id, log, base.index + 1, entries);
    if (recovering) view.marked ??= view.durable;
    else view.marked = undefined;
    copy(log, view.handed);
    view.durable = log;
    view.underWay = [];
    view.durableTerm = status.term;
    view.durableVote = status.vote;
    view.damaged = false;
    view.up = true;
    view.life += 1;
    view.ledTerm = 0;
    view.state = status.state;
    // What is durable was committed before: find out whether it still is what was committed.
    view.commit = Math.min(base.index, status.commit);
    // A term that was never durable may be gone; persistence.ts checks the durable one.
    view.term = status.term;
    this.#configured(view, status.applied, report.members);
    checkCommitted(this.world, view, status.commit);
    view.commit = status.commit;
    view.applied = status.applied;
    this.#states.applied(id, status.applied, -1, report.rowsPrint);
  }

  /** A server is gone; `damaged`: part of its durable log went with it. */
  stopped(id: number): void {
    this.world.view(id).up = false;
  }

  /** Durable batches of a stopped server were taken away. */
  damaged(id: number): void {
    this.world.view(id).damaged = true;
  }

  /** A server hands a write to its disk. Returns what to give to `durable`. */
  handed(id: number, message: Message): WriteUnderWay {
    const view = this.world.view(id);
    const { entries, snapshot } = message;
    const places = entries.map(placeOf);
    const metadata = snapshot?.metadata ?? { index: 0, term: 0 };
    if (metadata.index > 0) view.handed.reset(metadata.index, metadata.term);
    const first = entries[0]?.index ?? 0;
    if (first > 0) {
      checkNotReplaced(view, first, places);
      view.handed.write(first, places);
      this.#checkMatching(id, view.handed, first, entries);
    }
    const write: WriteUnderWay = {
      term: message.term,
      vote: message.vote,
      first,
      places,
      snapshot: { index: metadata.index, term: metadata.term },
    };
    view.underWay.push(write);
    return write;
  }

  /** The disk acknowledged a write, and those before it. */
  durable(id: number, write: WriteUnderWay): void {
    const view = this.world.view(id);
    const count = view.underWay.indexOf(write) + 1;
    for (const done of view.underWay.splice(0, count)) {
      if (done.snapshot.index > 0) view.durable.reset(done.snapshot.index, done.snapshot.term);
      if (done.places.length > 0) view.durable.write(done.first, done.places);
      if (done.term === 0) continue;
      view.durableTerm = done.term;
      view.durableVote = done.vote;
    }
  }

  /** A server has dealt with everything that was there to do; `firstIndex` of its log. */
  settled(id: number, status: BasicStatus, firstIndex: number): void {
    const view = this.world.view(id);
    if (!status.recovering) view.marked = undefined;
    checkProgress(view, status, firstIndex);
    view.term = status.term;
    const wasLeader = view.state === "leader";
    view.state = status.state;
    if (status.state === "leader") view.ledTerm = status.term;
    if (status.commit > view.commit) {
      checkCommitted(this.world, view, status.commit);
      view.commit = status.commit;
    }
    view.members = view.members.slice(-1);
    view.applied = status.applied;
    if (status.state === "leader" && !wasLeader) {
      this.elections.leads(id, view.life, status.term);
      checkLeaderCompleteness(this.world, view);
      this.world.onLeader?.(id);
    }
  }

  /** A server applied an entry; `effect`: the request that took effect by it. */
  applied(id: number, entry: Entry, rowsPrint: number, effect: string | undefined): void {
    this.#states.applied(id, entry.index, placeOf(entry).print, rowsPrint);
    if (effect !== undefined) this.requests.tookEffect(effect, entry.index);
  }

  /** A server put a change of members into force. */
  reconfigured(id: number, index: number, change: ConfChange, said: ConfState): void {
    const view = this.world.view(id);
    this.world.memberHistory.changed(id, index, change, membersOf(said));
    view.members = [...view.members, membersOf(said)];
  }

  #configured(view: ServerView, index: number, said: ConfState): void {
    this.world.memberHistory.check(view.id, index, membersOf(said));
    view.members = [membersOf(said)];
  }

  /** A server takes a read. Returns what to give to `readConfirmed`. */
  readCalled(): number {
    return this.world.committedIndex;
  }

  /** A server is told that it may answer a read once it has applied `index`. */
  readConfirmed(id: number, index: number, called: number): void {
    checkReadIndex(id, index, called);
  }

  /** A snapshot replaced a server's state. */
  installed(id: number, index: number, rowsPrint: number, members: ConfState): void {
    this.snapshots += 1;
    this.#configured(this.world.view(id), index, members);
    this.#states.applied(id, index, -1, rowsPrint);
  }

  #checkMatching(id: number, log: LogMirror, first: number, entries: readonly Entry[]): void {
    for (const [at, entry] of entries.entries()) {
      const previous = log.termAt(first + at - 1);
      if (previous !== undefined) this.#matching.holds(id, entry.index, placeOf(entry), previous);
    }
  }
}

function copy(from: LogMirror, to: LogMirror): void {
  to.reset(from.baseIndex, from.termAt(from.baseIndex) ?? 0);
  const places = [];
  for (let index = from.baseIndex + 1; index <= from.lastIndex; index += 1) {
    const place = from.at(index);
    if (place !== undefined) places.push(place);
  }
  to.write(from.baseIndex + 1, places);
}

/** Is this server, in the observer's eyes, able to help a majority to recover? */
export function isIntact(view: ServerView): boolean {
  return !view.damaged && view.marked === undefined;
}
