// Reads transcript files: directives with arguments, optional input lines, and the output expected of
// them.
//
//   # comment
//   cmd key key=value key=(v1, v2) \        a backslash continues the line
//       key
//   input lines
//   ----
//   expected lines up to a blank line; between two doubled ---- lines blank lines are kept
//
// `subtest NAME` and `subtest end` are accepted and mean nothing.

/** One argument of a directive; a bare key has no values. */
export interface Argument {
  readonly key: string;
  readonly values: readonly string[];
}

/** A command with its arguments. */
export interface Command {
  readonly name: string;
  readonly args: readonly Argument[];
}

/** One directive of a file. */
export interface Directive extends Command {
  /** Line of the command, from 1. */
  readonly line: number;
  /** Lines between command and separator, trimmed. */
  readonly input: string;
  /** Expected output; each line ends with a newline. */
  readonly expected: string;
}

/** A transcript that cannot be read or run. */
export class ScriptError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ScriptError";
  }
}

const SEPARATOR = "----";

/** Parses one command line; undefined if it is blank. */
export function parseCommand(text: string): Command | undefined {
  const line = text.trim();
  if (line === "") return undefined;
  const name = /^[^ ]+/.exec(line)?.[0] ?? "";
  const args: Argument[] = [];
  let rest = line.slice(name.length).trim();
  while (rest !== "") {
    const key = /^[^ =]+/.exec(rest)?.[0];
    if (key === undefined) throw new ScriptError(`cannot parse directive: ${line}`);
    rest = rest.slice(key.length);
    if (!rest.startsWith("=")) {
      args.push({ key, values: [] });
    } else {
      const value = parseValue(rest.slice(1), line);
      args.push({ key, values: value.values });
      rest = value.rest;
    }
    rest = rest.trim();
  }
  return { name, args };
}

interface ParsedValue {
  readonly values: readonly string[];
  readonly rest: string;
}

function parseValue(text: string, line: string): ParsedValue {
  if (!text.startsWith("(")) {
    const value = /^[^ ]*/.exec(text)?.[0] ?? "";
    return { values: [value], rest: text.slice(value.length) };
  }
  const values: string[] = [];
  let depth = 0;
  let start = 1;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === "(") depth++;
    if (char === ")") depth--;
    if (depth === 0 || (depth === 1 && char === ",")) {
      values.push(text.slice(start, at).trim());
      start = at + 1;
    }
    if (depth === 0) return { values, rest: text.slice(at + 1) };
  }
  throw new ScriptError(`unbalanced parenthesis in directive: ${line}`);
}

/** Parses a whole file. */
export function parseScript(text: string): readonly Directive[] {
  const lines = text.split("\n").map((l) => (l.endsWith("\r") ? l.slice(0, -1) : l));
  const directives: Directive[] = [];
  let at = 0;
  while (at < lines.length) {
    const line = at + 1;
    let source = (lines[at++] ?? "").trim();
    if (source.startsWith("#")) continue;
    while (source.endsWith("\\") && at < lines.length) {
      source = `${source.slice(0, -1)} ${(lines[at++] ?? "").trim()}`;
    }
    const command = parseCommand(source);
    if (command === undefined || command.name === "subtest") continue;
    const separator = lines.indexOf(SEPARATOR, at);
    const inputEnd = separator < 0 ? lines.length : separator;
    const input = lines.slice(at, inputEnd).join("\n").trim();
    const expected = readExpected(lines, inputEnd + 1);
    at = expected.next;
    directives.push({ ...command, line, input, expected: expected.text });
  }
  return directives;
}

function readExpected(lines: readonly string[], start: number): { text: string; next: number } {
  let text = "";
  let at = start;
  if (lines[at] === SEPARATOR) {
    for (at++; at < lines.length; at++) {
      if (lines[at] === SEPARATOR && lines[at + 1] === SEPARATOR) return { text, next: at + 2 };
      text += `${lines[at]}\n`;
    }
    return { text, next: at };
  }
  for (; at < lines.length && (lines[at] ?? "").trim() !== ""; at++) text += `${lines[at]}\n`;
  return { text, next: at };
}

/** Values of an argument, undefined if it is absent. */
export function valuesOf(command: Command, key: string): readonly string[] | undefined {
  return command.args.find((a) => a.key === key)?.values;
}

/** Parses an unsigned decimal number. */
export function parseNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new ScriptError(`not a number: ${text}`);
  return Number(text);
}

/** Parses true or false. */
export function parseBoolean(text: string): boolean {
  if (text === "true" || text === "1" || text === "t") return true;
  if (text === "false" || text === "0" || text === "f") return false;
  throw new ScriptError(`not a boolean: ${text}`);
}
