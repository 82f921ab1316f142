// Starts child processes, waits until each says it is ready, and leaves none behind, not even when this
// process is killed with -9 (with-parent.ts). Children speak JSON lines on stdout; everything they print
// goes to a log file of their own.

import { spawn, type ChildProcess } from "node:child_process";
import { createWriteStream, type WriteStream } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { LINE_BYTES_MAX, READY_TIMEOUT_MS, STOP_GRACE_MS, TAIL_LINES_MAX } from "./limits.ts";

// The built file also when this one runs as source: children are plain Node.
const WITH_PARENT = new URL("../dist/with-parent.js", import.meta.url).href;

/** A JSON line that a child printed. */
export type ChildLine = Readonly<Record<string, unknown>>;

/** What to start. */
export interface ChildSpec {
  readonly name: string;
  /** Script and arguments, run by this Node. */
  readonly args: readonly string[];
  /** The child is ready when it prints a JSON line with this key. */
  readonly readyKey: string;
  /** Every further JSON line of the child. */
  readonly onLine?: (line: ChildLine) => void;
}

/** A running child. */
export interface Child {
  readonly name: string;
  readonly pid: number;
  /** The line that said ready. */
  readonly ready: ChildLine;
}

interface Running {
  readonly process: ChildProcess;
  readonly log: WriteStream;
  readonly tail: string[];
  readonly exited: Promise<void>;
}

function parseLine(line: string): ChildLine | undefined {
  if (!line.startsWith("{") || line.length > LINE_BYTES_MAX) return undefined;
  try {
    return JSON.parse(line) as ChildLine;
  } catch {
    return undefined;
  }
}

/** Owner of all child processes of one demonstration. */
export class Supervisor {
  readonly #logFolder: string;
  readonly #running = new Map<string, Running>();
  readonly #onDeath: (name: string, explanation: string) => void;
  readonly #killed = new Set<string>();
  #stopping = false;

  constructor(options: {
    readonly logFolder: string;
    readonly onDeath: (name: string, explanation: string) => void;
  }) {
    this.#logFolder = options.logFolder;
    this.#onDeath = options.onDeath;
  }

  /** Starts a child and resolves when it is ready; rejects with its last words otherwise. */
  async start(spec: ChildSpec): Promise<Child> {
    const options = ["--enable-source-maps", "--import", WITH_PARENT];
    // Nothing is ever written to standard input: that it closes is the message.
    const child = spawn(process.execPath, [...options, ...spec.args], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    const log = createWriteStream(join(this.#logFolder, `${spec.name}.log`), { flags: "a" });
    const tail: string[] = [];
    const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    this.#running.set(spec.name, { process: child, log, tail, exited });
    const ready = await this.#untilReady(spec, child, { log, tail });
    return { name: spec.name, pid: child.pid ?? 0, ready };
  }

  #untilReady(
    spec: ChildSpec,
    child: ChildProcess,
    sinks: { readonly log: WriteStream; readonly tail: string[] },
  ): Promise<ChildLine> {
    return new Promise((resolve, reject) => {
      const fail = (why: string): void =>
        reject(new Error(`${spec.name} ${why}\n${sinks.tail.join("\n")}`));
      const timer = setTimeout(() => fail("did not become ready"), READY_TIMEOUT_MS);
      const take = (line: string): void => {
        sinks.log.write(`${line}\n`);
        sinks.tail.push(line);
        if (sinks.tail.length > TAIL_LINES_MAX) sinks.tail.shift();
        const message = parseLine(line);
        if (message === undefined) return;
        if (spec.readyKey in message) {
          clearTimeout(timer);
          resolve(message);
        }
        spec.onLine?.(message);
      };
      for (const stream of [child.stdout, child.stderr]) {
        if (stream !== null) createInterface({ input: stream }).on("line", take);
      }
      child.once("error", (error) => fail(error.message));
      child.once("exit", (code, signal) => {
        clearTimeout(timer);
        const why = `ended with ${signal ?? `code ${code}`}`;
        fail(why);
        this.#running.delete(spec.name);
        if (!this.#stopping && !this.#killed.delete(spec.name))
          this.#onDeath(spec.name, `${why}\n${sinks.tail.slice(-5).join("\n")}`);
      });
    });
  }

  /** Process id of a child, or undefined. */
  pid(name: string): number | undefined {
    return this.#running.get(name)?.process.pid;
  }

  /** Ends a child with SIGKILL, without its death being reported; resolves when it is gone. */
  async kill(name: string): Promise<void> {
    const running = this.#running.get(name);
    if (running === undefined) return;
    this.#killed.add(name);
    running.process.kill("SIGKILL");
    await running.exited;
  }

  /** Ends every child: politely, then for certain. Resolves when all are gone. */
  async stopAll(): Promise<void> {
    this.#stopping = true;
    const all = [...this.#running.values()];
    for (const { process: child } of all) child.kill("SIGTERM");
    const timer = setTimeout(() => {
      for (const { process: child } of all) child.kill("SIGKILL");
    }, STOP_GRACE_MS);
    await Promise.all(all.map(({ exited }) => exited));
    clearTimeout(timer);
    for (const { log } of all) log.end();
  }

  /** Last resort when this process itself is about to end: no child survives it. */
  killAll(): void {
    this.#stopping = true;
    for (const { process: child } of this.#running.values()) child.kill("SIGKILL");
  }
}
