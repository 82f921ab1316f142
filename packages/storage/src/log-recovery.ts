// Opening the log. LevelDB's recovery is not believed: every entry's checksum and chain is verified
// from the base on, and the result is compared with the mark. Three outcomes: intact; recovering (the
// intact part is kept, the rest is dropped and reported, and the node may not campaign until its log
// reaches the mark again); or refused, when term and vote cannot be known or log and mark contradict.

import { equalBytes } from "@kingly/base";
import type { BatchOperation, KeyValueStore } from "./disk.ts";
import { decodeEntry, followsChain } from "./codec.ts";
import { corrupted } from "./errors.ts";
import type { HardNumbers } from "./group-writer.ts";
import { logKeyIndex, logRange } from "./keys.ts";
import { MARK_LAG_MAX } from "./limits.ts";
import type { HardRow } from "./log-rows.ts";
import type { LogWindow } from "./log-window.ts";
import type { Mark, MarkReading, Tail } from "./mark-file.ts";

/** Why and where a log is below its mark. */
export interface RecoveryInfo {
  readonly markTerm: number;
  readonly markIndex: number;
  readonly logTerm: number;
  readonly logIndex: number;
  readonly reason: string;
  /** Entries found behind the intact part and dropped. */
  readonly droppedEntries: number;
}

/** What a scan of the log found. */
export interface LogScan {
  /** Entries behind the intact part, or undefined when everything is intact. */
  readonly damage: { readonly index: number; readonly problem: string } | undefined;
  /** Keys at or below the base, and behind the intact part. */
  readonly garbage: readonly BatchOperation[];
  readonly droppedEntries: number;
}

/** Order of log ends as Raft votes by it: term first, then index. */
export function compareTails(
  a: { readonly term: number; readonly index: number },
  b: { readonly term: number; readonly index: number },
): number {
  return a.term === b.term ? a.index - b.index : a.term - b.term;
}

/** Fills the window from its base with the intact part of the stored log. */
export async function scanLog(store: KeyValueStore, window: LogWindow): Promise<LogScan> {
  const garbage: BatchOperation[] = [];
  let damage: LogScan["damage"];
  let droppedEntries = 0;
  let tail = window.base;
  for await (const [key, record] of store.iterate(logRange(0))) {
    const index = logKeyIndex(key);
    if (index <= window.base.index) {
      garbage.push({ key, value: undefined });
      continue;
    }
    const decoded = decodeEntry(record, index);
    if (damage === undefined) {
      const problem = problemOf(tail, index, record, decoded);
      if (problem !== undefined) damage = { index: tail.index + 1, problem };
    }
    if (damage !== undefined || decoded === undefined) {
      garbage.push({ key, value: undefined });
      droppedEntries += 1;
      continue;
    }
    window.push(decoded);
    window.evict(index);
    tail = { term: decoded.entry.term, index, chain: decoded.chain };
  }
  return { damage, garbage, droppedEntries };
}

function problemOf(
  tail: Tail,
  index: number,
  record: Uint8Array,
  decoded: ReturnType<typeof decodeEntry>,
): string | undefined {
  if (index !== tail.index + 1) return `entries ${tail.index + 1} to ${index - 1} are missing`;
  if (decoded === undefined) return `entry ${index} fails its checksum`;
  if (decoded.entry.term < tail.term) return `entry ${index} goes back in term`;
  if (!followsChain(record, decoded.chain, tail.chain)) {
    return `entry ${index} does not continue the hash chain`;
  }
  return undefined;
}

/**
 * The newest mark. Throws Corrupted when it cannot be established. A torn mark follows a durable log
 * batch that announced its number, so an invalid slot is harmless only if the log is ahead of the
 * other slot; then the log itself holds what the torn mark was to say.
 */
export function establishMark(path: string, reading: MarkReading, hard: HardRow): Mark {
  const { newest, invalidSlots } = reading;
  if (newest === undefined) {
    throw corrupted(path, "both slots", "no valid mark: term and vote of this member are unknown");
  }
  if (invalidSlots.length > 0 && hard.sequence <= newest.sequence) {
    throw corrupted(
      path,
      `slot ${invalidSlots[0]}`,
      `damaged, and the log ends with batch ${hard.sequence}, no later than mark ${newest.sequence}: ` +
        "a newer mark may have existed, so term and vote of this member are unknown",
    );
  }
  if (hard.sequence - newest.sequence > MARK_LAG_MAX) {
    throw corrupted(
      path,
      "both slots",
      `mark ${newest.sequence} is older than log batch ${hard.sequence} allows: ` +
        "the file was put back from an older copy",
    );
  }
  return newest;
}

/** Newest term and vote of log and mark. Throws Corrupted when they contradict each other. */
export function mergeHardState(path: string, hard: HardRow, mark: Mark): HardNumbers {
  const { term, vote, commit } = hard;
  if (mark.term > term) return { term: mark.term, vote: mark.vote, commit };
  if (mark.term < term) return { term, vote, commit };
  if (vote !== 0 && mark.vote !== 0 && vote !== mark.vote) {
    throw corrupted(path, `vote in term ${term}`, `the log says ${vote}, the mark ${mark.vote}`);
  }
  return { term, vote: vote === 0 ? mark.vote : vote, commit };
}

/**
 * Compares the intact log with the mark. Returns undefined when nothing acknowledged is missing,
 * else what is. Throws Corrupted when both cannot come from one history.
 */
export function compareWithMark(
  path: string,
  window: LogWindow,
  mark: Mark,
  scan: LogScan,
): RecoveryInfo | undefined {
  const tail = window.tail;
  const wanted = mark.tail;
  const info = (reason: string): RecoveryInfo => ({
    markTerm: wanted.term,
    markIndex: wanted.index,
    logTerm: tail.term,
    logIndex: tail.index,
    reason,
    droppedEntries: scan.droppedEntries,
  });
  if (compareTails(tail, wanted) < 0) {
    const damage = scan.damage?.problem ?? "the end of the log is missing";
    return info(mark.recovering ? `${damage}; recovery was already under way` : damage);
  }
  if (wanted.index < window.base.index) return undefined;
  // A log that a later leader replaced may end before the mark's index; its higher term outranks it.
  if (mark.recovering && tail.term > wanted.term) return undefined;
  const isSame =
    wanted.index <= tail.index && equalBytes(window.position(wanted.index).chain, wanted.chain);
  if (isSame) return undefined;
  throw corrupted(
    path,
    `log entry ${wanted.index}`,
    `differs from what the mark says was acknowledged there in term ${wanted.term}`,
  );
}
