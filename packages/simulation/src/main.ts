// `npm run sim`: the simulator's command line. Standard output depends on the arguments only; how long
// it really took goes to standard error.

import { KinglyError } from "@kingly/base";
import { clusterCommand } from "./cli/cluster-command.ts";
import { fleetCommand } from "./cli/fleet-command.ts";
import { HELP, parseOptions } from "./cli/options.ts";

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const output = {
    print: (line: string) => void process.stdout.write(`${line}\n`),
    trace: (line: string) => void process.stderr.write(`${line}\n`),
  };
  const startedAt = performance.now();
  const startedCpu = process.cpuUsage();
  const command = options.fleet ? fleetCommand : clusterCommand;
  const { exitCode, virtualSeconds } = await command(options, output);
  const seconds = (performance.now() - startedAt) / 1000;
  const cpu = process.cpuUsage(startedCpu);
  const cpuSeconds = (cpu.user + cpu.system) / 1_000_000;
  process.stderr.write(
    `${virtualSeconds.toFixed(1)} virtual seconds in ${seconds.toFixed(1)} real seconds: ` +
      `${(virtualSeconds / seconds).toFixed(0)} virtual seconds per real second ` +
      `(${(virtualSeconds / cpuSeconds).toFixed(0)} per second of processor time)\n`,
  );
  return exitCode;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof KinglyError)) throw error;
  process.stderr.write(`sim: ${error.message}\n`);
  process.exitCode = 2;
}
