// Command line of the demonstration.

import { parseArgs } from "node:util";

/** What the demonstration shows. */
export type Scenario = "default" | "harmful" | "harmless";

/** Parsed command line. */
export interface Options {
  /** End by itself with a JSON summary as the last line. */
  readonly once: boolean;
  readonly scenario: Scenario;
  /** Where everything is kept; undefined = chosen by `once`. */
  readonly dir: string | undefined;
  /** Keep the directory of `--once` for inspection. */
  readonly keep: boolean;
  readonly help: boolean;
}

/** Text of `--help`. */
export const USAGE: string = `npm start -- [options]

  --once                end by itself; the last line is a JSON summary
  --scenario NAME       default | harmful | harmless
  --dir DIR             keep the data here (default: .kingly/demo; with --once a new temporary one)
  --keep                with --once: do not remove the directory at the end
  --help                this text
`;

const SCENARIOS: readonly string[] = ["default", "harmful", "harmless"];

/**
 * Parses the arguments.
 * @throws Error with a sentence for people.
 */
export function parseOptions(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      once: { type: "boolean", default: false },
      scenario: { type: "string", default: "default" },
      dir: { type: "string" },
      keep: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (!SCENARIOS.includes(values.scenario)) {
    throw new Error(`--scenario: "${values.scenario}" is not one of ${SCENARIOS.join(", ")}`);
  }
  return {
    once: values.once,
    scenario: values.scenario as Scenario,
    dir: values.dir,
    keep: values.keep,
    help: values.help,
  };
}
