// Where one demonstration keeps its files.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Options } from "./options.ts";

/** Root of the repository. */
const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** Folders of one demonstration. */
export interface Layout {
  readonly dir: string;
  readonly logs: string;
  /** Remove the whole folder at the end. */
  readonly temporary: boolean;
}

/** Creates the folders. `--once` gets a new temporary one, so that every run starts from nothing. */
export function prepareLayout(options: Options): Layout {
  const temporary = options.once && options.dir === undefined;
  const dir = temporary
    ? mkdtempSync(join(tmpdir(), "kingly-once-"))
    : resolve(options.dir ?? join(ROOT, ".kingly", "demo"));
  const logs = join(dir, "logs");
  mkdirSync(logs, { recursive: true });
  return { dir, logs, temporary: temporary && !options.keep };
}

/** Removes what was temporary. */
export function removeLayout(layout: Layout): void {
  if (layout.temporary) rmSync(layout.dir, { recursive: true, force: true });
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/**
 * Refuses a folder that another demonstration is using.
 * @throws Error that names the other process.
 */
export function claimLayout(layout: Layout): () => void {
  const file = join(layout.dir, "running.pid");
  try {
    writeFileSync(file, String(process.pid), { flag: "wx" });
  } catch {
    const pid = Number(readFileSync(file, "utf8"));
    if (Number.isInteger(pid) && pid > 0 && pid !== process.pid && alive(pid)) {
      throw new Error(`another demonstration (process ${pid}) is using ${layout.dir}`);
    }
    writeFileSync(file, String(process.pid));
  }
  return () => rmSync(file, { force: true });
}
