#!/usr/bin/env node
// kingly-agent: one node's agent. Prints one line {"ready":...} when it has started, then one line per
// event. SIGTERM and SIGINT stop it gracefully: a trial or an unconfirmed version ends on the last
// known good content, and the configuration stays.

import { parseArgs } from "node:util";
import { KinglyError, toKinglyError } from "@kingly/base";
import { startAgent } from "./agent.ts";
import { loadAgentConfig } from "./config/load.ts";
import { Output } from "./output.ts";
import type { LogFormat } from "./output.ts";

const USAGE = `usage: kingly-agent --config FILE [--log-format json|text] [--log-level debug|info|warn|error]`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      config: { type: "string" },
      "log-format": { type: "string", default: "json" },
      "log-level": { type: "string", default: "info" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const format = oneOf("--log-format", values["log-format"], ["json", "text"] as const);
  const levels = ["debug", "info", "warn", "error"] as const;
  const level = oneOf("--log-level", values["log-level"], levels);
  if (values.config === undefined) {
    throw new KinglyError("Usage", `--config is missing\n${USAGE}`, { field: "--config" });
  }
  const config = await loadAgentConfig(values.config);
  const write = (line: string): void => void process.stdout.write(line);
  const output = new Output({ format: format satisfies LogFormat, level, write });
  const agent = await startAgent(config, output);
  const { clusterId, node } = agent.enrollment;
  const ready = { node, clusterId, statusPort: agent.statusPort, pid: process.pid };
  write(`${JSON.stringify({ ready })}\n`);
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    agent.stop().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    );
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
}

function oneOf<T extends string>(flag: string, value: string, options: readonly T[]): T {
  const found = options.find((option) => option === value);
  if (found !== undefined) return found;
  throw new KinglyError("Usage", `${flag}: must be one of ${options.join(", ")}, is ${value}`, {
    field: flag,
    limit: options.join(", "),
    value,
  });
}

function fail(error: unknown): never {
  const problem = toKinglyError(error);
  console.error(`kingly-agent: ${problem.message}`);
  if (problem.details.help !== undefined) console.error(`  ${problem.details.help}`);
  process.exit(problem.info.exit);
}

main().catch(fail);
