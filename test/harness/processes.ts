// Real processes for tests: started until they say ready, ended by their number with the signal that
// the test chooses, and none of them outlives the test, not even one that is itself killed.

import { spawn, type ChildProcess } from "node:child_process";
import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { PATIENCE_MS } from "./until.ts";

/** A JSON line that a process printed. */
export type Line = Readonly<Record<string, unknown>>;

/** How a process ended. */
export interface Exit {
  /** null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** What to start. */
export interface Spec {
  readonly name: string;
  /** Script and arguments, run by this Node. */
  readonly args: readonly string[];
  /** It is ready when it prints a JSON line with this key. */
  readonly readyKey: string;
}

/** A process that was started. */
export class Running {
  readonly name: string;
  readonly pid: number;
  /** JSON lines so far, oldest first. */
  readonly lines: Line[] = [];
  /** Everything it printed, line by line. */
  readonly output: string[] = [];
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;

  constructor(name: string, child: ChildProcess, logFile: string) {
    this.name = name;
    this.#child = child;
    this.pid = child.pid ?? 0;
    const readers = [child.stdout, child.stderr].flatMap((stream) =>
      stream === null ? [] : [createInterface({ input: stream })],
    );
    for (const reader of readers) reader.on("line", (line) => this.#take(line, logFile));
    // `close` comes after the last line of output, `exit` may come before it.
    this.exited = new Promise((resolve) => {
      child.once("close", (code, signal) => resolve({ code, signal }));
    });
  }

  #take(line: string, logFile: string): void {
    appendFileSync(logFile, `${line}\n`);
    this.output.push(line);
    if (!line.startsWith("{")) return;
    try {
      this.lines.push(JSON.parse(line) as Line);
    } catch {
      // Half a line of a process that was killed.
    }
  }

  /** True until it has ended. */
  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The last lines of output, for messages. */
  get lastWords(): string {
    return this.output.slice(-12).join("\n");
  }

  /** Sends a signal without waiting for what follows. */
  signal(signal: NodeJS.Signals): void {
    if (this.alive) this.#child.kill(signal);
  }

  /** Sends a signal and waits for the end. */
  async end(signal: NodeJS.Signals): Promise<Exit> {
    this.signal(signal);
    return this.exited;
  }
}

let reaper: ChildProcess | undefined;

function tellReaper(line: string): void {
  if (reaper === undefined) {
    const script = fileURLToPath(new URL("reaper.mjs", import.meta.url));
    reaper = spawn(process.execPath, [script], { stdio: ["pipe", "ignore", "ignore"] });
    // It must not keep the test runner alive: its own end is when the runner goes.
    reaper.unref();
    (reaper.stdin as unknown as { unref?: () => void } | null)?.unref?.();
  }
  reaper.stdin?.write(`${line}\n`);
}

/** Owner of all processes of one test file. */
export class Processes {
  readonly #logs: string;
  readonly #all = new Set<Running>();

  constructor(logs: string) {
    this.#logs = logs;
    mkdirSync(logs, { recursive: true });
  }

  /** Starts a script in this Node without waiting for anything. */
  launch(name: string, args: readonly string[]): Running {
    return this.launchCommand(name, process.execPath, ["--enable-source-maps", ...args]);
  }

  /** Starts any program without waiting for anything. */
  launchCommand(name: string, command: string, args: readonly string[]): Running {
    const child = spawn(command, [...args], { stdio: ["ignore", "pipe", "pipe"] });
    // A program that does not exist ends at once; the caller sees a process without a number.
    child.once("error", () => undefined);
    const running = new Running(name, child, join(this.#logs, `${name}.log`));
    if (running.pid === 0) throw new Error(`${name} could not be started`);
    this.#all.add(running);
    tellReaper(`+${running.pid}`);
    void running.exited.then(() => {
      this.#all.delete(running);
      tellReaper(`-${running.pid}`);
    });
    return running;
  }

  /** Starts a process and waits until it is ready; rejects with its last words otherwise. */
  async start(spec: Spec): Promise<Running & { readonly ready: Line }> {
    const running = this.launch(spec.name, spec.args);
    const ready = await this.#untilReady(running, spec.readyKey);
    return Object.assign(running, { ready });
  }

  async #untilReady(running: Running, key: string): Promise<Line> {
    const endMs = performance.now() + PATIENCE_MS;
    for (;;) {
      const line = running.lines.find((one) => key in one);
      if (line !== undefined) return line;
      if (!running.alive) {
        const { code, signal } = await running.exited;
        const how = signal ?? `code ${code}`;
        throw new Error(`${running.name} ended with ${how}\n${running.lastWords}`);
      }
      if (performance.now() > endMs) {
        await running.end("SIGKILL");
        throw new Error(`${running.name} did not become ready\n${running.lastWords}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Ends everything at once. */
  async endAll(): Promise<void> {
    await Promise.all([...this.#all].map((running) => running.end("SIGKILL")));
  }
}
