// What a server acknowledged as durable is there after a restart: term, vote and every log entry that
// no write under way was about to replace. After damage the server may have less, but then it must
// know it and call itself recovering.

import { Violation } from "../engine/violation.ts";
import type { LogMirror } from "./log-mirror.ts";
import type { ServerView } from "./world.ts";

/** What a server found on its disk when it started. */
export interface Found {
  readonly term: number;
  readonly vote: number;
  readonly log: LogMirror;
  readonly recovering: boolean;
}

function lost(id: number, what: string): Violation {
  return new Violation("storage-persistence", `server ${id} restarted ${what}`);
}

/** Compares what was found with what had been acknowledged. */
export function checkPersistence(view: ServerView, found: Found): void {
  const { id, durableTerm, durableVote } = view;
  if (found.term < durableTerm) {
    throw lost(id, `in term ${found.term} after it acknowledged term ${durableTerm}`);
  }
  if (found.term === durableTerm && durableVote !== 0 && found.vote !== durableVote) {
    throw lost(id, `with vote ${found.vote} in term ${durableTerm}, it had voted ${durableVote}`);
  }
  if (found.recovering) {
    if (!view.damaged && view.marked === undefined) throw lost(id, "recovering without damage");
    return;
  }
  if (view.underWay.some((write) => write.snapshot.index > 0)) return;
  let cut = Infinity;
  for (const write of view.underWay) if (write.places.length > 0) cut = Math.min(cut, write.first);
  const acknowledged = view.durable;
  const first = Math.max(acknowledged.baseIndex, found.log.baseIndex);
  for (let index = first; index <= acknowledged.lastIndex && index < cut; index += 1) {
    const before = acknowledged.termAt(index);
    const now = found.log.termAt(index);
    if (before === now) continue;
    const text = now === undefined ? `the log ends at ${found.log.lastIndex}` : `term ${now}`;
    throw lost(id, `without entry ${index} of term ${before} that it acknowledged: ${text}`);
  }
}
