// npm run bench [-- --json FILE] [--seconds S] [--clients 1,64,256] [--warm-up S]: writes and linearizable
// reads against three kinglyd and, when it is installed, three etcd members: same machine, same run, same
// client process, same value size, turns alternating. Both are written to for --warm-up seconds first, the
// time in which V8 compiles; --warm-up 0 measures from a cold start.

import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { etcdVersion, startEtcd } from "./etcd.ts";
import { startKingly } from "./kingly.ts";
import { runLoad, type Call, type LoadResult } from "./load.ts";
import { formatReport, type Report, type Row } from "./report.ts";
import { residentMib, type System } from "./system.ts";

const VALUE_BYTES = 256;
const ROUNDS = 5;
const WARM_UP_CLIENTS = 64;

function middleOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function median(results: readonly LoadResult[]): LoadResult {
  const sorted = results.toSorted((a, b) => a.perSecond - b.perSecond);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) throw new Error("no rounds were run");
  return middle;
}

async function compare(
  what: string,
  systems: { readonly kingly: System; readonly etcd: System | undefined },
  options: {
    readonly clients: number;
    readonly seconds: number;
    readonly pick: (system: System) => Call;
  },
): Promise<Row> {
  const ours: LoadResult[] = [];
  const theirs: LoadResult[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    ours.push(await runLoad(options.pick(systems.kingly), options));
    if (systems.etcd !== undefined) theirs.push(await runLoad(options.pick(systems.etcd), options));
  }
  const kingly = median(ours);
  const etcd = theirs.length > 0 ? median(theirs) : undefined;
  // Of neighbouring turns, because the machine's speed drifts; then the median over the rounds.
  const ratios = ours.map((mine, at) => mine.perSecond / (theirs[at]?.perSecond ?? Number.NaN));
  const ratio = etcd === undefined ? undefined : middleOf(ratios);
  process.stderr.write(
    `${what}, ${options.clients} clients: ${kingly.perSecond.toFixed(0)}/s` +
      `${ratio === undefined ? "" : `, ratio ${ratio.toFixed(2)}`}\n`,
  );
  return { what, clients: options.clients, kingly, etcd, ratio };
}

/** Writes to every system, unmeasured. */
async function warmUp(
  systems: readonly (System | undefined)[],
  pick: (system: System) => Call,
  seconds: number,
): Promise<void> {
  if (seconds <= 0) return;
  for (const system of systems) {
    if (system === undefined) continue;
    await runLoad(pick(system), { clients: WARM_UP_CLIENTS, seconds });
  }
}

function simulatorSpeed(): number | undefined {
  const script = fileURLToPath(
    new URL("../../../packages/simulation/dist/main.js", import.meta.url),
  );
  const result = spawnSync(process.execPath, [script, "--seeds", "20", "--servers", "3"], {
    encoding: "utf8",
  });
  const text = /([\d.]+) virtual seconds per real second/.exec(
    `${result.stdout}${result.stderr}`,
  )?.[1];
  return text === undefined ? undefined : Number(text);
}

function commit(): string {
  const result = spawnSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" });
  return result.status === 0 ? result.stdout.trim() : "unknown";
}

function largest(system: System): number {
  return Math.max(...system.pids.map(residentMib));
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      json: { type: "string" },
      seconds: { type: "string", default: "4" },
      clients: { type: "string", default: "1,64,256" },
      "warm-up": { type: "string", default: "20" },
    },
  });
  const seconds = Number(values.seconds);
  const counts = values.clients.split(",").map(Number);
  const value = "v".repeat(VALUE_BYTES);
  const version = etcdVersion();
  const kingly = await startKingly();
  const etcd = version === undefined ? undefined : await startEtcd();
  if (etcd === undefined) process.stderr.write("etcd is not installed: no comparison\n");
  const rows: Row[] = [];
  const memoryMib: Record<string, number> = { "kinglyd at rest": largest(kingly) };
  try {
    const write = (system: System): Call => system.write(value);
    await warmUp([kingly, etcd], write, Number(values["warm-up"]));
    const read = (system: System): Call => system.read;
    for (const clients of counts) {
      rows.push(await compare("write", { kingly, etcd }, { clients, seconds, pick: write }));
    }
    for (const clients of counts) {
      const options = { clients, seconds, pick: read };
      rows.push(await compare("linearizable read", { kingly, etcd }, options));
    }
    memoryMib["kinglyd after the load"] = largest(kingly);
    if (etcd !== undefined) memoryMib["etcd after the load"] = largest(etcd);
  } finally {
    await kingly.stop();
    await etcd?.stop();
  }
  const report: Report = {
    date: new Date().toISOString().slice(0, 10),
    node: process.versions.node,
    cpus: cpus().length,
    commit: commit(),
    etcdVersion: version,
    valueBytes: VALUE_BYTES,
    rows,
    memoryMib,
    simulatorVirtualSecondsPerSecond: simulatorSpeed(),
  };
  process.stdout.write(formatReport(report));
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
}

await main();
