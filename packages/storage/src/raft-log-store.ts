// The raft log of one server: the synchronous read side that the core asks (LogStorage), and
// `append`, which may be called again before earlier calls have resolved. Calls resolve in order,
// each when its log batch and its mark are durable (thesis section 3.8 wants term, vote and log on
// stable storage before any answer).

import { assert, equalBytes } from "@kingly/base";
import type { BatchOperation } from "./disk.ts";
import { encodeEntry } from "./codec.ts";
import { corrupted } from "./errors.ts";
import type { GroupWriter, HardNumbers } from "./group-writer.ts";
import type { HaltSwitch } from "./halt.ts";
import { logKey } from "./keys.ts";
import { COMPACT_BATCH_ENTRIES, ENTRY_BYTES_MAX, TRAILING_ENTRIES } from "./limits.ts";
import { compareTails } from "./log-recovery.ts";
import type { RecoveryInfo } from "./log-recovery.ts";
import { baseOperation } from "./log-rows.ts";
import type { LogWindow } from "./log-window.ts";
import type { Mark, Tail } from "./mark-file.ts";
import { CompactedError, UnavailableError, limitEntries } from "./raft.ts";
import type {
  Entry,
  HardState,
  InitialState,
  LogIndex,
  LogStorage,
  NodeId,
  Snapshot,
  Term,
} from "./raft.ts";
import type { InstallPlan } from "./snapshot-import.ts";

/** One MsgStorageAppend: any of the three may be absent. */
export interface LogUpdate {
  readonly hardState?: HardState | undefined;
  /** Consecutive entries; stored entries from the first index on are replaced. */
  readonly entries?: readonly Entry[] | undefined;
  /** Metadata of a snapshot whose rows were staged before; replaces log and rows. */
  readonly snapshot?: Snapshot | undefined;
}

/** What the log store needs from the store around it. */
export interface LogStorePorts {
  readonly path: string;
  readonly halt: HaltSwitch;
  readonly writer: () => GroupWriter;
  /** Generation of rows that the base row names. */
  readonly generation: () => number;
  /** Newest snapshot the core may offer: the applied state. */
  readonly snapshot: () => Snapshot;
  /** How far the rows reflect the log. */
  readonly appliedIndex: () => number;
  /** The staged snapshot for (index, term); throws KinglyError when there is none. */
  readonly takeStaged: (index: number, term: number) => InstallPlan;
}

/** A snapshot inside an append. */
interface SnapshotPlan {
  readonly index: number;
  readonly cutTo: Tail | undefined;
  readonly installed: () => void;
}

/** Durable raft log; see the file comment. */
export class RaftLogStore implements LogStorage {
  readonly #ports: LogStorePorts;
  readonly #window: LogWindow;
  #hard: HardNumbers;
  #recovery: RecoveryInfo | undefined;
  /** While recovering: the end the log once had. */
  #wanted: Tail | undefined;
  #durable: Tail;
  /**
   * Positions behind which appends under way replace the log, oldest first: until those are written,
   * the store holds other entries there, so the window must not let its own go.
   */
  readonly #cuts: number[] = [];

  constructor(
    ports: LogStorePorts,
    window: LogWindow,
    state: { readonly hard: HardNumbers; readonly mark: Mark; recovery: RecoveryInfo | undefined },
  ) {
    this.#ports = ports;
    this.#window = window;
    this.#hard = state.hard;
    this.#recovery = state.recovery;
    this.#wanted = state.recovery === undefined ? undefined : state.mark.tail;
    this.#durable = window.tail;
  }

  /** True until the log again reaches what this member once acknowledged. */
  get recovering(): boolean {
    return this.#wanted !== undefined;
  }

  /** What was lost; stays readable after the recovery. */
  get recovery(): RecoveryInfo | undefined {
    return this.#recovery;
  }

  /** While recovering the position that raft judges candidates by (RaftConfig.recoveryMark). */
  get recoveryMark(): { readonly term: Term; readonly index: LogIndex } | undefined {
    const wanted = this.#wanted;
    if (wanted === undefined) return undefined;
    return { term: wanted.term as Term, index: wanted.index as LogIndex };
  }

