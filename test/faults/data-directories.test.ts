// A member that lost its disk, or whose disk lies. Its directory is either refused, with the way back,
// or what is damaged is noticed and comes again from the leader; it is never silently older.

import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
} from "node:fs";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cluster, type Status } from "../harness/cluster.ts";
import { OBJECTIVE, policy, SCHEMA } from "../harness/manifests.ts";
import { until } from "../harness/until.ts";
import { Writer } from "../harness/writer.ts";

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.start();
  await cluster.create(SCHEMA, OBJECTIVE, policy({ name: "quick" }));
  const writer = new Writer(cluster, "base");
  await writer.more(150);
  await writer.stop();
});

afterAll(async () => {
  await cluster?.dispose();
});

/** Everything that a server shows of its state, by hash. */
async function stateOf(member: number): Promise<string> {
  const hash = createHash("sha256");
  for (const kind of ["Objective", "Policy", "ConfigSchema", "Config", "Node", "Namespace"]) {
    hash.update(JSON.stringify((await cluster.client(member).list({ kind })).items));
  }
  return hash.digest("hex");
}

/** Waits until a member shows exactly what the leader shows. */
async function untilEqual(member: number): Promise<void> {
  const leader = await cluster.leader();
  await until("the same state as the leader", async () => {
    const [mine, theirs] = [await cluster.status(member), await cluster.status(leader)];
    if (mine.appliedIndex < theirs.appliedIndex || mine.role === "recovering") return false;
    return (await stateOf(member)) === (await stateOf(leader));
  });
}

/** What a directory says of itself. */
interface Told {
  readonly term: number;
  readonly vote: number;
  readonly lastIndex: number;
  readonly applied: number;
  readonly recovering: boolean;
}

/** Why a directory says nothing. */
interface Refusal {
  readonly code: string;
  readonly message: string;
}

const READER = fileURLToPath(new URL("../harness/read-directory.mjs", import.meta.url));

/** Reads directories in a process of its own; what ends that process counts as a refusal. */
async function read(dirs: readonly string[]): Promise<readonly (Told | Refusal)[]> {
  const answers: (Told | Refusal)[] = [];
  while (answers.length < dirs.length) {
    const reader = cluster.processes.launch("reader", [READER, ...dirs.slice(answers.length)]);
    const exit = await reader.exited;
    for (const line of reader.lines) answers.push(line["told"] as Told | Refusal);
    if (exit.code === 0) continue;
    answers.push({ code: "Aborted", message: reader.lastWords });
  }
  return answers;
}

interface Flip {
  readonly file: string;
  readonly offset: number;
  readonly bit: number;
}

/** Positions over all files that hold log, rows and mark; the same for the same directory. */
function flipsOf(dir: string): readonly Flip[] {
  const store = readdirSync(join(dir, "store")).filter((name) => /\.(log|ldb)$/.test(name));
  const files = [...store.map((name) => join("store", name)), "mark"];
  return files.flatMap((file) => {
    const { size } = statSync(join(dir, file));
    const places = file.endsWith(".log") ? PLACES_PER_LOG : PLACES_PER_FILE;
    const count = size === 0 ? 0 : places;
    return Array.from({ length: count }, (_, place) => {
      const digest = createHash("sha256").update(`${place}`).digest();
      const slice = Math.floor(size / count);
      const offset = place * slice + (slice > 0 ? digest.readUInt32BE(0) % slice : 0);
      return { file, offset: Math.min(offset, size - 1), bit: (digest[4] ?? 0) % 8 };
    });
  });
}

/** Places tried in each table file and in the mark. */
const PLACES_PER_FILE = 10;
/** Places tried in LevelDB's own log, where the newest entries are. */
const PLACES_PER_LOG = 24;

function flip(dir: string, { file, offset, bit }: Flip): void {
  const path = join(dir, file);
  const bytes = readFileSync(path);
  bytes[offset] = (bytes[offset] ?? 0) ^ (1 << bit);
  writeFileSync(path, bytes);
}

/** What one flipped bit came to; fails when it made the directory silently older. */
function outcomeOf(told: Told | Refusal, one: Flip, before: Told): string {
  const where = `${one.file} at ${one.offset}, bit ${one.bit}`;
  if ("code" in told) {
    expect(told.code, `${where}: ${told.message}`).toMatch(/Corrupted|StorageFailure|Aborted/);
    return told.code === "Aborted" ? "aborted" : "refused";
  }
  expect(told.term, `term after ${where}`).toBeGreaterThanOrEqual(before.term);
  if (told.term === before.term) expect(told.vote, `vote after ${where}`).toBe(before.vote);
  if (told.recovering) return "recovering";
  expect(told.lastIndex, `last entry after ${where}`).toBe(before.lastIndex);
  expect(told.applied, `applied after ${where}`).toBe(before.applied);
  return "harmless";
}

/** Tries every flip on a copy of its own; the flips by what they came to. */
async function tryFlips(dir: string): Promise<ReadonlyMap<string, readonly Flip[]>> {
  const copies = join(cluster.dir, "copies");
  const flips = flipsOf(dir);
  const paths = flips.map((_, at) => join(copies, String(at)));
  const pristine = join(copies, "pristine");
  cpSync(dir, pristine, { recursive: true });
  for (const [at, one] of flips.entries()) {
    const copy = paths[at] ?? "";
    cpSync(dir, copy, { recursive: true });
    flip(copy, one);
  }
  const [before, ...answers] = await read([pristine, ...paths]);
  rmSync(copies, { recursive: true, force: true });
  if (before === undefined || "code" in before) throw new Error(JSON.stringify(before));
  expect(before.recovering).toBe(false);
  const outcomes = new Map<string, Flip[]>();
  for (const [at, one] of flips.entries()) {
    const outcome = outcomeOf(answers[at] ?? { code: "", message: "no answer" }, one, before);
    outcomes.set(outcome, [...(outcomes.get(outcome) ?? []), one]);
  }
  return outcomes;
}

