#!/usr/bin/env node
// npm start: see options.ts for the command line and run.ts for what happens.
// Exit codes: 0 the story reached its end (or Ctrl-C), 1 it did not, 2 wrong usage.

import { claimLayout, prepareLayout, removeLayout } from "./layout.ts";
import { exitCodeOf } from "./outcome.ts";
import { parseOptions, USAGE, type Options } from "./options.ts";
import { runStory } from "./run.ts";
import { printWhatNext } from "./summary.ts";
import { Supervisor } from "./supervisor.ts";
import { createTerminal } from "./terminal.ts";

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    // A timer keeps the process alive: listeners alone do not.
    const timer = setInterval(() => undefined, 60_000);
    signal.addEventListener("abort", () => {
      clearInterval(timer);
      resolve();
    });
  });
}

async function tell(options: Options): Promise<number> {
  const startMs = Date.now() - Math.round(process.uptime() * 1000);
  const layout = prepareLayout(options);
  let release: () => void;
  try {
    release = claimLayout(layout);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
  const terminal = createTerminal(process.stdout, startMs);
  const controller = new AbortController();
  let died = "";
  const supervisor = new Supervisor({
    logFolder: layout.logs,
    onDeath: (name, explanation) => {
      died = `${name} ${explanation}`;
      terminal.line(terminal.paint.red(died));
      if (options.once) controller.abort();
    },
  });
  process.on("exit", () => supervisor.killAll());
  const interrupt = (): void => controller.abort();
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  let summary: string | undefined;
  let exitCode = 1;
  try {
    const context = { options, layout, supervisor, terminal, signal: controller.signal, startMs };
    const { fleet, outcome } = await runStory(context);
    if (options.once) {
      if (outcome !== undefined) summary = JSON.stringify(outcome.summary);
      exitCode = exitCodeOf(outcome);
    } else {
      printWhatNext(terminal, fleet, outcome?.summary.proposal ?? "NAME");
      await untilAborted(controller.signal);
      exitCode = 0;
    }
    await fleet.client.close();
  } catch (error) {
    if (!controller.signal.aborted || died !== "") {
      terminal.line(terminal.paint.red(error instanceof Error ? error.message : String(error)));
      terminal.line(`logs of all processes: ${layout.logs}`);
    } else exitCode = options.once ? 1 : 0;
  } finally {
    terminal.line(terminal.paint.dim("stopping ..."));
    await supervisor.stopAll();
    release();
    if (exitCode === 0) removeLayout(layout);
  }
  if (summary !== undefined) process.stdout.write(`${summary}\n`);
  return exitCode;
}

async function main(): Promise<number> {
  let options: Options;
  try {
    options = parseOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  return tell(options);
}

process.exit(await main());
