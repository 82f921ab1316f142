// `sim` without --fleet: clusters of servers, seed by seed, or the seeded bugs.

import { CANARIES } from "../cluster/bugs.ts";
import type { Canary } from "../cluster/bugs.ts";
import { runCluster } from "../cluster/run.ts";
import type { RunResult } from "../cluster/run.ts";
import type { CliOptions } from "./options.ts";
import { failureLines, headerLine, resultLine, totalsLine } from "./report.ts";
import type { Print } from "./report.ts";

/** Where output goes. */
export interface Output {
  readonly print: Print;
  readonly trace: Print;
}

/** What a command did. */
export interface CommandResult {
  readonly exitCode: 0 | 1;
  readonly virtualSeconds: number;
}

function runSeed(
  options: CliOptions,
  seed: number,
  bug: Canary | undefined,
  output: Output,
): Promise<RunResult> {
  const { servers, seconds, machine } = options;
  const trace = options.trace ? output.trace : undefined;
  return runCluster({ seed, servers, seconds, machine, bug, trace });
}

/** The command that shows one seed again. */
export function replayCommand(options: CliOptions, seed: number): string {
  const parts = [`npm run sim -- --seeds 1 --seed ${seed} --seconds ${options.seconds}`];
  if (options.servers !== 0) parts.push(`--servers ${options.servers}`);
  if (options.machine !== undefined) parts.push(`--machine ${options.machine}`);
  if (options.canary !== undefined) parts.push(`--canary ${options.canary}`);
  return parts.join(" ");
}

/** Runs the seeds; with a seeded bug it stops at the first failure. */
export async function clusterCommand(options: CliOptions, output: Output): Promise<CommandResult> {
  const { canary } = options;
  if (canary === "all") return canariesCommand(options, output);
  output.print(headerLine());
  const results: RunResult[] = [];
  for (let at = 0; at < options.seeds; at += 1) {
    const result = await runSeed(options, options.firstSeed + at, canary, output);
    // Results are kept for the totals only; the scenario's parts need not be.
    results.push(result);
    output.print(resultLine(result));
    for (const line of failureLines(result, replayCommand(options, result.seed))) {
      output.print(line);
    }
    if (result.violation !== undefined && canary !== undefined) break;
  }
  output.print(totalsLine(results));
  const failed = results.some((result) => result.violation !== undefined);
  return { exitCode: failed ? 1 : 0, virtualSeconds: virtualSecondsOf(results) };
}

async function canariesCommand(options: CliOptions, output: Output): Promise<CommandResult> {
  const results: RunResult[] = [];
  let missed = 0;
  output.print(`${"canary".padEnd(20)} ${"seeds".padStart(6)}  found by`);
  for (const bug of CANARIES) {
    let found: RunResult | undefined;
    let tried = 0;
    while (found === undefined && tried < options.seeds) {
      const result = await runSeed(options, options.firstSeed + tried, bug, output);
      tried += 1;
      results.push(result);
      if (result.violation !== undefined) found = result;
    }
    if (found === undefined) missed += 1;
    const how = found?.violation?.property ?? "MISSED";
    output.print(`${bug.padEnd(20)} ${String(tried).padStart(6)}  ${how}`);
  }
  output.print(`${CANARIES.length - missed} of ${CANARIES.length} canaries found`);
  return { exitCode: missed > 0 ? 1 : 0, virtualSeconds: virtualSecondsOf(results) };
}

function virtualSecondsOf(results: readonly RunResult[]): number {
  return results.reduce((total, result) => total + result.counts.virtualSeconds, 0);
}
