// `sim` without --fleet: clusters of servers, seed by seed. Seeds may run in worker processes; lines
// come in the order of the seeds and are the same bytes whatever ran them.

import { availableParallelism } from "node:os";
import { runCluster } from "../cluster/run.ts";
import type { RunOptions, RunResult } from "../cluster/run.ts";
import { Pool } from "../workers/pool.ts";
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

/** The command that shows one seed again. */
export function replayCommand(options: CliOptions, seed: number): string {
  const swarm = options.swarm ? "--swarm " : "";
  const parts = [`npm run sim -- ${swarm}--seeds 1 --seed ${seed} --seconds ${options.seconds}`];
  if (options.servers !== 0) parts.push(`--servers ${options.servers}`);
  if (options.machine !== undefined) parts.push(`--machine ${options.machine}`);
  return parts.join(" ");
}

function jobsOf(options: CliOptions): number {
  if (options.trace || options.seeds === 1) return 1;
  if (options.jobs > 0) return Math.min(options.jobs, options.seeds);
  return options.swarm ? Math.min(availableParallelism(), options.seeds) : 1;
}

/** Runs the seeds and prints a line for each. */
export async function clusterCommand(options: CliOptions, output: Output): Promise<CommandResult> {
  output.print(headerLine());
  const { servers, seconds, machine, swarm, firstSeed, seeds } = options;
  const optionsOf = (seed: number): RunOptions => ({ seed, servers, seconds, machine, swarm });
  const results: RunResult[] = [];
  const report = (result: RunResult): void => {
    results.push(result);
    output.print(resultLine(result));
    const command = replayCommand(options, result.seed);
    for (const line of failureLines(result, command)) output.print(line);
  };
  const jobs = jobsOf(options);
  if (jobs === 1) {
    const trace = options.trace ? output.trace : undefined;
    for (let at = 0; at < seeds; at += 1) {
      report(await runCluster({ ...optionsOf(firstSeed + at), trace }));
    }
  } else {
    const pool = new Pool(jobs);
    try {
      const tasks = function* (): Iterable<RunOptions> {
        for (let at = 0; at < seeds; at += 1) yield optionsOf(firstSeed + at);
      };
      for await (const result of pool.inOrder(tasks())) report(result);
    } finally {
      pool.close();
    }
  }
  output.print(totalsLine(results));
  const failed = results.some((result) => result.violation !== undefined);
  const virtualSeconds = results.reduce((sum, one) => sum + one.counts.virtualSeconds, 0);
  return { exitCode: failed ? 1 : 0, virtualSeconds };
}
