// One workload process under measurement: started, configured, scraped, stopped by its own id.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { entryUrl } from "../entry.ts";
import type { ProfileName } from "../load/profiles.ts";
import type { Tunables } from "../tunables.ts";
import { parseReading } from "./scrape.ts";
import type { Reading } from "./scrape.ts";

/** A running kingly-workload. */
export class MeasuredProcess {
  readonly profile: ProfileName;
  readonly #child: ChildProcess;
  readonly #base: string;

  private constructor(profile: ProfileName, child: ChildProcess, port: number) {
    this.profile = profile;
    this.#child = child;
    this.#base = `http://127.0.0.1:${port}`;
  }

  /** Starts a process and waits until it says it is ready. */
  static async start(profile: ProfileName, seed: number): Promise<MeasuredProcess> {
    const main = entryUrl(import.meta.url, "../main").pathname;
    const args = [main, "--profile", profile, "--seed", String(seed), "--exit-with-parent"];
    const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
    for await (const line of createInterface({ input: child.stdout })) {
      const { listening } = JSON.parse(line) as { readonly listening: number };
      return new MeasuredProcess(profile, child, listening);
    }
    throw new Error(`the ${profile} process stopped before it was ready`);
  }

  /** Puts tunables; rejects when the service refuses them. */
  async configure(tunables: Tunables): Promise<void> {
    const body = JSON.stringify(tunables);
    const response = await fetch(`${this.#base}/config`, { method: "PUT", body });
    const text = await response.text();
    if (!response.ok) throw new Error(`tunables refused: ${text}`);
  }

  /** Reads the metrics. */
  async read(): Promise<Reading> {
    return parseReading(await (await fetch(`${this.#base}/metrics`)).text());
  }

  /** Resident memory in MB; NaN where the system does not tell. */
  residentMb(): number {
    try {
      const status = readFileSync(`/proc/${this.#child.pid ?? 0}/status`, "latin1");
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024;
    } catch {
      return NaN;
    }
  }

  /** Asks it to stop and waits until it has. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    await exited;
  }
}