  /** End of the log that is durable and marked. */
  get durable(): { readonly term: number; readonly index: number } {
    return { term: this.#durable.term, index: this.#durable.index };
  }

  /** Appends not yet resolved, for flow control and metrics. */
  get outstanding(): number {
    return this.#ports.writer().outstanding;
  }

  /** Payload bytes of the log held in memory, for metrics. */
  get heldBytes(): number {
    return this.#window.heldBytes;
  }

  initialState(): InitialState {
    const { term, vote, commit } = this.#hard;
    return {
      hardState: { term: term as Term, vote: vote as NodeId, commit: commit as LogIndex },
      confState: this.#ports.snapshot().metadata.confState,
    };
  }

  entries(lo: LogIndex, hi: LogIndex, maxBytes: number): readonly Entry[] {
    if (lo <= this.#window.base.index) throw new CompactedError();
    if (hi > this.#window.lastIndex + 1) throw new UnavailableError();
    const out: Entry[] = [];
    let bytes = 0;
    for (let index: number = lo; index < hi; index += 1) {
      const entry = this.#window.entry(index);
      bytes += entry.data.length;
      out.push(entry);
      if (bytes > maxBytes) break;
    }
    return limitEntries(out, maxBytes);
  }

  term(index: LogIndex): Term {
    return this.#window.term(index) as Term;
  }

  firstIndex(): LogIndex {
    return (this.#window.base.index + 1) as LogIndex;
  }

  lastIndex(): LogIndex {
    return this.#window.lastIndex as LogIndex;
  }

  snapshot(): Snapshot {
    return this.#ports.snapshot();
  }

  /** Chain hash (32 bytes) up to an index in [firstIndex-1, lastIndex]; throws like `term`. */
  chainHash(index: number): Uint8Array {
    return this.#window.position(index).chain;
  }

  /**
   * Stores an update. Resolves, in order of the calls, when log batch and mark are durable; an update
   * that only moves the commit index is taken along with the next batch and resolves after the calls
   * before it. Rejects with the cause once the store has halted.
   */
  async append(update: LogUpdate): Promise<void> {
    this.#ports.halt.check();
    const operations: BatchOperation[] = [];
    const plan = this.#planSnapshot(update.snapshot, operations);
    const { cutTo, bytes } = this.#planEntries(update.entries ?? [], operations);
    const isNewVote = this.#takeHardState(update.hardState);
    const durable = operations.length > 0 || isNewVote;
    if (!durable && update.hardState === undefined) return this.#ports.writer().submit(NO_WORK);
    const cut = plan?.cutTo ?? cutTo;
    const replacesFrom = plan?.index ?? cutTo?.index;
    if (replacesFrom !== undefined) this.#cuts.push(replacesFrom);
    await this.#ports.writer().submit({
      operations,
      bytes,
      durable,
      state: { hard: this.#hard, tail: this.#window.tail },
      ...(cut === undefined ? {} : { cutTo: cut }),
      written: () => {
        if (replacesFrom !== undefined) this.#cuts.shift();
        plan?.installed();
      },
    });
  }

  #planSnapshot(
    snapshot: Snapshot | undefined,
    operations: BatchOperation[],
  ): SnapshotPlan | undefined {
    if (snapshot === undefined || snapshot.metadata.index === 0) return undefined;
    const { index, term } = snapshot.metadata;
    assert(
      index > this.#window.base.index,
      () => `snapshot ${index} is not newer than the log base`,
    );
    const plan = this.#ports.takeStaged(index, term);
    const old = this.#window.base;
    const cutTo = this.#window.lastIndex > index ? old : undefined;
    for (let at = old.index + 1; at <= this.#window.lastIndex; at += 1) {
      operations.push({ key: logKey(at), value: undefined });
    }
    const base: Tail = { index, term, chain: plan.chain };
    operations.push(...plan.operations, baseOperation({ generation: plan.generation, base }));
    this.#window.reset(base);
    return { index, cutTo, installed: plan.installed };
  }

  #planEntries(
    given: readonly Entry[],
    operations: BatchOperation[],
  ): { cutTo: Tail | undefined; bytes: number } {
    const entries = this.#fresh(given);
    const lastGiven = given.at(-1);
    const keep = entries[0] === undefined ? (lastGiven?.index ?? Infinity) : entries[0].index - 1;
    let cutTo: Tail | undefined;
    const lastBefore = this.#window.lastIndex;
    if (keep < lastBefore && keep >= this.#window.base.index) {
      cutTo = this.#window.position(keep);
      this.#window.truncate(keep);
    }
    let bytes = 0;
    let { chain } = this.#window.tail;
    for (const entry of entries) {
      assert(
        entry.data.length <= ENTRY_BYTES_MAX,
        () => `entry ${entry.index}: ${entry.data.length} bytes, allowed ${ENTRY_BYTES_MAX}`,
      );
      const encoded = encodeEntry(entry, chain);
      chain = encoded.chain;
      this.#window.push({ entry, chain });
      operations.push({ key: logKey(entry.index), value: encoded.record });
      bytes += encoded.record.length;
    }
    for (let index = this.#window.lastIndex + 1; cutTo !== undefined && index <= lastBefore;) {
      operations.push({ key: logKey(index), value: undefined });
      index += 1;
    }
    return { cutTo, bytes };
  }

  /** Entries that are neither compacted nor stored already with the same term. */
  #fresh(given: readonly Entry[]): readonly Entry[] {
    const { base, lastIndex } = this.#window;
    const first = given[0];
    if (first === undefined) return given;
    assert(first.index <= lastIndex + 1, () => `entry ${first.index} after ${lastIndex}: a gap`);
    let skip = 0;
    for (const [at, entry] of given.entries()) {
      assert(
        entry.index === first.index + at,
        () => `entries are not consecutive at ${entry.index}`,
      );
      const isOld = entry.index <= base.index;
      const isSame =
        skip === at &&
        !isOld &&
        entry.index <= lastIndex &&
        this.#window.term(entry.index) === entry.term;
      if (isOld || isSame) skip = at + 1;
    }
    return skip === 0 ? given : given.slice(skip);
  }

