// The real disk: node:fs for files, level for the key-value store.

import { constants } from "node:fs";
import { mkdir, open, readFile, readdir, rename, rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import type { Disk, KeyValueStore, SyncedFile } from "./disk.ts";
import { parentPath } from "./disk.ts";
import { codeOf } from "./errors.ts";
import { openLevel } from "./level-store.ts";

/** The file system of this machine. */
export function nodeDisk(): Disk {
  return new NodeDisk();
}

class NodeDisk implements Disk {
  async list(directory: string): Promise<readonly string[] | undefined> {
    try {
      return (await readdir(directory)).sort();
    } catch (error) {
      if (codeOf(error) === "ENOENT") return undefined;
      throw error;
    }
  }

  async makeDirectory(directory: string): Promise<void> {
    const first = await mkdir(directory, { recursive: true });
    if (first === undefined) return;
    // Every created level must be durable in its parent, or a crash forgets the whole tree.
    for (let at = directory; ; at = parentPath(at)) {
      const parent = parentPath(at);
      await syncDirectory(parent);
      if (at === first || parent === at) return;
    }
  }

  async readFile(file: string): Promise<Uint8Array | undefined> {
    try {
      return await readFile(file);
    } catch (error) {
      if (codeOf(error) === "ENOENT") return undefined;
      throw error;
    }
  }

  async writeFileDurably(file: string, bytes: Uint8Array): Promise<void> {
    const temporary = `${file}.tmp`;
    const handle = await open(temporary, "w", 0o600);
    try {
      await writeFully(handle, bytes, 0);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
    await syncDirectory(parentPath(file));
  }

  async remove(path: string): Promise<void> {
    await rm(path, { recursive: true, force: true });
    await syncDirectory(parentPath(path));
  }

  async openFile(file: string): Promise<SyncedFile> {
    // O_DSYNC makes every write durable before it returns: write and fdatasync in one system call.
    // Windows does not know it (undefined there).
    const dsync = (constants.O_DSYNC as number | undefined) ?? 0;
    return new NodeFile(file, await open(file, constants.O_RDWR | dsync), dsync !== 0);
  }

  openKeyValue(
    directory: string,
    options: { readonly createIfMissing: boolean },
  ): Promise<KeyValueStore> {
    return openLevel(directory, options);
  }
}

class NodeFile implements SyncedFile {
  readonly path: string;
  readonly #handle: FileHandle;
  /** Writes are durable when they return. */
  readonly #writesThrough: boolean;

  constructor(path: string, handle: FileHandle, writesThrough: boolean) {
    this.path = path;
    this.#handle = handle;
    this.#writesThrough = writesThrough;
  }

  async read(length: number): Promise<Uint8Array> {
    const buffer = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const { bytesRead } = await this.#handle.read(buffer, done, length - done, done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return buffer.subarray(0, done);
  }

  write(bytes: Uint8Array, position: number): Promise<void> {
    return writeFully(this.#handle, bytes, position);
  }

  datasync(): Promise<void> {
    return this.#handle.datasync();
  }

  async writeDurably(bytes: Uint8Array, position: number): Promise<void> {
    await this.write(bytes, position);
    if (!this.#writesThrough) await this.datasync();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** pwrite until everything is written: a short write is legal, silently losing the rest is not. */
async function writeFully(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
