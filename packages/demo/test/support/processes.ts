// Small programs that tests start, and whether a process still runs.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Writes a program for node into a folder; returns its path. */
export function script(folder: string, name: string, text: string): string {
  const file = join(folder, `${name}.mjs`);
  writeFileSync(file, text);
  return file;
}

/** False also for a process that has ended and that nobody has collected yet. */
export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    if (process.platform !== "linux") return true;
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
