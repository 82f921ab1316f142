// The tunables file: size-limited, read whole, checked by the same rules as PUT /config.
import { open } from "node:fs/promises";
import { CONFIG_BYTES_MAX } from "./limits.ts";
import { parseTunables, problem } from "./tunables.ts";
import type { TunablesResult } from "./tunables.ts";

/** Reads and checks the file. An unreadable or too large file is a problem, not an exception. */
export async function readTunablesFile(path: string): Promise<TunablesResult> {
  let text: string;
  try {
    const file = await open(path, "r");
    try {
      const buffer = Buffer.alloc(CONFIG_BYTES_MAX + 1);
      const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
      if (bytesRead > CONFIG_BYTES_MAX) {
        const limit = `at most ${CONFIG_BYTES_MAX} bytes`;
        return { ok: false, problems: [problem("", limit, `more than ${CONFIG_BYTES_MAX} bytes`)] };
      }
      text = buffer.toString("utf8", 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { ok: false, problems: [problem("", "a readable file", reason)] };
  }
  return parseTunables(text);
}
