// Makers of log entries, commits and directories for the tests.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { initDirectory, openStorage } from "../src/index.ts";
import type { Commit, Disk, OpenOptions, Storage } from "../src/index.ts";
import type { Entry, HardState, LogIndex, NodeId, Term } from "../src/raft.ts";

export const IDENTITY = {
  clusterId: "cluster-a",
  memberId: "server-1",
  raftId: 1,
  incarnation: "inc-1",
} as const;

export const VOTERS = {
  voters: [1 as NodeId],
  learners: [],
  votersOutgoing: [],
  learnersNext: [],
  autoLeave: false,
};

export function entry(index: number, term: number, text = `e${index}t${term}`): Entry {
  return {
    index: index as LogIndex,
    term: term as Term,
    type: "normal",
    data: new TextEncoder().encode(text),
  };
}

export function entries(from: number, to: number, term: number): Entry[] {
  return Array.from({ length: to - from + 1 }, (_, at) => entry(from + at, term));
}

export function hard(term: number, vote: number, commit: number): HardState {
  return { term: term as Term, vote: vote as NodeId, commit: commit as LogIndex };
}

/** A commit of applied index `index` that writes one row per index and one revision each. */
export function commitOf(index: number, term: number, revision = index): Commit {
  return {
    rows: [
      { key: `configs/ns/c${index % 7}`, value: { index, text: "x".repeat(index % 50) } },
      { key: `~row/${index}`, value: index % 3 === 0 ? undefined : { index } },
      { key: `~row/${index - 1}`, value: undefined },
    ],
    history: [{ revision, type: "MODIFIED", key: `configs/ns/c${index % 7}`, value: { index } }],
    meta: {
      appliedIndex: index,
      appliedTerm: term,
      revision,
      timeMs: 1_000 * index,
      confState: VOTERS,
      state: { featureLevel: 1 },
    },
  };
}

export async function temporaryDirectory(): Promise<{ dir: string; done: () => Promise<void> }> {
  const root = await mkdtemp(join(tmpdir(), "kingly-storage-"));
  return { dir: `${root}/data`, done: () => rm(root, { recursive: true, force: true }) };
}

export async function initAt(dir: string, disk?: Disk): Promise<void> {
  await initDirectory({ dir, ...IDENTITY, bootstrap: { confState: VOTERS }, disk });
}

export function openAt(
  dir: string,
  disk?: Disk,
  more: Partial<OpenOptions> = {},
): Promise<Storage> {
  return openStorage({ dir, expect: IDENTITY, disk, ...more });
}

export async function rowsOf(storage: Storage): Promise<Record<string, unknown>> {
  const out: Record<string, unknown> = {};
  for await (const [key, value] of storage.objects.loadRows()) out[key] = value;
  return out;
}

export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const item of source) out.push(item);
  return out;
}

/** Everything raft reads from the log, as plain data. */
export function logOf(storage: Storage): unknown {
  const { log } = storage;
  const first = log.firstIndex();
  const last = log.lastIndex();
  return {
    first,
    last,
    baseTerm: log.term((first - 1) as LogIndex),
    hard: log.initialState().hardState,
    entries: log
      .entries(first, (last + 1) as LogIndex, Number.MAX_SAFE_INTEGER)
      .map((e) => [e.index, e.term, e.type, Buffer.from(e.data).toString()]),
  };
}
