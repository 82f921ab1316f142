// Splits a byte stream into lines with a bound on their length. A stream that breaks ends quietly:
// the watch above resumes it.

import { KinglyError } from "@kingly/base";
import { WATCH_LINE_BYTES_MAX } from "./limits.ts";

/** Lines without their newline, empty ones left out. */
export async function* linesOf(
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for await (const chunk of body) {
      rest += decoder.decode(chunk, { stream: true });
      const lines = rest.split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > WATCH_LINE_BYTES_MAX) {
        throw new KinglyError("MalformedFrame", "a watch event is longer than the limit", {
          field: "event",
          limit: WATCH_LINE_BYTES_MAX,
          value: rest.length,
        });
      }
      for (const line of lines) if (line !== "") yield line;
    }
  } catch (error) {
    if (error instanceof KinglyError) throw error;
    if (signal.aborted) return;
  }
}
