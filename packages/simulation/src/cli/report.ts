// What the simulator prints: one line per seed in fixed columns, the same bytes in every run of the
// seed. Nothing here knows real time.

import type { RunResult } from "../cluster/run.ts";

/** Where lines go. */
export type Print = (line: string) => void;

interface Column {
  readonly title: string;
  readonly width: number;
  readonly value: (result: RunResult) => string;
}

const COLUMNS: readonly Column[] = [
  { title: "seed", width: 8, value: (r) => String(r.seed) },
  { title: "machine", width: 9, value: (r) => r.scenario.machine },
  { title: "servers", width: 7, value: (r) => String(r.scenario.servers) },
  { title: "virtual-s", width: 10, value: (r) => r.counts.virtualSeconds.toFixed(3) },
  { title: "terms", width: 6, value: (r) => String(r.counts.terms) },
  { title: "entries", width: 7, value: (r) => String(r.counts.committed) },
  { title: "writes", width: 7, value: (r) => String(r.counts.writes) },
  { title: "reads", width: 7, value: (r) => String(r.counts.reads) },
  { title: "unknown", width: 7, value: (r) => String(r.counts.unknown) },
  { title: "faults", width: 6, value: (r) => String(r.counts.faults) },
  { title: "restarts", width: 8, value: (r) => String(r.counts.starts) },
  { title: "snapshots", width: 9, value: (r) => String(r.counts.snapshots) },
  { title: "messages", width: 9, value: (r) => String(r.counts.messages) },
  { title: "state", width: 13, value: (r) => hex(r.counts.rowsPrint) },
  { title: "result", width: 6, value: (r) => (r.violation === undefined ? "ok" : "FAILED") },
];

function hex(print: number): string {
  return print.toString(16).padStart(12, "0");
}

/** The line above the columns. */
export function headerLine(): string {
  return COLUMNS.map(({ title, width }) => title.padStart(width)).join(" ");
}

/** The line of one seed. */
export function resultLine(result: RunResult): string {
  return COLUMNS.map(({ width, value }) => value(result).padStart(width)).join(" ");
}

/** What a failure adds: property, seed and the command that shows it again. */
export function failureLines(result: RunResult, command: string): readonly string[] {
  const { violation, seed } = result;
  if (violation === undefined) return [];
  return [
    `  violated: ${violation.property}`,
    `  what:     ${violation.message}`,
    `  seed:     ${seed}`,
    `  replay:   ${command}`,
  ];
}

/** The last line. */
export function totalsLine(results: readonly RunResult[]): string {
  const sum = (of: (result: RunResult) => number): number =>
    results.reduce((total, result) => total + of(result), 0);
  const failed = results.filter((result) => result.violation !== undefined).length;
  const operations = sum((r) => r.counts.writes + r.counts.reads);
  return (
    `${results.length} seeds, ${failed} failed, ${sum((r) => r.counts.virtualSeconds).toFixed(1)} ` +
    `virtual seconds, ${sum((r) => r.counts.faults)} faults, ${sum((r) => r.counts.starts)} restarts, ` +
    `${operations} operations (${sum((r) => r.counts.unknown)} unknown)`
  );
}
