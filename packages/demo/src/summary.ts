// The end of the story for people: a table of the nodes, and what to try next.

import type { Outcome } from "./outcome.ts";
import type { RunningFleet } from "./run.ts";
import type { Terminal } from "./terminal.ts";

/** Prints the table. */
export function printOutcome(terminal: Terminal, outcome: Outcome): void {
  const { summary, nodes } = outcome;
  const { paint } = terminal;
  const width = (pick: (row: Outcome["nodes"][number]) => string): number =>
    Math.max(...nodes.map((row) => pick(row).length));
  const nodeWidth = width((row) => row.node);
  const trafficWidth = width((row) => row.traffic);
  terminal.line("");
  terminal.line(
    paint.bold(`${summary.proposal}: ${summary.verdict}`) +
      `, votes ${summary.votes.accept} accept / ${summary.votes.reject} reject / ` +
      `${summary.votes.abstain} abstain, after ${summary.seconds} s`,
  );
  for (const { node, traffic, state } of nodes) {
    terminal.line(`  ${node.padEnd(nodeWidth)}  ${traffic.padEnd(trafficWidth)}  ${state}`);
  }
}

/** Prints commands that work against the running fleet. */
export function printWhatNext(terminal: Terminal, fleet: RunningFleet, proposal: string): void {
  const ctl = `node packages/cli/dist/main.js --kubeconfig ${fleet.files.kubeconfig}`;
  const lines = [
    "",
    "The fleet stays up until Ctrl-C. In another terminal:",
    `  alias kinglyctl="${ctl}"`,
    `  kinglyctl why proposal ${proposal}`,
    "  kinglyctl get nodeconfigs",
    '  kinglyctl propose inference --set batchWindowMs=25 --reason "too long" --wait',
    '  kinglyctl veto node-2 inference --reason "maintenance"',
    "  kinglyctl cluster status",
  ];
  for (const line of lines) terminal.line(line);
}
