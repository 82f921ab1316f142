// Collects the output of a transcript directive: text of the harness itself and log lines rendered
// from trace events, filtered by the log level that the transcript sets.
import { renderTrace } from "../trace-render.ts";
import type { TraceLevel } from "../trace-render.ts";
import type { TraceEvent } from "../trace.ts";
import { ScriptError } from "./script.ts";

const LEVELS = ["DEBUG", "INFO", "WARN", "ERROR", "FATAL", "NONE"];
const LEVEL_OF: Readonly<Record<TraceLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/** Output of one transcript. Level NONE silences everything but errors. */
export class Output {
  #text = "";
  #level = 0;

  /** The number of the log level, for saving and restoring it. */
  get level(): number {
    return this.#level;
  }

  set level(level: number) {
    this.#level = level;
  }

  /** True at level NONE. */
  get quiet(): boolean {
    return this.#level === LEVELS.length - 1;
  }

  /** Sets the level by name, in any case. */
  setLevel(name: string): void {
    const level = LEVELS.indexOf(name.toUpperCase());
    if (level < 0) {
      throw new ScriptError(`log levels must be either of [${LEVELS.join(" ")}]`);
    }
    this.#level = level;
  }

  /** Adds text. */
  write(text: string): void {
    if (!this.quiet) this.#text += text;
  }

  /** Adds the log line of a trace event. */
  trace(event: TraceEvent): void {
    const line = renderTrace(event);
    if (line === undefined) return;
    const level = LEVEL_OF[line.level];
    if (level >= this.#level) this.write(`${LEVELS[level]} ${line.text}\n`);
  }

  /** Runs `body` and indents what it writes by two spaces. */
  indented(body: () => void): void {
    const outer = this.#text;
    this.#text = "";
    body();
    const inner = this.#text.endsWith("\n") ? this.#text.slice(0, -1) : this.#text;
    const lines = inner === "" ? [] : inner.split("\n");
    this.#text = outer + lines.map((l) => `  ${l}\n`).join("");
  }

  /** Returns the output so far and starts afresh. */
  take(): string {
    const text = this.#text;
    this.#text = "";
    return text;
  }
}
