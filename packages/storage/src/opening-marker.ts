// A file that exists while a store is being opened. LevelDB may end the whole process on damage that it
// meets while it compacts (an assertion of its own, SIGABRT), before any of our checks can refuse;
// the next start finds the marker and can at least say what happened and what to do.

import { utf8Encode } from "@kingly/base";
import type { Logger } from "@kingly/base";
import type { Disk } from "./disk.ts";
import { joinPath } from "./disk.ts";
import { REPLACE_HELP, storageFailure } from "./errors.ts";

/** Path of the marker in a data directory. */
export function openingPath(dir: string): string {
  return joinPath(dir, "opening");
}

/** Writes the marker durably; warns first when the last opening never ended. */
export async function markOpening(disk: Disk, dir: string, logger: Logger): Promise<void> {
  const file = openingPath(dir);
  try {
    if ((await disk.readFile(file)) !== undefined) {
      // One power loss looks the same, so this is no reason to refuse: the opening is repeated.
      logger.warn("the last start ended while it was opening the store; it is opened again", {
        dir,
        help: `if this start ends here too, the store is damaged: ${REPLACE_HELP}`,
      });
    }
    await disk.writeFileDurably(file, utf8Encode("the store is being opened\n"));
  } catch (error) {
    throw storageFailure(file, "write", error);
  }
}

/** Removes the marker: the store is open and verified, or was refused in words. */
export async function clearOpening(disk: Disk, dir: string): Promise<void> {
  const file = openingPath(dir);
  try {
    await disk.remove(file);
  } catch (error) {
    throw storageFailure(file, "remove", error);
  }
}