/** Kills a follower and keeps a copy of what it leaves behind. */
async function killedFollower(): Promise<{ member: number; dir: string; status: Status }> {
  const member = await cluster.follower();
  const leader = await cluster.leader();
  const { appliedIndex } = await cluster.status(leader);
  const status = await until("the follower applied it all", async () => {
    const seen = await cluster.status(member);
    return seen.appliedIndex >= appliedIndex ? seen : false;
  });
  await cluster.endServer(member, "SIGKILL");
  return { member, dir: cluster.dataDir(member), status };
}

describe("a flipped bit in the files of a follower", () => {
  it("never makes it silently older, wherever the bit is", async () => {
    // A restart moves the log into table files; some more writes fill the log again.
    const first = await cluster.follower();
    await cluster.endServer(first, "SIGKILL");
    await cluster.startServer(first);
    const writer = new Writer(cluster, "more");
    await writer.more(60);
    await writer.stop();
    await untilEqual(first);
    const { member, dir, status } = await killedFollower();
    const outcomes = await tryFlips(dir);
    const counts = [...outcomes].map(([name, list]) => `${list.length} ${name}`).sort();
    console.info(`flipped bits: ${counts.join(", ")}`);
    const saved = join(cluster.dir, "saved");
    cpSync(dir, saved, { recursive: true });
    const [refused] = outcomes.get("refused") ?? [];
    if (refused === undefined) throw new Error("no flip was refused: the test shows nothing");
    await expectRefused(member, dir, refused);
    // The bit is turned back: nothing was written meanwhile, so this is still its own directory.
    rmSync(dir, { recursive: true, force: true });
    cpSync(saved, dir, { recursive: true });
    const [noticed] = outcomes.get("recovering") ?? [];
    if (noticed === undefined) throw new Error("no flip was recovered: the test shows nothing");
    await expectHealed(member, dir, { noticed, status });
  });
});

/** The real server on the damaged directory says what is wrong and how to come back. */
async function expectRefused(member: number, dir: string, refused: Flip): Promise<void> {
  flip(dir, refused);
  const { exit, words } = await cluster.refusedServer(member);
  expect(exit.code, words).not.toBe(0);
  expect(words).toMatch(/Corrupted|StorageFailure/);
  expect(words).toMatch(/never copy another member/);
  const writer = new Writer(cluster, "without");
  await writer.more(5);
  await writer.stop();
  expect(await writer.lost()).toEqual([]);
}

/** The real server on the damaged directory recovers from the leader and is as far as before. */
async function expectHealed(
  member: number,
  dir: string,
  damage: { readonly noticed: Flip; readonly status: Status },
): Promise<void> {
  flip(dir, damage.noticed);
  const running = await cluster.startServer(member);
  await untilEqual(member);
  const after = await cluster.status(member);
  expect(after.term).toBeGreaterThanOrEqual(damage.status.term);
  expect(after.appliedIndex).toBeGreaterThanOrEqual(damage.status.appliedIndex);
  expect(running.output.join("\n")).toMatch(/repaired|recover/i);
}

describe("a follower without its data directory", () => {
  it("is refused as that member, told the way back, and the cluster goes on", async () => {
    const { member, dir } = await killedFollower();
    const id = cluster.files.memberIds[member] ?? "";
    rmSync(dir, { recursive: true, force: true });
    const gone = await cluster.refusedServer(member);
    expect(gone.exit.code).not.toBe(0);
    expect(gone.words).toMatch(/IdentityMismatch/);
    expect(gone.words).toMatch(/does not exist/);
    expect(gone.words).toMatch(/never copy another member/);
    expect(existsSync(dir), "a refused server makes no directory").toBe(false);
    mkdirSync(dir, { recursive: true });
    const empty = await cluster.refusedServer(member);
    expect(empty.exit.code).not.toBe(0);
    expect(empty.words).toMatch(/IdentityMismatch/);
    expect(empty.words).toMatch(/empty/);
    expect(readdirSync(dir), "a refused server leaves the folder empty").toEqual([]);
    await expectForeignRefused(member, dir);
    const writer = new Writer(cluster, "two-of-three");
    await writer.more(20);
    await writer.stop();
    expect(await writer.lost()).toEqual([]);
    const status = await cluster.status(await cluster.leader());
    expect(status.leaderId).not.toBe(id);
  });
});

/** Another member's directory is refused too: it would make two of one. */
async function expectForeignRefused(member: number, dir: string): Promise<void> {
  const leader = await cluster.leader();
  rmSync(dir, { recursive: true, force: true });
  cpSync(cluster.dataDir(leader), dir, { recursive: true });
  const foreign = await cluster.refusedServer(member);
  expect(foreign.exit.code).not.toBe(0);
  expect(foreign.words).toMatch(/IdentityMismatch/);
  expect(foreign.words).toMatch(/memberId/);
}
