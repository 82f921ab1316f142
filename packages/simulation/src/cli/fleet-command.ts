// `sim --fleet`: fleets of nodes that decide on a change, seed by seed.

import { runFleet } from "../fleet/run.ts";
import type { FleetResult } from "../fleet/run.ts";
import type { CommandResult, Output } from "./cluster-command.ts";
import type { CliOptions } from "./options.ts";

interface Column {
  readonly title: string;
  readonly width: number;
  readonly value: (result: FleetResult) => string;
}

const COLUMNS: readonly Column[] = [
  { title: "seed", width: 8, value: (r) => String(r.seed) },
  { title: "story", width: 9, value: (r) => r.scenario.story },
  { title: "nodes", width: 5, value: (r) => String(r.scenario.nodes) },
  { title: "virtual-s", width: 10, value: (r) => r.virtualSeconds.toFixed(0) },
  { title: "outcome", width: 12, value: (r) => r.phase },
  { title: "votes", width: 5, value: (r) => String(r.votes) },
  { title: "vetoes", width: 6, value: (r) => String(r.vetoes) },
  { title: "trial-applies", width: 13, value: (r) => String(r.trialApplies) },
  { title: "restarts", width: 8, value: (r) => String(r.restarts) },
  { title: "entries", width: 7, value: (r) => String(r.entries) },
  { title: "state", width: 12, value: (r) => r.stateHash.slice(0, 12) },
  { title: "result", width: 6, value: (r) => (r.violation === undefined ? "ok" : "FAILED") },
];

/** Runs the seeds and prints a line for each. */
export async function fleetCommand(options: CliOptions, output: Output): Promise<CommandResult> {
  output.print(COLUMNS.map(({ title, width }) => title.padStart(width)).join(" "));
  let virtualSeconds = 0;
  let failed = 0;
  const outcomes = new Map<string, number>();
  for (let at = 0; at < options.seeds; at += 1) {
    const seed = options.firstSeed + at;
    const trace = options.trace ? output.trace : undefined;
    const result = await runFleet({ seed, trace });
    virtualSeconds += result.virtualSeconds;
    const outcome = `${result.scenario.story} ${result.phase}`;
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    output.print(COLUMNS.map(({ width, value }) => value(result).padStart(width)).join(" "));
    if (result.violation === undefined) continue;
    failed += 1;
    output.print(`  violated: ${result.violation.property}`);
    output.print(`  what:     ${result.violation.message}`);
    output.print(`  seed:     ${seed}`);
    output.print(`  replay:   npm run sim -- --fleet --seeds 1 --seed ${seed}`);
  }
  const summary = [...outcomes].sort(([a], [b]) => (a < b ? -1 : 1));
  const counts = summary.map(([outcome, count]) => `${outcome} ${count}`).join(", ");
  const seconds = virtualSeconds.toFixed(1);
  output.print(`${options.seeds} seeds, ${failed} failed, ${seconds} virtual seconds (${counts})`);
  return { exitCode: failed > 0 ? 1 : 0, virtualSeconds };
}
