// What the agent says on stdout: one line per event, JSON for programs or text for people, so that a
// live view can follow a node by reading its output. The last lines are kept for the status page.

import type { JsonObject, LogFields, Logger } from "@kingly/base";
import type { NodeLog } from "@kingly/node-core";
import { STATUS_EVENTS_MAX } from "./limits.ts";

/** Format of a line. */
export type LogFormat = "json" | "text";

/** Levels from least to most urgent. */
const LEVELS: readonly NodeLog["level"][] = ["debug", "info", "warn", "error"];

/** One line of the past. */
export interface PastEvent extends NodeLog {
  /** RFC 3339. */
  readonly time: string;
}

/** Writes lines. */
export class Output {
  readonly #format: LogFormat;
  readonly #least: number;
  readonly #write: (line: string) => void;
  readonly #past: PastEvent[] = [];

  constructor(options: {
    readonly format: LogFormat;
    readonly level: NodeLog["level"];
    readonly write: (line: string) => void;
  }) {
    this.#format = options.format;
    this.#least = LEVELS.indexOf(options.level);
    this.#write = options.write;
  }

  /** The last events, oldest first. */
  get past(): readonly PastEvent[] {
    return this.#past;
  }

  event(entry: NodeLog): void {
    if (LEVELS.indexOf(entry.level) < this.#least) return;
    const time = new Date().toISOString();
    const { level, event, message, fields } = entry;
    this.#past.push({ time, level, event, message, fields });
    if (this.#past.length > STATUS_EVENTS_MAX) this.#past.shift();
    if (this.#format === "json") {
      this.#write(`${JSON.stringify({ time, level, event, message, ...fields })}\n`);
    } else {
      this.#write(`${time.slice(11, 23)} ${level.padEnd(5)} ${event.padEnd(18)} ${message}\n`);
    }
  }

  /** The same as a Logger; all its lines are of one event. */
  logger(event: string): Logger {
    const at = (level: NodeLog["level"]) => (message: string, fields?: LogFields) => {
      this.event({ level, event, message, fields: (fields ?? {}) as JsonObject });
    };
    return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
  }
}