  /** Takes a new hard state over; true when term or vote changed. */
  #takeHardState(next: HardState | undefined): boolean {
    if (next === undefined) return false;
    const before = this.#hard;
    assert(next.term >= before.term, () => `term goes back from ${before.term} to ${next.term}`);
    const isNewTerm = next.term > before.term;
    assert(
      isNewTerm || before.vote === 0 || next.vote === before.vote,
      () => `vote in term ${next.term} changes from ${before.vote} to ${next.vote}`,
    );
    this.#hard = { term: next.term, vote: next.vote, commit: Math.max(next.commit, before.commit) };
    return isNewTerm || next.vote !== before.vote;
  }

  /**
   * Forgets the log up to `toIndex` less `trailing` entries (default TRAILING_ENTRIES), but never
   * past the applied or the durable position. The rows staged so far go into the same batch, so the
   * stored state is never older than the log. Resolves when durable; 0 entries to drop is fine.
   */
  async compact(toIndex: number, trailing: number = TRAILING_ENTRIES): Promise<void> {
    this.#ports.halt.check();
    const limit = Math.min(toIndex, this.#ports.appliedIndex(), this.#durable.index);
    const target = limit - trailing;
    while (this.#window.base.index < target) {
      const from = this.#window.base.index;
      const to = Math.min(target, from + COMPACT_BATCH_ENTRIES);
      const base = this.#window.position(to);
      const operations = [baseOperation({ generation: this.#ports.generation(), base })];
      for (let index = from + 1; index <= to; index += 1) {
        operations.push({ key: logKey(index), value: undefined });
      }
      this.#window.compact(to);
      await this.#ports.writer().submit({ operations, bytes: 0, durable: true });
    }
  }

  /** The mark to write for a log state (called by the writer, in batch order). */
  markFor(sequence: number, hard: HardNumbers, tail: Tail): Mark {
    const { term, vote } = hard;
    const wanted = this.#wanted;
    if (wanted === undefined) return { sequence, term, vote, tail, recovering: false };
    if (compareTails(tail, wanted) < 0) {
      return { sequence, term, vote, tail: wanted, recovering: true };
    }
    const { base, lastIndex } = this.#window;
    // Later appends may have replaced the position already; then there is nothing to compare.
    const isComparable =
      wanted.index >= base.index &&
      wanted.index <= lastIndex &&
      this.#window.term(wanted.index) === wanted.term;
    if (isComparable && !equalBytes(this.#window.position(wanted.index).chain, wanted.chain)) {
      throw corrupted(this.#ports.path, `log entry ${wanted.index}`, "differs from the mark's");
    }
    return { sequence, term, vote, tail, recovering: false };
  }

  /** A mark became durable (called by the writer). */
  marked(mark: Mark): void {
    if (!mark.recovering) {
      this.#wanted = undefined;
      this.#durable = mark.tail;
    }
    if (!mark.recovering) this.#window.evict(Math.min(mark.tail.index, ...this.#cuts));
  }

  /**
   * Gives up what was lost: the log as it is now becomes the truth of this member. Only for the
   * explicit, audited `cluster recover --accept-loss`. Resolves when durable.
   */
  async acceptLoss(): Promise<RecoveryInfo | undefined> {
    this.#ports.halt.check();
    if (this.#wanted === undefined) return undefined;
    this.#wanted = undefined;
    const state = { hard: this.#hard, tail: this.#window.tail };
    await this.#ports.writer().submit({ operations: [], bytes: 0, durable: true, state });
    return this.#recovery;
  }
}

const NO_WORK = { operations: [], bytes: 0, durable: false } as const;
