// Command line of the simulator.

import { KinglyError } from "@kingly/base";
import { SECONDS_MAX, SEEDS_MAX, WORKERS_MAX } from "../limits.ts";

/** What the caller asked for. */
export interface CliOptions {
  readonly seeds: number;
  readonly firstSeed: number;
  /** Length of the safety phase. */
  readonly seconds: number;
  /** 0: drawn per seed. */
  readonly servers: 0 | 3 | 5;
  readonly machine: "register" | "decision" | undefined;
  /** Short, dense runs whose kinds and sizes of faults differ more from seed to seed. */
  readonly swarm: boolean;
  /** Worker processes; 0: none with one seed or a trace, else one per processor for a swarm. */
  readonly jobs: number;
  readonly fleet: boolean;
  readonly trace: boolean;
  readonly help: boolean;
}

/** Virtual seconds of faults in a run of the swarm. */
const SWARM_SECONDS = 4;

const DEFAULTS: CliOptions = {
  seeds: 20,
  firstSeed: 1,
  seconds: 20,
  servers: 0,
  machine: undefined,
  swarm: false,
  jobs: 0,
  fleet: false,
  trace: false,
  help: false,
};

/** What `--help` prints. */
export const HELP: string = `Usage: npm run sim -- [options]

Runs simulated clusters in virtual time, one per seed, and checks their promises from outside.

  --seeds N        how many seeds to run (default ${DEFAULTS.seeds})
  --seed S         the first seed (default ${DEFAULTS.firstSeed})
  --seconds V      virtual seconds with faults before the healing (default ${DEFAULTS.seconds})
  --servers 3|5    size of the cluster (default: drawn per seed)
  --machine NAME   register or decision (default: drawn per seed)
  --fleet          decisions on a fleet of nodes instead of a cluster of servers
  --swarm          many short, dense runs: a random subset of faults and sizes per seed,
                   ${SWARM_SECONDS} virtual seconds each unless --seconds says otherwise
  --jobs N         worker processes (default: 1, for a swarm one per processor); the output
                   does not depend on them
  --trace          tell what happens, on standard error (use it with one seed)
  --help           this text

Exit code 0: every property held; 1: a property was violated; 2: wrong arguments.
`;

/** Reads the arguments. Throws KinglyError Usage naming the option, its limit and the value. */
export function parseOptions(args: readonly string[]): CliOptions {
  const isSwarm = args.includes("--swarm");
  let options = isSwarm ? { ...DEFAULTS, seconds: SWARM_SECONDS } : DEFAULTS;
  const rest = [...args];
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    options = { ...options, ...one(name, rest) };
  }
  return options;
}

function one(name: string, rest: string[]): Partial<CliOptions> {
  switch (name) {
    case "--seeds":
      return { seeds: integer(name, rest.shift(), SEEDS_MAX) };
    case "--seed":
      return { firstSeed: integer(name, rest.shift(), Number.MAX_SAFE_INTEGER) };
    case "--seconds":
      return { seconds: integer(name, rest.shift(), SECONDS_MAX) };
    case "--servers":
      return { servers: Number(choice(name, rest.shift(), ["3", "5"])) as 3 | 5 };
    case "--machine":
      return {
        machine: choice<"register" | "decision">(name, rest.shift(), ["register", "decision"]),
      };
    case "--swarm":
      return { swarm: true };
    case "--jobs":
      return { jobs: integer(name, rest.shift(), WORKERS_MAX) };
    case "--fleet":
      return { fleet: true };
    case "--trace":
      return { trace: true };
    case "--help":
      return { help: true };
    default:
      throw new KinglyError("Usage", `unknown option ${name}`, { field: name, help: "see --help" });
  }
}

function integer(field: string, text: string | undefined, limit: number): number {
  const value = Number(text);
  if (text !== undefined && /^\d+$/.test(text) && value >= 1 && value <= limit) return value;
  const shown = text ?? "nothing";
  const message = `${field} must be a whole number from 1 to ${limit}, not ${shown}`;
  throw new KinglyError("Usage", message, { field, limit, value: shown });
}

function choice<const T extends string>(
  field: string,
  text: string | undefined,
  allowed: readonly T[],
): T {
  const found = allowed.find((one) => one === text);
  if (found !== undefined) return found;
  const limit = allowed.join(", ");
  const message = `${field} must be one of ${limit}, not ${text ?? "nothing"}`;
  throw new KinglyError("Usage", message, { field, limit, value: text ?? "nothing" });
}
