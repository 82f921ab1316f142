// What an agent says on its own standard output, for the story: only its log lines for people.

import type { ChildLine } from "./supervisor.ts";

/** The sentence in an agent's line, or undefined when the line is for machines only. */
export function agentSentence(line: ChildLine): string | undefined {
  if (line["level"] === "debug") return undefined;
  const text = line["message"] ?? line["msg"];
  return typeof text === "string" && text !== "" ? text : undefined;
}
