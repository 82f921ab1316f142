// Command line of kingly-workload.
import { parseArgs } from "node:util";
import { PROFILE_NAMES } from "./load/profiles.ts";
import type { ProfileName } from "./load/profiles.ts";

/** Checked options. */
export interface Options {
  /** 0..65535; 0 = the system chooses. */
  readonly port: number;
  /** JSON file of tunables, read at start and on POST /reload. */
  readonly configFile: string | undefined;
  readonly profile: ProfileName | "none";
  /** Seed of texts and arrival times, 0..4294967295. */
  readonly seed: number;
  /** Base URL the load goes to; undefined = this process's own service. */
  readonly target: string | undefined;
  readonly exitWithParent: boolean;
  readonly help: boolean;
}

/** A wrong command line; the message names option, limit and value. */
export class UsageError extends Error {
  override readonly name: string = "UsageError";
}

/** What --help prints. */
export const USAGE: string = `kingly-workload: an inference service with hot tunables, and its load

  --port N            port on 127.0.0.1; 0 (default) lets the system choose
  --config FILE       JSON tunables: maxBatchSize, batchWindowMs, cacheEntries, workers
  --profile NAME      ${PROFILE_NAMES.join(" | ")} | none (default)
  --seed N            seed of the load (default 1)
  --target URL        send the load to this http service instead of the own one
  --exit-with-parent  stop when standard input ends or the parent process is gone
  --help

Prints {"listening": port} when ready. Stops on SIGTERM and SIGINT.
`;

/** Parses the arguments after the script name; throws UsageError. */
export function parseOptions(args: readonly string[]): Options {
  const values = parse(args);
  const profile = values.profile ?? "none";
  if (profile !== "none" && !isProfile(profile)) {
    throw new UsageError(`--profile must be one of ${PROFILE_NAMES.join(", ")}, none: ${profile}`);
  }
  if (values.target !== undefined && profile === "none") {
    throw new UsageError("--target needs a --profile other than none");
  }
  return {
    port: integer("--port", values.port ?? "0", 65_535),
    configFile: values.config,
    profile,
    seed: integer("--seed", values.seed ?? "1", 4_294_967_295),
    target: values.target === undefined ? undefined : checkedTarget(values.target),
    exitWithParent: values["exit-with-parent"] ?? false,
    help: values.help ?? false,
  };
}

interface RawValues {
  readonly port?: string;
  readonly config?: string;
  readonly profile?: string;
  readonly seed?: string;
  readonly target?: string;
  readonly "exit-with-parent"?: boolean;
  readonly help?: boolean;
}

function parse(args: readonly string[]): RawValues {
  try {
    return parseArgs({
      args: [...args],
      strict: true,
      allowPositionals: false,
      options: {
        port: { type: "string" },
        config: { type: "string" },
        profile: { type: "string" },
        seed: { type: "string" },
        target: { type: "string" },
        "exit-with-parent": { type: "boolean" },
        help: { type: "boolean" },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function isProfile(name: string): name is ProfileName {
  return (PROFILE_NAMES as readonly string[]).includes(name);
}

function integer(option: string, text: string, maximum: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > maximum) {
    throw new UsageError(`${option} must be an integer from 0 to ${maximum}, found ${text}`);
  }
  return value;
}

function checkedTarget(text: string): string {
  if (!URL.canParse(text) || new URL(text).protocol !== "http:") {
    throw new UsageError(`--target must be an http URL, found ${text}`);
  }
  return text;
}
