// "v1 l2 r3 u4": configuration changes as transcripts write them.
import type { ConfChangeSingle, ConfChangeType } from "../confchange/types.ts";
import { nodeId } from "../ids.ts";
import { ScriptError, parseNumber } from "./script.ts";

const LETTERS: Readonly<Record<string, ConfChangeType>> = {
  v: "add-node",
  l: "add-learner-node",
  r: "remove-node",
  u: "update-node",
};

/** Parses a space-separated list of changes. */
export function parseChanges(text: string): readonly ConfChangeSingle[] {
  const tokens = text.split(/\s+/).filter((t) => t !== "");
  return tokens.map((token) => {
    if (token.length < 2) throw new ScriptError(`unknown token ${token}`);
    const type = LETTERS[token[0] ?? ""];
    if (type === undefined) throw new ScriptError(`unknown input: ${token}`);
    return { type, nodeId: nodeId(parseNumber(token.slice(1))) };
  });
}
