// Results as a table for people and as JSON for machines.

import type { LoadResult } from "./load.ts";

/** One row of the comparison. */
export interface Row {
  readonly what: string;
  readonly clients: number;
  readonly kingly: LoadResult;
  readonly etcd: LoadResult | undefined;
  /** Throughput of Kingly over etcd's in the same run; undefined without etcd. */
  readonly ratio: number | undefined;
}

/** Everything one run measured. */
export interface Report {
  readonly date: string;
  readonly node: string;
  readonly cpus: number;
  readonly commit: string;
  readonly etcdVersion: string | undefined;
  readonly valueBytes: number;
  readonly rows: readonly Row[];
  readonly memoryMib: Readonly<Record<string, number>>;
  readonly simulatorVirtualSecondsPerSecond: number | undefined;
}

function load(result: LoadResult | undefined): string {
  if (result === undefined) return "-";
  const { perSecond, p50Ms, p99Ms, errors } = result;
  const failed = errors > 0 ? `, ${errors} errors` : "";
  return `${perSecond.toFixed(0)}/s, ${p50Ms.toFixed(1)} / ${p99Ms.toFixed(1)} ms${failed}`;
}

/** Markdown of a report. */
export function formatReport(report: Report): string {
  const lines = [
    `Run of ${report.date}, commit ${report.commit}, Node ${report.node}, ${report.cpus} cores, ` +
      `etcd ${report.etcdVersion ?? "not installed"}, ${report.valueBytes}-byte values.`,
    "",
    "| what | clients | kingly (p50 / p99) | etcd (p50 / p99) | ratio |",
    "| --- | --- | --- | --- | --- |",
    ...report.rows.map(
      ({ what, clients, kingly, etcd, ratio }) =>
        `| ${what} | ${clients} | ${load(kingly)} | ${load(etcd)} | ${ratio?.toFixed(2) ?? "-"} |`,
    ),
    "",
    "| memory, MiB resident | |",
    "| --- | --- |",
    ...Object.entries(report.memoryMib).map(([name, mib]) => `| ${name} | ${mib.toFixed(0)} |`),
  ];
  if (report.simulatorVirtualSecondsPerSecond !== undefined) {
    const speed = report.simulatorVirtualSecondsPerSecond.toFixed(0);
    lines.push("", `Simulator, three servers: ${speed} virtual seconds per second.`);
  }
  return `${lines.join("\n")}\n`;
}
