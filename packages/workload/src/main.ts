#!/usr/bin/env node
// kingly-workload: one process that answers inference requests over HTTP and, if asked, loads itself
// (or another one) with real requests. Exit codes: 0 stopped as asked, 1 failed, 2 wrong usage.
import { fstatSync } from "node:fs";
import { startApp, StartError } from "./app.ts";
import { PARENT_CHECK_MS } from "./limits.ts";
import { parseOptions, USAGE, UsageError } from "./options.ts";
import type { Options } from "./options.ts";

async function main(args: readonly string[]): Promise<void> {
  const options = parseOptions(args);
  if (options.help) {
    process.stdout.write(USAGE);
    return;
  }
  const asked = stopSignal(options);
  const app = await Promise.race([startApp(options), asked]);
  if (app === undefined) process.exit(0); // Asked to stop before it was ready.
  process.stdout.write(`${JSON.stringify({ listening: app.port })}\n`);
  await asked;
  await app.stop();
  process.exit(0);
}

/** Resolves when the process should stop. */
async function stopSignal(options: Options): Promise<undefined> {
  await new Promise<void>((resolve) => {
    process.on("SIGTERM", () => resolve());
    process.on("SIGINT", () => resolve());
    process.stdout.on("error", () => resolve());
    if (!options.exitWithParent) return;
    const parent = process.ppid;
    if (stdinIsHeld()) {
      process.stdin.on("end", () => resolve()).on("error", () => resolve());
      process.stdin.resume();
    }
    setInterval(() => {
      if (process.ppid !== parent) resolve();
    }, PARENT_CHECK_MS).unref();
  });
  return undefined;
}

/** True when a parent holds the other end of standard input; a file or /dev/null says nothing. */
function stdinIsHeld(): boolean {
  const kind = fstatSync(0);
  return kind.isFIFO() || kind.isSocket();
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  const usage = error instanceof UsageError || error instanceof StartError;
  const text = error instanceof Error ? (usage ? error.message : error.stack) : String(error);
  process.stderr.write(`kingly-workload: ${text ?? ""}\n`);
  process.exit(usage ? 2 : 1);
}
