// A voter that refuses its vote tells the candidate what it knows to be committed. Without this a
// group can be stuck for good: a leader commits its own removal, steps down, and the message that
// would have told the others is lost. They still need its vote under the configuration they know, and
// its longer log refuses it; it may not campaign itself. Told the commit index, they apply the change
// and need it no longer. Safe by Log Matching: the entry at (index, term) is the same in both logs,
// and so is everything before it.
import { InvalidMessageError } from "./errors.ts";
import { NO_NODE, logIndex, term as makeTerm } from "./ids.ts";
import { hasUnappliedConfChanges } from "./conf-guard.ts";
import type { Message } from "./messages.ts";
import type { Raft } from "./raft.ts";
import { TOKEN_BYTES, decodeToken, encodeToken } from "./read-only.ts";

/** Context of a refused vote: commit index and its term, 8 bytes each; undefined if unknown. */
export function commitHint(raft: Raft): Uint8Array | undefined {
  const { committed } = raft.log;
  const term = raft.log.termOrZero(committed);
  if (!raft.config.commitHints || committed === 0 || term === 0) return undefined;
  const bytes = new Uint8Array(2 * TOKEN_BYTES);
  bytes.set(encodeToken(committed), 0);
  bytes.set(encodeToken(term), TOKEN_BYTES);
  return bytes;
}

/**
 * Takes the hint in a refused vote. A candidate that learns of a change of members gives up: it must
 * not be elected by the quorum of a configuration that is over.
 */
export function takeCommitHint(raft: Raft, m: Message): void {
  const { context } = m;
  if (!m.reject || context === undefined || !raft.config.commitHints) return;
  if (context.length !== 2 * TOKEN_BYTES) {
    const expected = 2 * TOKEN_BYTES;
    throw new InvalidMessageError(
      `${m.type} context must have ${expected} bytes, got ${context.length}`,
    );
  }
  const index = logIndex(decodeToken(context.subarray(0, TOKEN_BYTES)));
  const term = makeTerm(decodeToken(context.subarray(TOKEN_BYTES)));
  const { log } = raft;
  if (index <= log.committed || index > log.lastIndex() || !log.matches(index, term)) return;
  log.commitTo(index);
  const campaigning = raft.state === "candidate" || raft.state === "pre-candidate";
  if (campaigning && hasUnappliedConfChanges(raft)) raft.becomeFollower(raft.term, NO_NODE);
}
