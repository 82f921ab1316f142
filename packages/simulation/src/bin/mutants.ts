// `npm run sim:mutants`: the command line of the hunt for mutants.

import { availableParallelism } from "node:os";
import { KinglyError } from "@kingly/base";
import { MUTANTS_HELP, mutantsCommand, parseMutantOptions } from "../mutants/command.ts";

try {
  const options = parseMutantOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(MUTANTS_HELP);
  else {
    const print = (line: string): void => void process.stdout.write(`${line}\n`);
    process.exitCode = await mutantsCommand(options, availableParallelism(), print);
  }
} catch (error) {
  if (!(error instanceof KinglyError)) throw error;
  process.stderr.write(`sim:mutants: ${error.message}\n`);
  process.exitCode = 2;
}
