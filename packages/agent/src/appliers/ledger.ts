// What we last wrote into a target's file, by hash: so that somebody else's edit is noticed, also one
// made while the agent was away. The hash that is about to be written is noted before the write, so a
// crash between the two is not mistaken for an edit.

import { createHash } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { writeAtomic } from "../disk/atomic.ts";

/** Hash of a file that does not exist. */
export const ABSENT: string = "0".repeat(64);

/** Hex sha256 of bytes; ABSENT for null. */
export function bytesHash(bytes: Uint8Array | null): string {
  return bytes === null ? ABSENT : createHash("sha256").update(bytes).digest("hex");
}

/** The hashes that the file may have without anybody having edited it. */
export class Ledger {
  readonly #path: string;
  #known: readonly string[] | null = null;
  #loaded = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** Whether a file of this hash is ours; true before our first write. */
  async isOurs(hash: string): Promise<boolean> {
    await this.#load();
    return this.#known === null || this.#known.includes(hash);
  }

  /** Notes what the file may be from now on. */
  async note(hashes: readonly string[]): Promise<void> {
    await this.#load();
    this.#known = hashes;
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
    await writeAtomic(this.#path, JSON.stringify({ known: hashes }), { mode: 0o600 });
  }

  async #load(): Promise<void> {
    if (this.#loaded) return;
    this.#loaded = true;
    try {
      const parsed = JSON.parse(await readFile(this.#path, "utf8")) as { known?: unknown };
      if (Array.isArray(parsed.known)) this.#known = parsed.known as string[];
    } catch {
      // Missing or damaged: nothing is known, so nothing can be called an edit.
      this.#known = null;
    }
  }
}
