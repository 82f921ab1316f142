// All targets of the binding: their appliers, what they ran before we first touched them, and a slow
// look at whether somebody edited them.

import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { toKinglyError } from "@kingly/base";
import type { Content } from "@kingly/node-core";
import type { Applier, ApplyOutcome } from "./appliers/applier.ts";
import { FileApplier } from "./appliers/file.ts";
import { HttpApplier } from "./appliers/http.ts";
import type { TargetBinding } from "./config/types.ts";
import { writeAtomic } from "./disk/atomic.ts";
import { CAPTURE_RETRY_MS, EDIT_POLL_MS } from "./limits.ts";

/** What is told about targets. */
export interface TargetHooks {
  readonly onEdited: (target: string, message: string) => void;
  readonly onEditCleared: (target: string) => void;
}

/** Appliers by target. */
export class Targets {
  readonly #appliers = new Map<string, Applier>();
  readonly #asFoundFolder: string;
  readonly #hooks: TargetHooks;
  readonly #edited = new Set<string>();
  readonly #busy = new Set<string>();
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(
    bindings: Readonly<Record<string, TargetBinding>>,
    stateDir: string,
    hooks: TargetHooks,
  ) {
    this.#asFoundFolder = join(stateDir, "as-found");
    this.#hooks = hooks;
    for (const name of Object.keys(bindings).sort()) {
      const applier = bindings[name]?.applier;
      if (applier === undefined) continue;
      this.#appliers.set(
        name,
        applier.type === "file"
          ? new FileApplier(applier, join(stateDir, "ledger"), name)
          : new HttpApplier(applier),
      );
    }
  }

  /** Looks for edits from now on. */
  start(): void {
    this.#timer = setInterval(() => void this.#poll(), EDIT_POLL_MS);
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** Reads the target until it answers; null when the agent stops first. */
  async capture(name: string): Promise<Content | null> {
    while (!this.#stopped) {
      try {
        return (await this.#applier(name).capture()) satisfies Content;
      } catch (error) {
        if (toKinglyError(error).code === "Internal") throw error;
        await new Promise((resolve) => setTimeout(resolve, CAPTURE_RETRY_MS));
      }
    }
    return null;
  }

  async check(name: string, content: Content): Promise<string> {
    return this.#applier(name).check(content);
  }

  /** Applies; before the first time, what was found is kept for good. */
  async apply(name: string, content: Content): Promise<ApplyOutcome> {
    this.#busy.add(name);
    try {
      await this.#keepAsFound(name);
      const outcome = await this.#applier(name).apply(content);
      if (outcome.ok) this.#cleared(name);
      else if (outcome.edited) this.#markEdited(name, outcome.message);
      return outcome;
    } catch (error) {
      return { ok: false, edited: false, message: toKinglyError(error).message };
    } finally {
      this.#busy.delete(name);
    }
  }

  /** What was found before we touched the target; null when we never did. */
  async asFound(name: string): Promise<Content | null> {
    try {
      return JSON.parse(await readFile(this.#asFoundPath(name), "utf8")) as Content;
    } catch {
      return null;
    }
  }

  get names(): readonly string[] {
    return [...this.#appliers.keys()];
  }

  async #keepAsFound(name: string): Promise<void> {
    if ((await this.asFound(name)) !== null) return;
    const content = await this.#applier(name).capture();
    await mkdir(this.#asFoundFolder, { recursive: true, mode: 0o700 });
    await writeAtomic(this.#asFoundPath(name), JSON.stringify(content), { mode: 0o600 });
  }

  async #poll(): Promise<void> {
    for (const [name, applier] of this.#appliers) {
      if (this.#busy.has(name) || this.#stopped) continue;
      const message = await applier.edited();
      // An apply that began meanwhile has changed the target itself.
      if (this.#busy.has(name)) continue;
      if (message !== "") this.#markEdited(name, message);
      else this.#cleared(name);
    }
  }

  #markEdited(name: string, message: string): void {
    if (this.#edited.has(name)) return;
    this.#edited.add(name);
    this.#hooks.onEdited(name, message);
  }

  #cleared(name: string): void {
    if (this.#edited.delete(name)) this.#hooks.onEditCleared(name);
  }

  #applier(name: string): Applier {
    const applier = this.#appliers.get(name);
    // The core refuses unbound targets before anything is asked of them.
    if (applier === undefined) throw new Error(`target ${name} has no applier`);
    return applier;
  }

  #asFoundPath(name: string): string {
    return join(this.#asFoundFolder, `${encodeURIComponent(name)}.json`);
  }
}
