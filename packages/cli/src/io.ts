// All of the process that a command may touch, in one object: tests build a fake one and assert the
// exact output and exit code.

import { readFileSync, readdirSync, statSync } from "node:fs";
import { homedir } from "node:os";

/** A text sink. */
export interface Sink {
  write(text: string): void;
  readonly isTty: boolean;
  /** Width in columns, or 0 when unknown. */
  readonly columns: number;
}

/** Streams, environment, files, time and interruption. */
export interface Io {
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly homeFolder: string;
  nowMs(): number;
  /** File contents; "-" reads standard input. */
  readText(path: string): Promise<string>;
  /** Files of a folder (not deep), sorted; undefined when the path is not a folder. */
  listFolder(path: string): readonly string[] | undefined;
  /** Aborted when the person interrupts. */
  readonly interrupted: AbortSignal;
}

function sink(stream: NodeJS.WriteStream): Sink {
  return {
    write: (text) => void stream.write(text),
    isTty: stream.isTTY === true,
    get columns() {
      return stream.columns ?? 0;
    },
  };
}

async function readStandardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

/** The real process. */
export function processIo(): Io {
  const controller = new AbortController();
  process.once("SIGINT", () => controller.abort());
  process.once("SIGTERM", () => controller.abort());
  return {
    stdout: sink(process.stdout),
    stderr: sink(process.stderr),
    env: process.env,
    homeFolder: homedir(),
    nowMs: () => Date.now(),
    readText: (path) =>
      path === "-" ? readStandardInput() : Promise.resolve(readFileSync(path, "utf8")),
    listFolder: (path) => (statSync(path).isDirectory() ? readdirSync(path).toSorted() : undefined),
    interrupted: controller.signal,
  };
}
