// `npm run sim:mutants`: are all known mistakes found? One line per mutant, in the order of the list
// whatever order they were killed in, and the same in every run.

import { KinglyError } from "@kingly/base";
import { SEEDS_MAX } from "../limits.ts";
import { hunt } from "./hunt.ts";
import type { Kill } from "./hunt.ts";
import { MUTANTS } from "./list.ts";
import type { Mutant } from "./mutant.ts";

/** What the caller asked for. */
export interface MutantOptions {
  readonly mutants: readonly Mutant[];
  /** Seeds for every mutant; 0: the number that each states. */
  readonly seeds: number;
  /** Say more of each kill. */
  readonly verbose: boolean;
  readonly help: boolean;
}

/** What `--help` prints. */
export const MUTANTS_HELP = `Usage: npm run sim:mutants [-- options]

Makes known mistakes in the built code, one at a time, and lets the simulator find each of them.

  --only NAME      this mutant only (may be repeated)
  --seeds N        try N seeds instead of the number that each mutant states
  --verbose        say what was seen of each mutant
  --help           this text

Exit code 0: all were killed; 1: one survived or could not be made; 2: wrong arguments.
`;

/** Reads the arguments. Throws KinglyError Usage naming the option, its limit and the value. */
export function parseMutantOptions(args: readonly string[]): MutantOptions {
  const only: Mutant[] = [];
  let options: MutantOptions = { mutants: MUTANTS, seeds: 0, verbose: false, help: false };
  const rest = [...args];
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    if (name === "--help") options = { ...options, help: true };
    else if (name === "--verbose") options = { ...options, verbose: true };
    else if (name === "--only") only.push(mutantNamed(rest.shift()));
    else if (name === "--seeds") options = { ...options, seeds: seedsOf(rest.shift()) };
    else throw new KinglyError("Usage", `unknown option ${name}`, { field: name });
  }
  return only.length > 0 ? { ...options, mutants: only } : options;
}

function mutantNamed(text: string | undefined): Mutant {
  const found = MUTANTS.find(({ name }) => name === text);
  if (found !== undefined) return found;
  const limit = MUTANTS.map(({ name }) => name).join(", ");
  const value = text ?? "nothing";
  const message = `--only must be one of ${limit}, not ${value}`;
  throw new KinglyError("Usage", message, { field: "--only", limit, value });
}

function seedsOf(text: string | undefined): number {
  const value = Number(text);
  if (text !== undefined && /^\d+$/.test(text) && value >= 1 && value <= SEEDS_MAX) return value;
  const shown = text ?? "nothing";
  const message = `--seeds must be a whole number from 1 to ${SEEDS_MAX}, not ${shown}`;
  throw new KinglyError("Usage", message, { field: "--seeds", limit: SEEDS_MAX, value: shown });
}

/** Hunts in this many workers at a time, prints the table, and returns the exit code. */
export async function mutantsCommand(
  options: MutantOptions,
  jobs: number,
  print: (line: string) => void,
): Promise<0 | 1> {
  print(`${"mutant".padEnd(26)} ${"killed by".padEnd(22)} ${"seeds".padStart(9)}  what it breaks`);
  const { mutants, seeds } = options;
  const kills: Promise<Kill>[] = [];
  const running: Promise<unknown>[] = Array.from({ length: jobs }, () => Promise.resolve());
  for (const [at, mutant] of mutants.entries()) {
    // Each lane hunts one mutant after the other.
    const before = running[at % jobs] ?? Promise.resolve();
    const kill = before.then(() => hunt(mutant, seeds === 0 ? mutant.seedsMax : seeds));
    kills.push(kill);
    running[at % jobs] = kill.catch(() => {});
  }
  let lost = 0;
  for (const [at, mutant] of mutants.entries()) {
    try {
      const kill = await kills[at];
      if (kill?.property === undefined) lost += 1;
      if (kill !== undefined) print(line(kill, seeds));
      if (options.verbose && kill?.property !== undefined) print(`    ${kill.message}`);
    } catch (error) {
      lost += 1;
      print(`${mutant.name.padEnd(26)} ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  print(`${mutants.length - lost} of ${mutants.length} mutants killed`);
  return lost > 0 ? 1 : 0;
}

function line({ mutant, property, seeds }: Kill, asked: number): string {
  const names: Readonly<Record<string, string>> = { "no-crash": "own assertion" };
  const by = property === undefined ? "SURVIVED" : (names[property] ?? property);
  const limit = asked === 0 ? mutant.seedsMax : asked;
  const tried = `${seeds}/${limit}`;
  return `${mutant.name.padEnd(26)} ${by.padEnd(22)} ${tried.padStart(9)}  ${mutant.breaks}`;
}
