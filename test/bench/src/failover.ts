// npm run bench:failover [-- --rounds N] [--json FILE]: how long writes stand still when the leader is
// killed with -9. Both systems with their default timeouts, which are equal (heartbeat 100 ms, election
// 1 s). A new write is tried through every survivor every few milliseconds; the time from the kill to
// the answer of the first one that was begun after it counts. Rounds of both systems alternate.

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { etcdVersion, startEtcd } from "./etcd.ts";
import { startKingly } from "./kingly.ts";
import type { Member, System } from "./system.ts";

const PROBE_EVERY_MS = 20;
const PROBE_DEADLINE_MS = 10_000;
const VALUE = "v".repeat(256);
/** Writes that must succeed through every member before a round: all of them follow the leader. */
const SETTLED_WRITES = 20;
const SETTLE_TIMEOUT_MS = 30_000;

/** Milliseconds per round. */
interface FailoverReport {
  readonly rounds: number;
  readonly kinglyMs: readonly number[];
  readonly etcdMs: readonly number[];
  /** Median of Kingly over the median of etcd; undefined without etcd. */
  readonly ratio: number | undefined;
}

async function settle(system: System): Promise<void> {
  const deadline = performance.now() + SETTLE_TIMEOUT_MS;
  for (const member of system.members) {
    for (let done = 0; done < SETTLED_WRITES;) {
      try {
        await member.write(VALUE, 1_000);
        done += 1;
      } catch (error) {
        if (performance.now() > deadline) throw error;
      }
    }
  }
}

/** Resolves with the milliseconds until a write begun from now on was answered. */
function firstWrite(survivors: readonly Member[]): Promise<number> {
  const begun = performance.now();
  return new Promise((resolve, reject) => {
    const probe = (): void => {
      for (const member of survivors) {
        member.write(VALUE, PROBE_DEADLINE_MS).then(
          () => {
            clearInterval(timer);
            resolve(performance.now() - begun);
          },
          () => {},
        );
      }
      if (performance.now() - begun < SETTLE_TIMEOUT_MS) return;
      clearInterval(timer);
      reject(new Error("no write succeeded after the leader was killed"));
    };
    const timer = setInterval(probe, PROBE_EVERY_MS);
  });
}

async function round(system: System): Promise<number> {
  await settle(system);
  const leading = await system.leader();
  const leader = system.members[leading];
  if (leader === undefined) throw new Error("nobody leads");
  const survivors = system.members.filter((member) => member !== leader);
  const gone = leader.kill();
  const took = await firstWrite(survivors);
  await gone;
  await leader.restart();
  return took;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function row(name: string, values: readonly number[]): string {
  const shown = values.toSorted((a, b) => a - b).map((one) => one.toFixed(0));
  return `| ${name} | ${median(values).toFixed(0)} ms | ${shown.join(", ")} |`;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { rounds: { type: "string", default: "7" }, json: { type: "string" } },
  });
  const rounds = Number(values.rounds);
  const kingly = await startKingly();
  const etcd = etcdVersion() === undefined ? undefined : await startEtcd();
  if (etcd === undefined) process.stderr.write("etcd is not installed: no comparison\n");
  const kinglyMs: number[] = [];
  const etcdMs: number[] = [];
  try {
    for (let at = 0; at < rounds; at += 1) {
      kinglyMs.push(await round(kingly));
      if (etcd !== undefined) etcdMs.push(await round(etcd));
    }
  } finally {
    await kingly.stop();
    await etcd?.stop();
  }
  const ratio = etcd === undefined ? undefined : median(kinglyMs) / median(etcdMs);
  const lines = [
    "| system | median | every round |",
    "| --- | --- | --- |",
    row("kingly", kinglyMs),
  ];
  if (etcd !== undefined) lines.push(row("etcd", etcdMs), "", `Ratio: ${ratio?.toFixed(2)}`);
  process.stdout.write(`${lines.join("\n")}\n`);
  const report: FailoverReport = { rounds, kinglyMs, etcdMs, ratio };
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
}

await main();
