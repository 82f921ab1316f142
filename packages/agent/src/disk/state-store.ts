// The core's record on disk: one file with a checksum, the one before it kept. A damaged file is
// noticed and named; the previous one takes its place, and without any the node starts from what was
// found before it was managed.

import { createHash } from "node:crypto";
import { mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { KinglyError } from "@kingly/base";
import { STATE_BYTES_MAX, WRITE_RETRY_MS } from "../limits.ts";
import { writeAtomic } from "./atomic.ts";

const MAGIC = "kingly-agent-state/1";

/** What was read at a start. */
export interface LoadedState {
  /** The record, or null when there is none that is intact. */
  readonly record: string | null;
  /** Sentences about damaged files; empty when all is well. */
  readonly problems: readonly string[];
}

/** Writes records in the order given; while one write runs, only the newest of the rest is kept. */
export class StateStore {
  readonly #path: string;
  readonly #previous: string;
  readonly #onWritten: (seq: number) => void;
  readonly #onError: (error: unknown) => void;
  #next: { readonly seq: number; readonly record: string } | null = null;
  #running: Promise<void> | null = null;

  constructor(
    folder: string,
    hooks: {
      readonly onWritten: (seq: number) => void;
      readonly onError: (error: unknown) => void;
    },
  ) {
    this.#path = join(folder, "state");
    this.#previous = join(folder, "state.previous");
    this.#onWritten = hooks.onWritten;
    this.#onError = hooks.onError;
  }

  /** Queues a record; `onWritten` is called once it, or a newer one, is durable. */
  write(seq: number, record: string): void {
    this.#next = { seq, record };
    this.#running ??= this.#run();
  }

  /** Resolves when everything queued is written. */
  async drained(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }

  async #run(): Promise<void> {
    let entry = this.#next;
    try {
      for (; entry !== null; entry = this.#next) {
        this.#next = null;
        const text = encodeRecord(entry.record);
        await writeAtomic(this.#path, text, { mode: 0o600, keepPrevious: this.#previous });
        this.#onWritten(entry.seq);
      }
    } catch (error) {
      this.#onError(error);
      // Nothing that depends on the record goes ahead until a write succeeds.
      const retry = this.#next ?? entry;
      setTimeout(() => {
        if (retry !== null && this.#running === null) this.write(retry.seq, retry.record);
      }, WRITE_RETRY_MS).unref();
    } finally {
      this.#running = null;
    }
  }
}

/** Reads the newest intact record in a folder, creating the folder when it is missing. */
export async function loadState(folder: string): Promise<LoadedState> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const problems: string[] = [];
  for (const name of ["state", "state.previous"]) {
    const path = join(folder, name);
    const text = await readBounded(path);
    if (text === null) continue;
    const record = decodeRecord(text);
    if (record !== null) return { record, problems };
    problems.push(`${path} is damaged: its checksum does not match its content`);
  }
  return { record: null, problems };
}

function encodeRecord(record: string): string {
  return `${MAGIC} ${checksum(record)}\n${record}`;
}

function decodeRecord(text: string): string | null {
  const newline = text.indexOf("\n");
  if (newline < 0) return null;
  const [magic, sum] = text.slice(0, newline).split(" ");
  const record = text.slice(newline + 1);
  return magic === MAGIC && sum === checksum(record) ? record : null;
}

function checksum(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

async function readBounded(path: string): Promise<string | null> {
  try {
    const { size } = await stat(path);
    if (size > STATE_BYTES_MAX) {
      throw new KinglyError("Corrupted", `${path} is larger than the agent ever writes`, {
        field: path,
        limit: STATE_BYTES_MAX,
        value: size,
      });
    }
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
