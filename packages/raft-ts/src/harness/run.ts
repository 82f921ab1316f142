// Replays a transcript and compares its output with what the file expects. Pure: reading files and
// printing verdicts is left to scripts/transcripts.mjs and to the tests.
import { newInteraction, runInteractionDirective } from "./commands.ts";
import { ConfChangeScript } from "./confchange-script.ts";
import { runQuorumDirective } from "./quorum-script.ts";
import { parseScript } from "./script.ts";
import type { Directive } from "./script.ts";

/** How to compare. */
export interface ReplayOptions {
  /** Leave log lines out of the comparison. */
  readonly stripLogs: boolean;
}

/** The first directive whose output differs. */
export interface Difference {
  /** Line of the directive in the file. */
  readonly line: number;
  readonly command: string;
  /** First differing line of the output; undefined if the output ended there. */
  readonly expected: string | undefined;
  readonly actual: string | undefined;
}

const LOG_LINE = /^\s*(DEBUG|INFO|WARN|ERROR|FATAL) /;

function runnerFor(directives: readonly Directive[]): (d: Directive) => string {
  const names = new Set(directives.map((d) => d.name));
  if (names.has("committed") || names.has("vote")) return runQuorumDirective;
  if (names.has("simple") || names.has("enter-joint") || names.has("leave-joint")) {
    const script = new ConfChangeScript();
    return (d) => script.run(d);
  }
  const env = newInteraction();
  return (d) => runInteractionDirective(env, d);
}

function comparable(text: string, options: ReplayOptions): readonly string[] {
  const lines = (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n");
  if (!options.stripLogs) return lines;
  // "ok" stands for no output at all, which stripping may leave on one side only.
  return lines.filter((l) => !LOG_LINE.test(l) && l !== "ok");
}

/** Replays a file; undefined if every output is as expected. */
export function replay(text: string, options: ReplayOptions): Difference | undefined {
  const directives = parseScript(text);
  const run = runnerFor(directives);
  for (const d of directives) {
    const expected = comparable(d.expected, options);
    const actual = comparable(run(d), options);
    const length = Math.max(expected.length, actual.length);
    for (let i = 0; i < length; i++) {
      if (expected[i] === actual[i]) continue;
      return { line: d.line, command: d.name, expected: expected[i], actual: actual[i] };
    }
  }
  return undefined;
}

/** Replays a file and returns it with the actual output in place of the expected one. */
export function rewrite(text: string): string {
  const lines = text.split("\n");
  const directives = parseScript(text);
  const run = runnerFor(directives);
  let result = "";
  let from = 0;
  for (const d of directives) {
    const separator = lines.indexOf("----", d.line - 1);
    const end = separator < 0 ? lines.length : separator;
    result += `${lines.slice(from, end).join("\n")}\n----\n`;
    const output = run(d);
    result += output.endsWith("\n") ? output : `${output}\n`;
    from = end + 1;
    while (from < lines.length && (lines[from] ?? "").trim() !== "") from++;
  }
  return result + lines.slice(from).join("\n");
}

/** One line about a difference. */
export function formatDifference(d: Difference): string {
  const show = (line: string | undefined): string => (line === undefined ? "nothing" : `"${line}"`);
  return `line ${d.line} (${d.command}): expected ${show(d.expected)}, got ${show(d.actual)}`;
}
