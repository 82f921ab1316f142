// `npm run measure`: starts one process per traffic profile and measures, by coin-flip switchback
// blocks, what three changes of the tunables really do to each. Prints ratios; the absolute numbers
// belong to the machine. Takes about three minutes. --pairs N changes the number of pairs.
import { parseArgs } from "node:util";
import { PROFILE_NAMES } from "../load/profiles.ts";
import { MeasuredProcess } from "../measure/process.ts";
import { runSwitchback } from "../measure/switchback.ts";
import type { Design, Effect, Outcome } from "../measure/switchback.ts";
import { Random } from "../random.ts";
import { DEFAULT_TUNABLES } from "../tunables.ts";
import type { Tunables } from "../tunables.ts";

const PAIRS_DEFAULT = 20;
const PAIRS_MAX = 1_000;
const SETTLE_MS = 3_000;
const CPU_SAMPLE_MS = 5_000;
const DENSE: Omit<Design, "pairs"> = { blockMs: 500, washOutMs: 200 };
const SPARSE: Omit<Design, "pairs"> = { blockMs: 1_000, washOutMs: 200 };

const SCENARIOS: readonly { readonly name: string; readonly tunables: Partial<Tunables> }[] = [
  { name: "batchWindowMs 0 -> 2", tunables: { batchWindowMs: 2 } },
  {
    name: "maxBatchSize 8 -> 32, batchWindowMs 0 -> 25",
    tunables: { maxBatchSize: 32, batchWindowMs: 25 },
  },
  { name: "cacheEntries 0 -> 100", tunables: { cacheEntries: 100 } },
];

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function wait(milliseconds: number): Promise<void> {
  await new Promise<void>((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}

function percent(value: number): string {
  if (Number.isNaN(value)) return "n/a";
  return `${value > 0 ? "+" : ""}${(100 * value).toFixed(0)} %`;
}

function shown(effect: Effect): string {
  const width = (100 * effect.plusMinus).toFixed(0);
  return `${percent(effect.change)} ±${width} (sd ${effect.sd.toFixed(2)})`;
}

function row(profile: string, outcome: Outcome): string {
  const cells = [
    profile.padEnd(14),
    shown(outcome.latency).padEnd(24),
    percent(outcome.p95Change).padEnd(10),
    shown(outcome.cpu).padEnd(24),
    `${outcome.pairs} (${outcome.empty} empty)`.padEnd(14),
    outcome.oldMeanMs.toFixed(2),
  ];
  return `  ${cells.join("")}`;
}

async function printCost(processes: readonly MeasuredProcess[]): Promise<void> {
  const before = await Promise.all(processes.map(async (one) => one.read()));
  await wait(CPU_SAMPLE_MS);
  const after = await Promise.all(processes.map(async (one) => one.read()));
  let total = 0;
  print("cost at the default tunables: share of one core (service + load), resident memory");
  for (const [index, one] of processes.entries()) {
    const [from, to] = [before[index], after[index]];
    if (from === undefined || to === undefined) continue;
    const service = (to.cpuSeconds - from.cpuSeconds) / (CPU_SAMPLE_MS / 1_000);
    const load = (to.loadCpuSeconds - from.loadCpuSeconds) / (CPU_SAMPLE_MS / 1_000);
    total += service + load;
    const cpu = `${(100 * service).toFixed(0)} % + ${(100 * load).toFixed(0)} %`;
    print(`  ${one.profile.padEnd(14)}${cpu.padEnd(16)}${one.residentMb().toFixed(0)} MB`);
  }
  print(`  ${"all".padEnd(14)}${(100 * total).toFixed(0)} %\n`);
}

async function measure(processes: readonly MeasuredProcess[], pairs: number): Promise<void> {
  for (const [index, { name, tunables }] of SCENARIOS.entries()) {
    const arms = { old: DEFAULT_TUNABLES, new: { ...DEFAULT_TUNABLES, ...tunables } };
    const outcomes = await Promise.all(
      processes.map(async (one, node) => {
        const design = { ...(one.profile === "sparse" ? SPARSE : DENSE), pairs };
        return runSwitchback(one, arms, design, new Random(1_000 * index + node));
      }),
    );
    print(name);
    print(
      "  profile       mean latency            p95       CPU per request         pairs  old ms",
    );
    for (const [node, outcome] of outcomes.entries()) {
      print(row(processes[node]?.profile ?? "", outcome));
    }
    print("");
  }
  const readings = await Promise.all(processes.map(async (one) => one.read()));
  print(`requests dropped by the load: ${readings.reduce((sum, one) => sum + one.dropped, 0)}`);
}

const { values } = parseArgs({ options: { pairs: { type: "string" } } });
const pairs = Number(values.pairs ?? PAIRS_DEFAULT);
if (!Number.isInteger(pairs) || pairs < 2 || pairs > PAIRS_MAX) {
  throw new RangeError(`--pairs must be an integer from 2 to ${PAIRS_MAX}, found ${values.pairs}`);
}
const processes = await Promise.all(
  PROFILE_NAMES.map(async (profile, index) => MeasuredProcess.start(profile, index + 1)),
);
try {
  await wait(SETTLE_MS);
  await printCost(processes);
  await measure(processes, pairs);
} finally {
  await Promise.all(processes.map(async (one) => one.stop()));
}
