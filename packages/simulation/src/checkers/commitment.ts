// Properties of what servers call committed. When an index is first called committed, its entry lies
// durably on a majority (or a majority's marks stand for it), and it is a leader who says so, of an
// entry of its own term that carries the earlier ones along (paper section 5.4.2). From then on nothing else may
// ever be called committed there, nor may a server replace what it called committed itself.

import { Violation } from "../engine/violation.ts";
import type { Place } from "./log-mirror.ts";
import { membersText } from "./members.ts";
import type { ServerView, World } from "./world.ts";

/** A server claims that everything up to `commit` is committed. */
export function checkCommitted(world: World, view: ServerView, commit: number): void {
  if (commit > world.committedIndex) checkRule(view, commit);
  for (let index = view.commit + 1; index <= commit; index += 1) {
    const place = view.handed.at(index);
    if (place === undefined && index > view.handed.baseIndex) {
      throw new Violation(
        "index-order",
        `server ${view.id} calls ${index} committed, its log ends at ${view.handed.lastIndex}`,
      );
    }
    if (index > world.committedIndex && place !== undefined) checkQuorum(world, view, index, place);
    const known = world.committedAt(index);
    if (known !== undefined && place !== undefined) checkSame(view, index, known, place);
    world.noteCommitted(index, place);
  }
}

function checkRule(view: ServerView, commit: number): void {
  const term = view.handed.termAt(commit);
  // A new cluster's first entry is committed by decree. A leader may hear of a later term between its
  // decision and the turn in which we see it.
  if (view.handed.baseIndex >= commit || term === view.ledTerm) return;
  const who = view.ledTerm === 0 ? "which never led" : `which led term ${view.ledTerm} last`;
  throw new Violation(
    "commit-rule",
    `server ${view.id}, ${who}, is the first to call index ${commit} of term ${term} committed`,
  );
}

function checkQuorum(world: World, view: ServerView, index: number, place: Place): void {
  const { ids, isQuorum } = world.holders(view, index, place.term);
  if (isQuorum) return;
  const names = ids.join(", ");
  const members = view.members.map(membersText).join(" or ");
  throw new Violation(
    "committed-on-quorum",
    `index ${index} of term ${place.term} is called committed, but only servers ` +
      `[${names}] of (${members}) hold it durably`,
  );
}

function checkSame(view: ServerView, index: number, known: Place, found: Place): void {
  if (known.term === found.term && known.print === found.print) return;
  throw new Violation(
    "committed-immutable",
    `server ${view.id} calls an entry of term ${found.term} committed at index ${index}, ` +
      `where one of term ${known.term} was committed before`,
  );
}

/** A server replaces its log from `first` on by these entries. */
export function checkNotReplaced(view: ServerView, first: number, places: readonly Place[]): void {
  for (const [at, place] of places.entries()) {
    const index = first + at;
    if (index > view.commit) break;
    const before = view.handed.at(index);
    if (before === undefined || before.term === place.term) continue;
    throw new Violation(
      "committed-immutable",
      `server ${view.id} replaces its committed entry ${index} of term ${before.term} by one of ` +
        `term ${place.term}`,
    );
  }
  const last = first + places.length - 1;
  if (places.length > 0 && last < view.commit && last < view.handed.lastIndex) {
    const kept = view.handed.at(last);
    if (kept !== undefined && kept.term === places.at(-1)?.term) return;
    throw new Violation(
      "committed-immutable",
      `server ${view.id} cuts its log to ${last}, below its commit index ${view.commit}`,
    );
  }
}
