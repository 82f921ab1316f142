// Files that are either the old one or the new one, never half: write beside, sync, rename, sync the
// folder (the rename itself is only durable with its folder).

import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/** Replaces the file's content durably. The folder must exist. */
export async function writeAtomic(
  path: string,
  content: string | Uint8Array,
  options: { readonly mode: number; readonly keepPrevious?: string },
): Promise<void> {
  const temporary = `${path}.tmp`;
  await writeSynced(temporary, content, options.mode);
  if (options.keepPrevious !== undefined) {
    try {
      await rename(path, options.keepPrevious);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  await rename(temporary, path);
  await syncFolder(dirname(path));
}

/** Removes the file durably; nothing happens when there is none. */
export async function removeDurably(path: string): Promise<void> {
  await rm(path, { force: true });
  await syncFolder(dirname(path));
}

async function writeSynced(
  path: string,
  content: string | Uint8Array,
  mode: number,
): Promise<void> {
  const file = await open(path, "w", mode);
  try {
    await file.chmod(mode);
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
