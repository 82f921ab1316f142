// Structured logs: pino behind the product's Logger interface. Everything goes to stderr, because
// stdout belongs to the one line that says the server is ready.
import type { LogFields, Logger } from "@kingly/base";
import { destination, pino } from "pino";

/** A logger that writes JSON lines to stderr. `fields` are on every line. */
export function createLogger(level: string, fields: LogFields): Logger {
  const out = pino(
    { level, base: fields, timestamp: pino.stdTimeFunctions.isoTime },
    destination(2),
  );
  return {
    debug: (message, extra) => out.debug(extra ?? {}, message),
    info: (message, extra) => out.info(extra ?? {}, message),
    warn: (message, extra) => out.warn(extra ?? {}, message),
    error: (message, extra) => out.error(extra ?? {}, message),
  };
}
